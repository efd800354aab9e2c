"""Whatever a model makes of size and transparency, the person gets the picture's own back."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.engines.contract import EngineFailed, SourceInvalid, SourceTooLarge
from service.engines.painting.canvas import (
    ENLARGED,
    OTHER_SHAPE,
    OUTLINE_KEPT,
    Finished,
    Prepared,
    finish,
    prepare,
)
from service.engines.painting.frame import Size, fitted, found_in, frame_for
from tests.samples.layers import Logo
from tests.samples.logos import coffee, leaf, mountain

CANVASES = (Size(1024, 1024, "square"), Size(1536, 1024, "wide"), Size(1024, 1536, "tall"))
LOGOS = [coffee, leaf, mountain]


def file_of(image: NDArray[Any] | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def opened(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body))


def bare(logo: Logo) -> bytes:
    """The logo on nothing."""
    return file_of(logo.on(None).render())


def as_a_model_would(prepared: Prepared) -> Image.Image:
    """The artwork in other colours, the backdrop as it was."""
    sent = np.array(opened(prepared.png).convert("RGB"))
    distance = np.abs(sent.astype(np.int16) - sent[0, 0]).max(axis=2)
    sent[distance > 40] = sent[distance > 40][:, [2, 0, 1]]
    return Image.fromarray(sent)


def alpha_of(finished: Finished) -> NDArray[np.uint8]:
    return np.array(opened(finished.image).convert("RGBA"))[..., 3]


@pytest.mark.parametrize("size", [(300, 300), (640, 200), (90, 400), (2000, 1000), (16, 1024)])
def test_what_is_sent_fills_a_canvas_and_what_comes_back_has_the_old_size(
    size: tuple[int, int],
) -> None:
    source = file_of(Image.fromarray(coffee(512).render()).convert("RGB").resize(size))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    canvas = prepared.frame.canvas
    assert canvas in CANVASES
    assert opened(prepared.png).size == (canvas.width, canvas.height)
    assert prepared.backdrop is None

    finished = finish(source, file_of(as_a_model_would(prepared), "JPEG"), prepared)
    assert opened(finished.image).size == size == (finished.width, finished.height)
    assert (ENLARGED in finished.warnings) == (size == (2000, 1000))


def test_what_comes_back_lies_where_it_lay() -> None:
    logo = coffee(300)
    source = file_of(Image.fromarray(logo.render()).convert("RGB").crop((0, 60, 300, 260)))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    finished = finish(source, prepared.png, prepared)
    gap = np.abs(
        np.array(opened(finished.image)).astype(int) - np.array(opened(source)).astype(int)
    )
    # resampled there and back, nothing has moved
    assert np.percentile(gap, 95) <= 8
    assert finished.changed == 0
    assert finished.before[0] == finished.after[0] == "#f7eddf"


@pytest.mark.parametrize("draw", LOGOS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_transparency_survives_a_model_that_knows_none(draw: Any, kind: str) -> None:
    source = bare(draw(512))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    assert prepared.has_alpha
    assert prepared.backdrop is not None
    assert opened(prepared.png).mode == "RGB"

    drawn = as_a_model_would(prepared).resize((880, 880))
    options = {"quality": 85} if kind == "JPEG" else {}
    finished = finish(source, file_of(drawn, kind, **options), prepared)
    before = np.array(opened(source))[..., 3].astype(int)
    assert np.abs(alpha_of(finished) - before).mean() < 3
    assert finished.alpha_kept > 0.98
    assert finished.warnings == []


def test_no_rim_of_the_backdrop_is_left_around_the_artwork() -> None:
    source = bare(leaf(512))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    assert prepared.backdrop is not None
    finished = finish(source, prepared.png, prepared)
    before, after = np.array(opened(source)), np.array(opened(finished.image))
    rim = (after[..., 3] > 60) & (after[..., 3] < 200)
    # of the half covered pixels the colour is the artwork's, not mixed with what lay behind
    wrong = np.abs(after[rim, :3].astype(int) - before[rim, :3]).max(axis=1) > 60
    assert wrong.mean() < 0.1


def test_a_model_that_keeps_transparency_is_sent_it() -> None:
    source = bare(coffee(256))
    prepared = prepare(source, CANVASES, keeps_alpha=True)
    assert prepared.backdrop is None
    assert opened(prepared.png).mode == "RGBA"
    assert finish(source, prepared.png, prepared).alpha_kept > 0.99


def test_a_scene_all_over_the_backdrop_is_cut_along_the_old_outline() -> None:
    source = bare(coffee(256))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    noise = np.random.default_rng(1).integers(0, 255, (1024, 1024, 3), np.uint8)
    finished = finish(source, file_of(noise), prepared)
    assert OUTLINE_KEPT in finished.warnings
    assert (alpha_of(finished) == np.array(opened(source))[..., 3]).all()


def test_a_blank_answer_is_not_taken_for_nothing_but_backdrop() -> None:
    source = bare(coffee(256))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    assert prepared.backdrop is not None
    blank = Image.new("RGB", (1024, 1024), prepared.backdrop.code)
    finished = finish(source, file_of(blank), prepared)
    assert OUTLINE_KEPT in finished.warnings
    assert alpha_of(finished).any()


def test_what_the_model_adds_in_the_backdrop_s_colour_inside_the_artwork_stays() -> None:
    source = bare(mountain(512))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    assert prepared.backdrop is not None
    drawn = opened(prepared.png).convert("RGB")
    middle = (480, 480, 544, 544)
    drawn.paste(prepared.backdrop.code, middle)
    finished = finish(source, file_of(drawn), prepared)
    assert (alpha_of(finished)[242:270, 242:270] == 255).all()


def test_another_shape_is_fitted_in_and_never_stretched() -> None:
    source = file_of(Image.fromarray(coffee(256).render()).convert("RGB"))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    drawn = Image.new("RGB", (1200, 600), "#f7eddf")
    drawn.paste("#3366cc", (500, 200, 700, 400))
    finished = finish(source, file_of(drawn), prepared)
    assert OTHER_SHAPE in finished.warnings
    rows, columns = np.nonzero(np.array(opened(finished.image))[..., 2] < 215)
    assert abs(np.ptp(rows) - np.ptp(columns)) <= 2, "a square stays a square"


def test_a_share_that_changed_is_measured() -> None:
    source = file_of(Image.new("RGB", (512, 512), "#ffffff"))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    drawn = opened(prepared.png).convert("RGB")
    drawn.paste("#cc3333", (0, 0, 512, 512))
    finished = finish(source, file_of(drawn), prepared)
    assert finished.changed == pytest.approx(0.25, abs=0.01)
    assert finished.before == ["#ffffff"]
    assert finished.after == ["#ffffff", "#cc3333"]


def test_the_noise_of_a_lossy_file_is_no_change() -> None:
    source = file_of(Image.fromarray(coffee(1024).render()).convert("RGB"))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    noisy = file_of(opened(prepared.png).convert("RGB"), "JPEG", quality=80)
    assert finish(source, noisy, prepared).changed < 0.02


def test_a_picture_too_large_for_a_png_is_stored_as_what_can_be_refined_again() -> None:
    source = file_of(Image.new("RGB", (2400, 2400), "#73492a"))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    noise = np.random.default_rng(1).integers(0, 255, (1024, 1024, 3), np.uint8)
    finished = finish(source, file_of(noise), prepared)
    assert finished.content_type == "image/webp"
    assert prepare(finished.image, CANVASES, keeps_alpha=False).frame.canvas == CANVASES[0]


@pytest.mark.parametrize("answer", [b"", b'{"error": "x"}', b"<html></html>", b"\x89PNG\r\n\x1a\n"])
def test_an_answer_that_is_no_image_is_refused(answer: bytes) -> None:
    source = bare(coffee(128))
    prepared = prepare(source, CANVASES, keeps_alpha=False)
    with pytest.raises(EngineFailed):
        finish(source, answer, prepared)


def test_a_source_that_cannot_be_read_or_is_too_large_is_told_apart() -> None:
    with pytest.raises(SourceInvalid):
        prepare(b"no image", CANVASES, keeps_alpha=False)
    with pytest.raises(SourceTooLarge):
        prepare(bytes(11 * 1024 * 1024), CANVASES, keeps_alpha=False)


@pytest.mark.parametrize(
    ("width", "height", "label"),
    [(100, 100, "square"), (100, 90, "square"), (300, 200, "wide"), (5, 8, "tall")],
)
def test_the_canvas_is_the_one_that_the_picture_fills_best(
    width: int, height: int, label: str
) -> None:
    assert frame_for(width, height, CANVASES).canvas.label == label


def test_a_box_lies_inside_its_room_even_when_it_is_a_hair() -> None:
    box = fitted(16, 16_384, 1024, 1024)
    assert (box.width, box.height) == (1, 1024)


def test_a_picture_is_found_in_an_answer_of_the_same_shape_only() -> None:
    frame = frame_for(300, 200, CANVASES[:1])
    half = found_in(frame, 512, 512)
    assert half is not None
    assert (half.width, half.height) == (512, 341)
    assert found_in(frame, 1024, 1008) is not None, "models round to multiples of 16"
    assert found_in(frame, 1024, 768) is None
