"""What is known of a picture file before anything is decoded, and what is refused by it alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 25_000_000
MIN_SIDE_PX = 16
MAX_SIDE_PX = 16_384
MAX_PROFILE_BYTES = 1024 * 1024
UPRIGHT = 1
# https://www.w3.org/TR/exif/ (tag 0x0112)
ORIENTATION_TAG = 0x0112

ONLY_FIRST_FRAME = "Only the first frame of the animation is used."
PROFILE_IGNORED = "The image's colour profile cannot be used and was left out."

Format = Literal["PNG", "JPEG", "WEBP"]
CONTENT_TYPES: dict[Format, str] = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
}


class ImageInvalid(Exception):
    """The file is not a PNG, JPEG or WebP image that can be read."""


class ImageTooLarge(Exception):
    """The image is too large: up to 10 MB and 25 megapixels are possible."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A picture file with nothing in it but the picture and what its colours mean.

    `body` is decoded to the same pixels as before, `width` and `height` are as declared in it,
    and `orientation` is what its EXIF data said, 1–8, and says no more. With `animated` the body
    still holds all frames. `lossy` tells how the picture is coded.
    """

    body: bytes
    format: Format
    width: int
    height: int
    orientation: int
    lossy: bool
    animated: bool = False
    warnings: tuple[str, ...] = ()


def check_size(width: int, height: int) -> None:
    """Refuse a declared size before a byte of it is decoded."""
    if min(width, height) < MIN_SIDE_PX:
        raise ImageInvalid(f"The image is smaller than {MIN_SIDE_PX} × {MIN_SIDE_PX} pixels.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE_PX:
        raise ImageTooLarge(
            f"The image has more than {MAX_PIXELS // 1_000_000} megapixels"
            f" or a side of more than {MAX_SIDE_PX:,} pixels."
        )


def cut_short() -> ImageInvalid:
    """The refusal of a file that ends before its picture does."""
    return ImageInvalid("The image file is damaged or was cut short.")


def orientation_in(exif: bytes) -> int:
    """The orientation that EXIF data tell, 1–8; 1 for whatever cannot be made out."""
    tiff = exif.removeprefix(b"Exif\x00\x00")
    match tiff[:4]:
        case b"II*\x00":
            order: Literal["little", "big"] = "little"
        case b"MM\x00*":
            order = "big"
        case _:
            return UPRIGHT
    start = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[start : start + 2], order)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        if int.from_bytes(tiff[entry : entry + 2], order) == ORIENTATION_TAG:
            orientation = int.from_bytes(tiff[entry + 8 : entry + 10], order)
            return orientation if 1 <= orientation <= 8 else UPRIGHT
    return UPRIGHT
