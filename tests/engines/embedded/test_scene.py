"""The scene: what is ground, what is lettering, and what each mixed pixel holds."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.scene import analyse
from service.engines.embedded.scene.model import Scene, render
from tests.engines.embedded.exam.drawings import subject
from tests.engines.embedded.pixels import as_jpeg, edge_error, ground_mask, logo
from tests.samples.layers import rgb
from tests.samples.trials import photograph

SAMPLES = ("coffee", "mountain", "tech", "leaf", "lunar")
PLAIN = (*SAMPLES, "hairlines", "white_on_cream", "counters", "badge")
EVERY = (*PLAIN, "full_bleed", "faded")


@cache
def scene_of(name: str) -> Scene:
    """What is found in a logo. Nothing changes a scene, so that all tests may look at one."""
    return analyse(logo(name).render())


def share(scene: Scene, chosen: np.ndarray, truth: np.ndarray) -> float:
    """How much of a true mask the chosen surfaces cover."""
    return float(np.minimum(scene.coverage(chosen), truth).sum() / truth.sum())


@pytest.mark.parametrize("name", EVERY)
def test_an_unchanged_paint_gives_the_image_back_to_the_bit(name: str) -> None:
    image = logo(name).render()
    scene = scene_of(name)
    assert (render(scene, scene.original) == image).all()


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("ground", ["#141e5a", "#f0c83c", None])
def test_another_ground_meets_the_edge_as_in_a_true_render(name: str, ground: str | None) -> None:
    drawn = logo(name)
    canvas = Canvas(drawn.render(), scene_of(name))
    rgba = (0, 0, 0, 0) if ground is None else (*rgb(ground), 255)
    picture = canvas.filled(canvas.scene.background, rgba).image
    truth = drawn.on(None if ground is None else rgb(ground))
    # The mountain has shapes that share an edge: there the true render itself shows a fringe.
    limit = 0.02 if name == "white_on_cream" else 0.007 if name == "mountain" else 0.002
    assert edge_error(picture, truth) <= limit


@pytest.mark.parametrize("name", PLAIN)
def test_the_ground_is_all_that_lies_behind_the_artwork(name: str) -> None:
    drawn = logo(name)
    scene = scene_of(name)
    seen = ground_mask(drawn)
    assert share(scene, scene.background, seen) > 0.99
    assert share(scene, ~scene.background, 1 - seen) > 0.98


@pytest.mark.parametrize("name", PLAIN)
def test_lettering_is_found_and_nothing_else_is_taken_for_it(name: str) -> None:
    drawn = logo(name)
    scene = scene_of(name)
    text = drawn.visible("text", "tagline")
    assert share(scene, scene.text, text) > 0.95
    excess = np.clip(scene.coverage(scene.text) - text, 0, 1).sum() / text.sum()
    assert excess < 0.03


@pytest.mark.parametrize("name", [*SAMPLES, "hairlines", "badge"])
def test_the_smaller_line_is_the_tagline(name: str) -> None:
    drawn = logo(name)
    scene = scene_of(name)
    assert share(scene, scene.tagline, drawn.visible("tagline")) > 0.9
    assert share(scene, scene.tagline, drawn.visible("text")) < 0.01


def test_a_white_shape_inside_a_fill_is_not_the_ground() -> None:
    drawn = logo("counters")
    scene = scene_of("counters")
    assert share(scene, scene.background, drawn.visible("dove")) < 0.05


def test_hairlines_without_a_single_pure_pixel_keep_their_colour() -> None:
    drawn = logo("hairlines")
    canvas = Canvas(drawn.render(), scene_of("hairlines"))
    dark = np.abs(canvas.rgb() - np.array(rgb("#1b263b"))).max(axis=1) < 12
    assert share(canvas.scene, dark, drawn.visible("fan", "text")) > 0.95


def test_a_gradient_is_one_surface() -> None:
    scene = scene_of("tech")
    wide = scene.regions.area[~scene.background] > 0.02 * scene.labels.size
    assert int(wide.sum()) <= 4


@pytest.mark.parametrize("quality", [90, 70])
@pytest.mark.parametrize("name", ["coffee", "lunar", "mountain"])
def test_jpeg_noise_does_not_hide_ground_and_lettering(name: str, quality: int) -> None:
    drawn = logo(name)
    scene = analyse(as_jpeg(drawn.render(), quality))
    assert share(scene, scene.background, ground_mask(drawn)) > 0.985
    assert share(scene, ~scene.background, 1 - ground_mask(drawn)) > 0.95
    assert share(scene, scene.text, drawn.visible("text")) > 0.9


def test_a_photograph_is_told_from_a_logo() -> None:
    assert analyse(photograph()).photographic
    assert analyse(as_jpeg(photograph(), 85)).photographic


@pytest.mark.parametrize("name", EVERY)
def test_a_logo_is_not_taken_for_a_photograph(name: str) -> None:
    drawn = logo(name)
    assert not scene_of(name).photographic
    if drawn.background is not None:
        assert not analyse(as_jpeg(drawn.render(), 75)).photographic


@pytest.mark.parametrize(
    "image",
    [
        np.full((16, 16, 4), 255, np.uint8),
        np.zeros((16, 16, 4), np.uint8),
        np.indices((32, 32)).sum(axis=0)[..., None].repeat(4, axis=2).astype(np.uint8) % 2 * 255,
        np.random.default_rng(1).integers(0, 256, (64, 64, 4)).astype(np.uint8),
    ],
    ids=["white", "nothing", "checkerboard", "noise"],
)
def test_odd_images_are_analysed_without_an_error(image: np.ndarray) -> None:
    scene = analyse(image)
    assert scene.labels.shape == image.shape[:2]
    assert (render(scene, scene.original) == image).all()


@pytest.mark.parametrize("name", ["bloom", "bank", "arcade", "harbor"])
def test_a_mark_in_the_colour_of_the_ground_is_no_hole_in_the_shape_that_it_lies_on(
    name: str,
) -> None:
    drawn = subject(name)
    assert drawn.logo is not None
    scene = analyse(drawn.pixels)
    seen = ground_mask(drawn.logo)
    assert share(scene, scene.background, seen) > 0.99
    assert share(scene, ~scene.background, 1 - seen) > 0.98
