"""Pictures of strangers come in whole and bare, or are refused; nothing they hold does harm."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from service.intake import (
    ImageInvalid,
    ImageTooLarge,
    Intake,
    decode_rgba,
    inspect,
    normalised_png,
    publish,
)
from service.pictures.container import ONLY_FIRST_FRAME, PROFILE_IGNORED
from service.sandbox import Sandbox
from tests import corpus_images as corpus

LIMIT_S = 5.0
# What the hungriest picture within the limits takes is measured in a test below.
MEMORY_BYTES = 480 << 20


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(processes=1, memory_bytes=MEMORY_BYTES, preload=("service.intake",))
    await sandbox.warm()
    yield sandbox
    await sandbox.close()


@pytest.fixture(scope="module")
def intake(sandbox: Sandbox) -> Intake:
    return Intake(sandbox)


def pixels(body: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(body)) as image:
        return np.array(ImageOps.exif_transpose(image).convert("RGBA"))


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


def info_of(body: bytes) -> dict[str | tuple[int, int], object]:
    with Image.open(io.BytesIO(body)) as image:
        image.load()
        return image.info


def test_the_corpus_is_large_and_its_names_are_different() -> None:
    names = [name for name, _, _ in corpus.CASES]
    assert len(names) == len(set(names)) >= 60


@pytest.mark.parametrize(
    ("verdict", "make"), [case[1:] for case in corpus.CASES], ids=[case[0] for case in corpus.CASES]
)
async def test_every_file_is_taken_or_refused_in_time_and_the_next_one_is_taken(
    intake: Intake, verdict: corpus.Verdict, make: Callable[[], bytes]
) -> None:
    body = make()
    try:
        async with asyncio.timeout(LIMIT_S):
            taken = await intake.take(body)
    except ImageInvalid:
        assert verdict == "invalid"
    except ImageTooLarge:
        assert verdict == "too large"
    else:
        assert verdict == "taken"
        assert corpus.SECRET not in taken.body
        assert pixels(taken.body).shape == (taken.height, taken.width, 4)
        again = await intake.take(taken.body)
        assert again.body == taken.body, "what is bare already stays as it is"
    assert (await intake.take(corpus.png())).width == corpus.SIDE_PX


@pytest.mark.parametrize(
    ("verdict", "make"),
    [case[1:] for case in corpus.CASES if "megapixels" not in case[0]],
    ids=[case[0] for case in corpus.CASES if "megapixels" not in case[0]],
)
def test_an_engine_reads_exactly_what_was_taken(
    verdict: corpus.Verdict, make: Callable[[], bytes]
) -> None:
    body = make()
    if verdict != "taken":
        with pytest.raises((ImageInvalid, ImageTooLarge)):
            decode_rgba(body)
        return
    taken = publish(body)
    decoded = decode_rgba(body)
    assert decoded.pixels.shape == (taken.height, taken.width, 4)
    assert decoded.pixels.dtype == np.uint8
    assert distance(decode_rgba(taken.body).pixels, decoded.pixels) < 3


async def test_a_refusal_is_a_sentence_for_the_person(intake: Intake) -> None:
    for _, verdict, make in corpus.CASES:
        if verdict != "taken":
            with pytest.raises((ImageInvalid, ImageTooLarge)) as caught:
                publish(make())
            sentence = str(caught.value) or (type(caught.value).__doc__ or "")
            assert sentence[0].isupper()
            assert sentence[-1] == "."
            assert len(sentence) < 120
            assert "/" not in sentence


@pytest.mark.parametrize(
    "body",
    [
        corpus.png(pnginfo=corpus.text(), exif=corpus.exif_with_gps()),
        corpus.jpeg(exif=corpus.exif_with_gps(), comment=corpus.SECRET, xmp=corpus.SECRET),
        corpus.webp(exif=corpus.exif_with_gps(), xmp=corpus.SECRET),
        corpus.with_segment(corpus.jpeg(), 0xED, b"Photoshop 3.0\x008BIM" + corpus.SECRET),
        corpus.with_segment(corpus.jpeg(), 0xE0, b"JFXX\x00\x10" + corpus.SECRET),
        corpus.with_segment(corpus.jpeg(), 0xE2, b"MPF\x00" + corpus.SECRET),
        corpus.with_chunks(corpus.png(), corpus.chunk(b"prVt", corpus.SECRET)),
        corpus.png() + corpus.SECRET,
        corpus.jpeg() + corpus.jpeg(comment=corpus.SECRET),
    ],
    ids=["PNG", "JPEG", "WebP", "IPTC", "JFXX", "MPF", "private chunk", "tail", "second picture"],
)
def test_nothing_that_a_file_tells_about_a_person_leaves(body: bytes) -> None:
    assert corpus.SECRET in body
    taken = publish(body)
    assert corpus.SECRET not in taken.body
    assert not info_of(taken.body).keys() & {"exif", "xmp", "comment", "XML:com.adobe.xmp"}
    untouched = {"image/png": corpus.png, "image/jpeg": corpus.jpeg, "image/webp": corpus.webp}
    assert np.array_equal(pixels(taken.body), pixels(untouched[taken.content_type]()))


def test_a_thumbnail_that_shows_more_than_the_picture_is_dropped() -> None:
    body = corpus.jpeg()
    with_thumbnail = body[:4] + b"\x00\x40" + body[6:18] + b"\x04\x04" + b"SECRETTHUMBNAIL" * 3
    with_thumbnail += b"\x00" * 3 + body[20:]
    assert publish(with_thumbnail).body == body


def test_a_profile_stays_in_the_file_so_that_its_colours_stay_what_they_are() -> None:
    profile = corpus.profile("sRGB")
    for body in (
        corpus.png(icc_profile=profile),
        corpus.jpeg(icc_profile=profile),
        corpus.webp(icc_profile=profile, exif=corpus.exif_with_gps()),
    ):
        assert info_of(publish(body).body)["icc_profile"] == profile


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_once_and_for_all(orientation: int) -> None:
    exif = corpus.exif_with_gps(orientation)
    for body, loss in (
        (corpus.png(exif=exif), 0),
        (corpus.jpeg(exif=exif), 3),
        (corpus.webp(exif=exif), 0),
    ):
        upright = pixels(body)
        taken = publish(body)
        assert distance(pixels(taken.body), upright) <= loss
        assert np.array_equal(decode_rgba(body).pixels, upright)
        inspected = inspect(body)
        assert (taken.width, taken.height) == (inspected.width, inspected.height)
        assert (inspected.height, inspected.width) == upright.shape[:2]


def test_the_orientation_is_read_in_both_byte_orders() -> None:
    for tiff in (
        b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00",
        b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00",
    ):
        assert publish(corpus.png(exif=b"Exif\x00\x00" + tiff)).width == 32


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_kept_and_a_warning_says_so(format_: str) -> None:
    body = corpus.animation(format_)
    taken = publish(body)
    assert taken.warnings == (ONLY_FIRST_FRAME,)
    assert decode_rgba(body).warnings == (ONLY_FIRST_FRAME,)
    with Image.open(io.BytesIO(taken.body)) as image:
        assert getattr(image, "n_frames", 1) == 1
    assert np.array_equal(decode_rgba(taken.body).pixels, pixels(body))


@pytest.mark.parametrize("colour", [0, 2, 4, 6])
def test_16_bits_become_the_8_that_weigh_more(colour: int) -> None:
    decoded = decode_rgba(corpus.png_16_bit(colour))
    assert decoded.pixels.dtype == np.uint8
    assert set(decoded.pixels[..., :3].ravel()) == {0x80}
    assert set(decoded.pixels[..., 3].ravel()) == ({0x80} if colour in {4, 6} else {0xFF})


def test_transparency_is_kept_in_whatever_way_the_file_says_it() -> None:
    clear_corner = [
        corpus.png("L", transparency=int(np.array(corpus.picture("L"))[0, 0])),
        corpus.png(transparency=(10, 20, 30)),
        corpus.png("P", transparency=int(np.array(corpus.picture("P"))[0, 0])),
    ]
    for body in clear_corner:
        decoded = decode_rgba(body)
        assert decoded.has_alpha
        assert decoded.pixels[0, 0, 3] == 0
        assert decoded.pixels[-1, -1, 3] == 255
    grey = corpus.png_16_bit(0, corpus.chunk(b"tRNS", b"\x80\x40"))
    assert not decode_rgba(grey).pixels[..., 3].any()
    many = decode_rgba(corpus.palette_with_alphas()).pixels
    assert len(np.unique(many[..., 3])) > 8
    ramp = decode_rgba(corpus.png("RGBA")).pixels
    assert np.array_equal(ramp, pixels(corpus.png("RGBA")))


def test_cmyk_and_grey_become_the_same_colours_in_srgb() -> None:
    cmyk = decode_rgba(corpus.jpeg("CMYK")).pixels
    assert distance(cmyk, np.array(corpus.picture().convert("RGBA"))) < 3
    grey = decode_rgba(corpus.png("L")).pixels
    assert np.array_equal(grey[..., 0], np.array(corpus.picture("L")))


def test_colours_of_another_profile_are_turned_into_srgb() -> None:
    swapped = swap_red_and_green_profile()
    plain = decode_rgba(corpus.png()).pixels
    turned = decode_rgba(corpus.png(icc_profile=swapped)).pixels
    assert distance(turned[..., 0], plain[..., 1]) < 3
    assert distance(turned[..., 1], plain[..., 0]) < 3
    with_alpha = decode_rgba(corpus.png("RGBA", icc_profile=swapped)).pixels
    assert np.array_equal(with_alpha[..., 3], pixels(corpus.png("RGBA"))[..., 3])


def swap_red_and_green_profile() -> bytes:
    """The sRGB profile with two of its primaries swapped, under a name of its own."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[:] = (
        profile.replace(b"rXYZ", b"tmp!").replace(b"gXYZ", b"rXYZ").replace(b"tmp!", b"gXYZ")
    )
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_an_exact_colour_is_not_moved_by_an_srgb_profile() -> None:
    flat = Image.new("RGB", (16, 16), "#73492a")
    body = corpus.saved(flat, "PNG", icc_profile=corpus.profile("sRGB"))
    assert set(map(tuple, decode_rgba(body).pixels.reshape(-1, 4))) == {(0x73, 0x49, 0x2A, 255)}


