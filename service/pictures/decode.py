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
_PNG_LEVEL = 4
_SIDEWAYS = frozenset({5, 6, 7, 8})
# What is tried in turn until a picture that has to be encoded anew is small enough.
_LOSSY: tuple[dict[str, Any], ...] = (
    {"format": "JPEG", "quality": 95, "subsampling": 0},
    {"format": "JPEG", "quality": 90},
    {"format": "JPEG", "quality": 80},
)
_LOSSLESS: tuple[dict[str, Any], ...] = ({"format": "PNG", "compress_level": _PNG_LEVEL},)
# By a profile's colour space and the image's mode: the mode to go in with and to come out in.
_PROFILED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("RGB ", "RGB"): ("RGB", "RGB"),
    ("RGB ", "RGBA"): ("RGBA", "RGBA"),
    ("RGB ", "L"): ("RGB", "RGB"),
    ("GRAY", "L"): ("L", "RGB"),
    ("CMYK", "CMYK"): ("CMYK", "RGB"),
}


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
    """A picture as straight 8-bit sRGB RGBA, shape (height, width, 4), read-only."""

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
    turn it upright or to leave one frame of many: as PNG, or as JPEG where that is no loss.
    """
    bare = _strip(body)
    with _decoders():
        image = _load(bare)
        if bare.orientation == UPRIGHT and not bare.animated:
            content_type = CONTENT_TYPES[bare.format]
            return Taken(bare.body, content_type, image.width, image.height, bare.warnings)
        image = _upright(image, bare)
        clean, format_ = _encode(image, lossy=bare.lossy)
    return Taken(clean, CONTENT_TYPES[format_], image.width, image.height, bare.warnings)


def decode_rgba(body: bytes) -> Decoded:
    """The picture's pixels, upright, first frame only."""
    bare = _strip(body)
    with _decoders():
        warnings = list(bare.warnings)
        # in one line, so that each picture of 100 MB goes when the next one is there
        pixels = np.asarray(_upright(_to_srgb(_load(bare), warnings), bare))
    has_alpha = bool(pixels[..., 3].min() < 255)
    return Decoded(pixels, CONTENT_TYPES[bare.format], has_alpha, tuple(warnings))


def normalised_png(body: bytes) -> bytes:
    """The picture as an 8-bit sRGB PNG without metadata, with an alpha channel if it needs one."""
    decoded = decode_rgba(body)
    pixels = decoded.pixels if decoded.has_alpha else np.ascontiguousarray(decoded.pixels[..., :3])
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG", compress_level=_PNG_LEVEL)
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


def _encode(image: Image.Image, *, lossy: bool) -> tuple[bytes, Format]:
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    for options in _LOSSY if lossy and not image.has_transparency_data else _LOSSLESS:
        encoded = io.BytesIO()
        image.save(encoded, icc_profile=image.info.get("icc_profile"), **options)
        if encoded.tell() <= MAX_BODY_BYTES:
            return encoded.getvalue(), options["format"]
    raise ImageTooLarge


def _to_srgb(image: Image.Image, warnings: list[str]) -> Image.Image:
    """The image in mode RGBA. A profile that does not fit is left out, and `warnings` says so."""
    profile = image.info.get("icc_profile")
    image = _to_8_bit(image)
    if image.mode in {"1", "P", "LA"} or image.has_transparency_data:
        image = _in_mode("RGBA", image)
    if profile:
        image = _through_profile(image, profile, warnings)
    return _in_mode("RGBA", image)


def _in_mode(mode: str, image: Image.Image) -> Image.Image:
    """The image in that mode, and not a copy of 100 MB when it is in it already."""
    return image if image.mode == mode else image.convert(mode)


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
        mode, mode_after = _PROFILED[source.profile.xcolor_space, image.mode]
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return image  # the detour would move exact brand colours by one
        turned = ImageCms.profileToProfile(
            _in_mode(mode, image),
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode=mode_after,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, KeyError):
        warnings.append(PROFILE_IGNORED)
        return image
    return image if turned is None else turned
