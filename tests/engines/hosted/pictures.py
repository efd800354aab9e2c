"""The files that go to the stub and come back from it, honest ones and others."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import numpy as np
from PIL import Image

from tests.samples.logos import coffee


def png_of(image: Image.Image) -> bytes:
    """The image as a PNG."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def opened(body: bytes) -> Image.Image:
    """The image of a file that is known to be good."""
    return Image.open(io.BytesIO(body))


@cache
def a_logo(width: int = 240, height: int = 160, *, transparent: bool = False) -> bytes:
    """A logo on cream, or on nothing."""
    logo = coffee(256)
    picture = Image.fromarray((logo.on(None) if transparent else logo).render())
    return png_of(picture.crop((8, 30, 248, 190)).resize((width, height)))


@cache
def redrawn(png: bytes, *, keep_alpha: bool, size: tuple[int, int] | None = None) -> bytes:
    """What a model might make of the picture: other colours, the same shapes."""
    picture = opened(png).convert("RGBA")
    pixels = np.array(picture)
    drawn = pixels[..., :3].astype(np.int16)
    edge = np.median(np.concatenate([drawn[0], drawn[-1]]), axis=0)
    is_artwork = np.abs(drawn - edge).max(axis=2) > 40
    drawn[is_artwork] = drawn[is_artwork][:, [2, 0, 1]]
    pixels[..., :3] = drawn.astype(np.uint8)
    result = Image.fromarray(pixels)
    result = result if keep_alpha else result.convert("RGB")
    return png_of(result.resize(size) if size else result)


def a_bomb() -> bytes:
    """A PNG of a few kilobytes that declares 900 megapixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 6, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
