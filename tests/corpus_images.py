"""Odd and hostile picture files, made here, each with what has to become of it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from service.intake import decode_rgba

Verdict = Literal["taken", "invalid", "too large"]
Case = tuple[str, Verdict, Callable[[], bytes]]

SECRET = b"47.3769N 8.5417E, taken at home by Jane Doe"
SIDE_PX = 48


def picture(mode: str = "RGB", width: int = SIDE_PX, height: int = 32) -> Image.Image:
    """A picture of which no turn looks like another: a ramp with a dark corner."""
    y, x = np.mgrid[0:height, 0:width]
    levels = np.stack((x * 255 // width, y * 255 // height, 200 + 0 * x), axis=-1).astype(np.uint8)
    levels[: height // 4, : width // 4] = (10, 20, 30)
    image = Image.fromarray(levels)
    if mode in {"RGBA", "LA"}:
        image.putalpha(Image.fromarray((x * 255 // width).astype(np.uint8)))
    return image.convert(mode)


def saved(image: Image.Image, format_: str, **options: Any) -> bytes:
    body = io.BytesIO()
    image.save(body, format_, **options)
    return body.getvalue()


def png(mode: str = "RGB", **options: Any) -> bytes:
    return saved(picture(mode), "PNG", **options)


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    return saved(picture(mode), "JPEG", quality=92, **options)


def webp(mode: str = "RGB", **options: Any) -> bytes:
    return saved(picture(mode), "WEBP", **{"lossless": True, **options})


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))


def raw_png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG made by hand; `rows` are filtered scanlines, `more` goes before the picture."""
    header = struct.pack("!IIBBBBB", width, height, depth, colour, 0, 0, 0)
    packed = zlib.compress(rows, 9)
    chunks = (chunk(b"IHDR", header), *more, chunk(b"IDAT", packed), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_16_bit(colour: int, *more: bytes) -> bytes:
    """Grey (0), RGB (2), grey with alpha (4) or RGBA (6); value 0x8040 everywhere."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    row = b"\x00" + b"\x80\x40" * channels * SIDE_PX
    return raw_png(SIDE_PX, 32, 16, colour, row * 32, *more)


def bilevel_png(width: int, height: int) -> bytes:
    return raw_png(width, height, 1, 0, (b"\x00" + b"\x00" * ((width + 7) // 8)) * height)


def interlaced_png() -> bytes:
    """A 16×16 grey of Adam7: seven passes, each an image of its own."""
    passes = ((2, 2), (2, 2), (4, 2), (4, 4), (8, 4), (8, 8), (16, 8))
    rows = b"".join((b"\x00" + b"\x7f" * width) * height for width, height in passes)
    progressive = raw_png(16, 16, 8, 0, rows)
    header = struct.pack("!IIBBBBB", 16, 16, 8, 0, 0, 0, 1)
    return progressive[:8] + chunk(b"IHDR", header) + progressive[33:]


def cut(make: Callable[[], bytes], fraction: float) -> bytes:
    """That much of the file, and never its last byte."""
    body = make()
    return body[: min(int(len(body) * fraction), len(body) - 1)]


def with_chunks(body: bytes, *chunks: bytes) -> bytes:
    """A PNG with these chunks behind its header."""
    return body[:33] + b"".join(chunks) + body[33:]


def bomb_text() -> bytes:
    """64 MB of text in 64 KB."""
    packed = zlib.compress(b"\x00" * (64 << 20), 9)
    return with_chunks(png(), chunk(b"zTXt", b"Comment\x00\x00" + packed))


def bomb_profile() -> bytes:
    packed = zlib.compress(b"\x00" * (64 << 20), 9)
    return with_chunks(png(), chunk(b"iCCP", b"huge\x00\x00" + packed))


def with_segment(body: bytes, marker: int, data: bytes) -> bytes:
    """A JPEG with this segment behind its beginning."""
    return body[:2] + bytes((0xFF, marker)) + struct.pack("!H", len(data) + 2) + data + body[2:]


def jpeg_declaring(width: int, height: int) -> bytes:
    body = jpeg()
    at = body.index(b"\xff\xc0")
    return body[: at + 5] + struct.pack("!HH", height, width) + body[at + 9 :]


def jpeg_of_many_scans(scans: int) -> bytes:
    """A progressive JPEG whose last scan is there again and again."""
    body = jpeg(progressive=True)
    last = body[body.rindex(b"\xff\xda") : -2]
    return body[:-2] + last * scans + body[-2:]


def jpeg_with_huge_profile() -> bytes:
    body = jpeg()
    for number in range(30, 0, -1):
        data = b"ICC_PROFILE\x00" + bytes((number, 30)) + b"\x00" * 65_000
        body = with_segment(body, 0xE2, data)
    return body


def jpeg_with_second_frame() -> bytes:
    body = jpeg()
    at = body.index(b"\xff\xc0")
    end = at + 2 + struct.unpack("!H", body[at + 2 : at + 4])[0]
    huge = body[at : at + 5] + struct.pack("!HH", 20_000, 20_000) + body[at + 9 : end]
    return body[:end] + huge + body[end:]


def webp_declaring(width: int, height: int) -> bytes:
    body = webp("RGBA", exif=exif_with_gps())
    at = body.index(b"VP8X") + 12
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return body[:at] + size + body[at + 6 :]


def lossless_webp_declaring(width: int, height: int) -> bytes:
    body = webp()
    at = body.index(b"VP8L") + 9
    bits = int.from_bytes(body[at : at + 4], "little") & ~0xFFFFFFF
    bits |= (width - 1) | (height - 1) << 14
    return body[:at] + bits.to_bytes(4, "little") + body[at + 4 :]


def animation(format_: str, frames: int = 5) -> bytes:
    images = [picture("RGBA").rotate(90 * n) for n in range(frames)]
    return saved(
        images[0], format_, save_all=True, append_images=images[1:], duration=100, lossless=True
    )


def exif_with_gps(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 37.0), 29: SECRET.decode()})
    return exif.tobytes()


def profile(kind: str) -> bytes:
    if kind == "sRGB":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def text() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", SECRET.decode())
    info.add_text("Location", SECRET.decode(), zip=True)
    info.add_itxt("XML:com.adobe.xmp", f"<x>{SECRET.decode()}</x>")
    return info


def photo_bytes(width: int, height: int) -> bytes:
    """Noise, which nothing compresses."""
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    return saved(Image.fromarray(noise), "PNG", compress_level=1)


def flat_webp(width: int, height: int) -> bytes:
    return saved(Image.new("RGB", (width, height), "tan"), "WEBP", quality=10, method=0)


def alpha_of(body: bytes) -> int:
    """The first pixel's alpha after all of the picture has been decoded."""
    return int(decode_rgba(body).pixels[0, 0, 3])


def palette_with_alphas() -> bytes:
    image = picture("RGB").quantize(16)
    return saved(image, "PNG", transparency=bytes(range(0, 256, 16)))


def _ordinary() -> Iterator[Case]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        yield f"PNG {mode}", "taken", partial(png, mode)
    for mode in ("L", "RGB", "CMYK"):
        yield f"JPEG {mode}", "taken", partial(jpeg, mode)
    for mode in ("RGB", "RGBA"):
        yield f"lossless WebP {mode}", "taken", partial(webp, mode)
        yield f"lossy WebP {mode}", "taken", partial(webp, mode, lossless=False)
    yield "progressive JPEG", "taken", lambda: jpeg(progressive=True)
    yield "JPEG with restarts", "taken", lambda: jpeg(restart_marker_blocks=1)
    for colour in (0, 2, 4, 6):
        yield f"16-bit PNG type {colour}", "taken", partial(png_16_bit, colour)
    yield "2-bit palette PNG", "taken", lambda: png("P", bits=2)
    yield "interlaced PNG", "taken", interlaced_png
    for orientation in range(1, 9):
        yield (
            f"JPEG of orientation {orientation}",
            "taken",
            partial(jpeg, exif=exif_with_gps(orientation)),
        )
    yield "PNG of orientation 6", "taken", lambda: png(exif=exif_with_gps(6))
    yield "WebP of orientation 8", "taken", lambda: webp(exif=exif_with_gps(8))
    yield "orientation out of range", "taken", lambda: jpeg(exif=exif_with_gps(99))
    yield "smallest side", "taken", lambda: saved(picture(width=16, height=16), "PNG")
    yield "longest side", "taken", lambda: bilevel_png(16_384, 16)
    yield "25 megapixels, one bit", "taken", lambda: bilevel_png(5000, 5000)
    yield "25 megapixels, WebP", "taken", lambda: flat_webp(5000, 5000)


def _transparent_and_coloured() -> Iterator[Case]:
    yield "palette with one transparent colour", "taken", lambda: png("P", transparency=3)
    yield "palette with many alphas", "taken", palette_with_alphas
    yield "grey with a transparent grey", "taken", lambda: png("L", transparency=200)
    yield "RGB with a transparent colour", "taken", lambda: png(transparency=(10, 20, 30))
    yield (
        "16-bit grey with a transparent grey",
        "taken",
        lambda: png_16_bit(0, chunk(b"tRNS", b"\x80\x40")),
    )
    yield "sRGB profile", "taken", lambda: png(icc_profile=profile("sRGB"))
    yield "profile of another space", "taken", lambda: jpeg(icc_profile=profile("LAB"))
    yield "profile that is none", "taken", lambda: jpeg(icc_profile=b"no profile" * 20)
    yield "RGB profile on CMYK", "taken", lambda: jpeg("CMYK", icc_profile=profile("sRGB"))
    yield "RGB profile on grey", "taken", lambda: png("L", icc_profile=profile("sRGB"))
    yield "huge profile in a JPEG", "taken", jpeg_with_huge_profile
    yield "profile bomb in a PNG", "taken", bomb_profile
    yield "text bomb in a PNG", "taken", bomb_text
    yield (
        "many text chunks",
        "taken",
        lambda: with_chunks(png(), *[chunk(b"tEXt", b"k\x00v")] * 100_000),
    )
    yield "animated PNG", "taken", lambda: animation("PNG")
    yield "animated WebP", "taken", lambda: animation("WEBP")
    yield "garbage behind a PNG", "taken", lambda: png() + SECRET * 100
    yield "garbage behind a JPEG", "taken", lambda: jpeg() + SECRET * 100
    yield "garbage behind a WebP", "taken", lambda: webp() + SECRET * 100
    yield "ZIP behind a JPEG", "taken", lambda: jpeg() + b"PK\x05\x06" + b"\x00" * 18
    yield "script behind a PNG", "taken", lambda: png() + b"<script>alert(1)</script>"


def _not_pictures() -> Iterator[Case]:
    yield "empty", "invalid", lambda: b""
    yield "one byte", "invalid", lambda: b"\x89"
    yield "nothing but zeros", "invalid", lambda: b"\x00" * 4096
    yield "SVG", "invalid", lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="9"/>'
    yield "SVG entity bomb", "invalid", lambda: b'<!DOCTYPE s [<!ENTITY a "aaa">]><svg>&a;</svg>'
    yield "HTML", "invalid", lambda: b"<!doctype html><script>alert(1)</script>"
    yield "HTML before a PNG", "invalid", lambda: b"<html>" + png()
    yield "PDF", "invalid", lambda: b"%PDF-1.7\n1 0 obj<</JS(1)>>endobj"
    yield "PostScript", "invalid", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    for format_ in ("GIF", "BMP", "TIFF", "TGA", "PPM", "ICO", "JPEG2000", "AVIF"):
        yield f"{format_} named .png", "invalid", partial(saved, picture(), format_)
    yield "animated GIF", "invalid", lambda: animation("GIF")
    yield "Photoshop header", "invalid", lambda: b"8BPS\x00\x01" + b"\x00" * 200
    yield "PNG signature alone", "invalid", lambda: b"\x89PNG\r\n\x1a\n"
    yield "JPEG signature alone", "invalid", lambda: b"\xff\xd8\xff"
    yield "WebP header alone", "invalid", lambda: b"RIFF\x04\x00\x00\x00WEBP"
    yield "WAVE in RIFF", "invalid", lambda: b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 28
    yield "JPEG of fill bytes", "invalid", lambda: b"\xff\xd8" + b"\xff" * 2_000_000
    yield "JPEG of stuffed bytes", "invalid", lambda: jpeg()[:-2] + b"\xff\x00" * 2_000_000


def _damaged() -> Iterator[Case]:
    for name, make in (("PNG", png), ("JPEG", jpeg), ("WebP", webp)):
        yield f"half a {name}", "invalid", partial(cut, make, 0.5)
        yield f"{name} short of its last byte", "invalid", partial(cut, make, 1)
    yield "PNG with a wrong checksum", "invalid", lambda: png()[:-20] + b"\x00" * 4 + png()[-16:]
    yield "PNG without picture data", "invalid", lambda: png()[:33] + chunk(b"IEND", b"")
    yield "PNG that ends early but well", "taken", lambda: raw_png(48, 32, 8, 0, b"\0" * 49 * 16)
    yield "JPEG that ends early but well", "taken", lambda: jpeg()[:-200] + b"\xff\xd9"
    yield "PNG with an unknown filter", "invalid", lambda: raw_png(48, 32, 8, 0, b"\x09" * 49 * 32)
    yield "PNG of a palette without one", "invalid", lambda: raw_png(48, 32, 8, 9, b"\0" * 49 * 32)
    yield "PNG chunk as long as 4 GB", "invalid", lambda: png()[:33] + b"\xff" * 4 + png()[37:]
    yield (
        "PNG with an unknown critical chunk",
        "invalid",
        lambda: with_chunks(png(), chunk(b"CgBI", b"\x50\x00\x20\x02")),
    )
    yield "JPEG with bytes between its segments", "invalid", lambda: jpeg()[:2] + b"x" + jpeg()[2:]
    yield "JPEG without a picture", "invalid", lambda: b"\xff\xd8\xff\xd9"
    yield "JPEG of a lossless kind", "invalid", lambda: jpeg().replace(b"\xff\xc0", b"\xff\xc3")
    yield "WebP of random data", "invalid", lambda: webp()[:25] + bytes(range(200)) * 4
    yield (
        "WebP with an empty picture",
        "invalid",
        lambda: b"RIFF\x0c\x00\x00\x00WEBPVP8L\x00\x00\x00\x00",
    )


def _of_the_wrong_size() -> Iterator[Case]:
    yield "1×1", "invalid", lambda: saved(picture(width=1, height=1), "PNG")
    yield "3×2000", "invalid", lambda: saved(picture(width=3, height=2000), "PNG")
    yield "2000×15", "invalid", lambda: saved(picture(width=2000, height=15), "JPEG")
    yield "0×0", "invalid", lambda: raw_png(0, 0, 8, 0, b"")
    yield "JPEG of height 0", "invalid", lambda: jpeg_declaring(48, 0)
    yield "400 megapixels in a PNG", "too large", lambda: bilevel_png(20_000, 20_000)
    yield "400 megapixels in a JPEG", "too large", lambda: jpeg_declaring(20_000, 20_000)
    yield "268 megapixels in a WebP", "too large", lambda: lossless_webp_declaring(16_383, 16_383)
    yield "a canvas of 281 terapixels", "too large", lambda: webp_declaring(1 << 24, 1 << 24)
    yield "2³¹ a side", "too large", lambda: raw_png(2**31 - 1, 2**31 - 1, 8, 6, b"")
    yield "just over 25 megapixels", "too large", lambda: bilevel_png(5001, 5000)
    yield "a side too long", "too large", lambda: bilevel_png(16_385, 16)
    yield (
        "a second header with another size",
        "invalid",
        lambda: with_chunks(png(), bilevel_png(20_000, 20_000)[8:33]),
    )
    yield "a second frame with another size", "invalid", jpeg_with_second_frame
    yield "a canvas that its picture does not fill", "invalid", lambda: webp_declaring(3000, 3000)
    yield "scans by the thousand", "invalid", lambda: jpeg_of_many_scans(5000)
    yield "over 10 MB", "too large", lambda: photo_bytes(2000, 2000)
    yield "over 10 MB of garbage", "too large", lambda: b"\x00" * (10 * 1024 * 1024 + 1)


CASES: tuple[Case, ...] = (
    *_ordinary(),
    *_transparent_and_coloured(),
    *_not_pictures(),
    *_damaged(),
    *_of_the_wrong_size(),
)
