"""Decode the picture files of strangers to 8-bit sRGB; runs in the sandbox.

Files are stripped first, so that the decoders see the picture and nothing else, and their
declared size is checked before the decoders see them at all.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from service.pictures import jpeg, png, webp
from service.pictures.container import (
    CONTENT_TYPES,
    MAX_BODY_BYTES,
    PROFILE_IGNORED,
    UPRIGHT,
    Bare,
    Format,
    ImageInvalid,
    ImageTooLarge,
    check_size,
    cut_short,
)

# https://www.w3.org/TR/exif/ (orientation: where the stored row 0 and column 0 belong)
_TURNS: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset({5, 6, 7, 8})
# What is tried in turn until a picture that has to be encoded anew is small enough.
_ENCODINGS: Mapping[Format, tuple[dict[str, Any], ...]] = {
    "PNG": ({"compress_level": 4}, {"compress_level": 9}),
    "JPEG": ({"quality": 95, "subsampling": 0}, {"quality": 90}, {"quality": 80}),
    "WEBP": ({"lossless": True, "method": 0}, {"quality": 95, "method": 2}),
}
# Which image modes a profile's colour space applies to.
_PROFILED: Mapping[str, Mapping[str, str]] = {
    "RGB ": {"RGB": "RGB", "L": "RGB"},
    "GRAY": {"L": "L"},
    "CMYK": {"CMYK": "CMYK"},
}
_NORMAL_PNG_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a picture file holds. Width and height are of the picture turned upright."""

    content_type: str
    width: int
    height: int
    animated: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """A person's picture as it may be shown: the same file without metadata, upright."""

    body: bytes
    content_type: str
    width: int
    height: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as straight 8-bit sRGB RGBA, shape (height, width, 4)."""

    pixels: NDArray[np.uint8]
    content_type: str
    has_alpha: bool
    warnings: tuple[str, ...]


def inspect(body: bytes) -> Inspected:
    """What the file says of itself, checked against the limits; no pixel is decoded.

    This and all below raise `ImageInvalid` and `ImageTooLarge` with a sentence for the person.
    """
    bare = _strip(body)
    width, height = bare.width, bare.height
    if bare.orientation in _SIDEWAYS:
        width, height = height, width
    return Inspected(CONTENT_TYPES[bare.format], width, height, bare.animated, bare.warnings)


def publish(body: bytes) -> Taken:
    """The file as it may go back to the person and out to the world.

    Its picture is decoded once, so that what is damaged is refused. It is encoded anew only to
    turn it upright or to leave one frame of many.
    """
    bare = _strip(body)
    with _decoders():
        image = _load(bare)
        clean = bare.body
        if bare.orientation != UPRIGHT or bare.animated:
            image = _upright(image, bare)
            clean = _encode(image, bare.format)
    return Taken(clean, CONTENT_TYPES[bare.format], image.width, image.height, bare.warnings)


def decode_rgba(body: bytes) -> Decoded:
    """The picture's pixels, upright, first frame only."""
    bare = _strip(body)
    with _decoders():
        image = _load(bare)
        warnings = list(bare.warnings)
        pixels = _to_srgb(image, warnings)
        pixels = _upright(pixels, bare)
        array = np.array(pixels)
    has_alpha = bool(array[..., 3].min() < 255)
    return Decoded(array, CONTENT_TYPES[bare.format], has_alpha, tuple(warnings))


def normalised_png(body: bytes) -> bytes:
    """The picture as an 8-bit sRGB PNG without metadata, with an alpha channel if it needs one."""
    decoded = decode_rgba(body)
    pixels = decoded.pixels if decoded.has_alpha else np.ascontiguousarray(decoded.pixels[..., :3])
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG", compress_level=_NORMAL_PNG_LEVEL)
    return encoded.getvalue()


def _strip(body: bytes) -> Bare:
    if len(body) > MAX_BODY_BYTES:
        raise ImageTooLarge
    if body.startswith(png.SIGNATURE):
        bare = png.strip(body)
    elif body.startswith(jpeg.SIGNATURE):
        bare = jpeg.strip(body)
    elif webp.is_webp(body):
        bare = webp.strip(body)
    else:
        raise ImageInvalid
    check_size(bare.width, bare.height)
    return bare


@contextlib.contextmanager
def _decoders() -> Any:
    """Turn whatever a decoder says of a hostile file into the one thing that a person can use."""
    try:
        yield
    except (MemoryError, ImageInvalid, ImageTooLarge):
        raise
    except Exception as error:  # decoders raise everything from zlib.error to IndexError
        raise cut_short() from error


def _load(bare: Bare) -> Image.Image:
    image = Image.open(io.BytesIO(bare.body), formats=(bare.format,))
    if image.size != (bare.width, bare.height):
        raise ImageInvalid
    image.load()
    return image


def _upright(image: Image.Image, bare: Bare) -> Image.Image:
    turn = _TURNS.get(bare.orientation)
    return image if turn is None else image.transpose(turn)


def _encode(image: Image.Image, format_: Format) -> bytes:
    profile = image.info.get("icc_profile")
    for options in _ENCODINGS[format_]:
        encoded = io.BytesIO()
        image.save(encoded, format_, icc_profile=profile, **options)
        if encoded.tell() <= MAX_BODY_BYTES:
            return encoded.getvalue()
    raise ImageTooLarge


def _to_srgb(image: Image.Image, warnings: list[str]) -> Image.Image:
    """The image in mode RGBA. A profile that does not fit is left out, and `warnings` says so."""
    profile = image.info.get("icc_profile")
    image = _to_8_bit(image)
    if image.mode in {"1", "P", "LA"} or image.has_transparency_data:
        image = image.convert("RGBA")
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha is not None else image
    if profile:
        colours = _through_profile(colours, profile, warnings)
    colours = colours.convert("RGBA")
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


def _to_8_bit(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey, with the one grey that a PNG may call transparent."""
    if not image.mode.startswith("I"):
        return image
    levels = np.asarray(image)
    grey = Image.fromarray((levels >> 8).astype(np.uint8))
    clear = image.info.get("transparency")
    if clear is not None:
        grey.putalpha(Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8)))
    return grey


def _through_profile(image: Image.Image, profile: bytes, warnings: list[str]) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return image  # the detour would move exact brand colours by one
        mode = _PROFILED[source.profile.xcolor_space][image.mode]
        turned = ImageCms.profileToProfile(
            image.convert(mode),
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, KeyError):
        warnings.append(PROFILE_IGNORED)
        return image
    return image if turned is None else turned