@pytest.mark.parametrize(
    "body",
    [
        corpus.bomb_profile(),
        corpus.jpeg_with_huge_profile(),
        corpus.jpeg(icc_profile=b"no profile" * 20),
        corpus.jpeg("CMYK", icc_profile=corpus.profile("sRGB")),
        corpus.png(icc_profile=corpus.profile("LAB")),
    ],
    ids=["bomb", "huge", "none at all", "for other channels", "of another space"],
)
def test_a_profile_of_no_use_is_left_out_and_a_warning_says_so(body: bytes) -> None:
    assert decode_rgba(body).warnings == (PROFILE_IGNORED,)


def test_a_normalised_picture_has_an_alpha_channel_only_if_it_needs_one() -> None:
    for body, mode in (
        (corpus.png("RGBA"), "RGBA"),
        (corpus.webp(), "RGB"),
        (corpus.png("L"), "RGB"),
    ):
        with Image.open(io.BytesIO(normalised_png(body))) as image:
            assert (image.format, image.mode) == ("PNG", mode)


def test_the_same_file_gives_the_same_bytes() -> None:
    for body in (corpus.jpeg(exif=corpus.exif_with_gps(6)), corpus.animation("WEBP")):
        assert publish(body) == publish(body)
        assert normalised_png(body) == normalised_png(body)


