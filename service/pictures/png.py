"""Strip a PNG file down to the chunks that make its picture."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from service.pictures.container import (
    MAX_PROFILE_BYTES,
    ONLY_FIRST_FRAME,
    PROFILE_IGNORED,
    UPRIGHT,
    Bare,
    ImageInvalid,
    cut_short,
    orientation_in,
)

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# https://www.w3.org/TR/png-3/#11Chunks
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_COLOURS = frozenset({b"tRNS", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"iCCP", b"pHYs"})


def strip(body: bytes) -> Bare:
    """The file without text, EXIF, times, later frames, and whatever follows its end."""
    kept = [SIGNATURE]
    warnings: list[str] = []
    orientation = UPRIGHT
    header = b""
    for kind, data, chunk in _chunks(body):
        if (kind == b"IHDR") is bool(header):  # the first, and once: a second declares a new size
            raise cut_short()
        if kind == b"IHDR":
            header = data
        elif kind == b"eXIf":
            orientation = orientation_in(data)
        elif kind == b"acTL":
            warnings.append(ONLY_FIRST_FRAME)
        if kind == b"iCCP" and not _is_usable_profile(data):
            warnings.append(PROFILE_IGNORED)
        elif kind in _CRITICAL or kind in _COLOURS:
            kept.append(chunk)
        elif not kind[0] & 0x20:  # critical, and nothing that a decoder must know
            raise ImageInvalid
    return Bare(
        b"".join(kept),
        "PNG",
        int.from_bytes(header[:4]),
        int.from_bytes(header[4:8]),
        orientation,
        lossy=False,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Kind, data and the whole of each chunk up to IEND."""
    at = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        data_bytes = int.from_bytes(body[at : at + 4])
        kind = body[at + 4 : at + 8]
        end = at + 12 + data_bytes
        if end > len(body) or len(kind) < 4:
            raise cut_short()
        yield kind, body[at + 8 : end - 4], body[at:end]
        at = end


def _is_usable_profile(data: bytes) -> bool:
    """Whether a compressed profile unpacks, and to a reasonable size."""
    _, _, method_and_packed = data.partition(b"\x00")
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(method_and_packed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return False
    return unpacker.eof