def test_a_taken_file_is_never_larger_than_the_limit() -> None:
    noisy = Image.fromarray(np.random.default_rng(5).integers(0, 256, (2400, 2400, 3), np.uint8))
    body = corpus.saved(noisy, "JPEG", quality=88, exif=corpus.exif_with_gps(3))
    assert len(publish(body).body) <= 10 * 1024 * 1024


async def test_work_without_end_is_refused_and_not_waited_for(intake: Intake) -> None:
    hungry = Intake(Sandbox(processes=1, memory_bytes=8 << 20, preload=("service.intake",)))
    try:
        with pytest.raises(ImageInvalid, match="reasonable effort"):
            await hungry.take(corpus.bilevel_png(5000, 5000))
    finally:
        await hungry._sandbox.close()


@pytest.mark.parametrize(
    "make",
    [
        lambda: corpus.bilevel_png(5000, 5000),
        lambda: corpus.flat_webp(5000, 5000),
        lambda: corpus.saved(
            Image.new("RGBA", (5000, 5000), (9, 9, 9, 9)), "PNG", compress_level=1
        ),
        lambda: corpus.saved(Image.new("CMYK", (5000, 5000)), "JPEG", exif=corpus.exif_with_gps(6)),
        lambda: corpus.saved(
            Image.new("RGB", (5000, 5000)), "JPEG", icc_profile=swap_red_and_green_profile()
        ),
    ],
    ids=["bilevel", "WebP", "RGBA", "CMYK on its side", "with a profile"],
)
async def test_the_largest_pictures_fit_into_the_memory_and_the_time(
    intake: Intake, sandbox: Sandbox, make: Callable[[], bytes]
) -> None:
    body = make()
    async with asyncio.timeout(LIMIT_S):
        taken = await intake.take(body)
    assert taken.width * taken.height == 25_000_000
    assert await sandbox.run(corpus.alpha_of, body, deadline_s=4 * LIMIT_S) in {9, 255}
