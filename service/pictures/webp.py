"""Strip a WebP file down to the chunks that make its picture."""

from __future__ import annotations

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

# https://developers.google.com/speed/webp/docs/riff_container
_HEADER_BYTES = 12
_HAS_PROFILE, _HAS_ALPHA, _IS_ANIMATED = 0x20, 0x10, 0x02
_PICTURES = frozenset({b"VP8 ", b"VP8L"})
_KEPT_ONCE = _PICTURES | {b"VP8X", b"ICCP", b"ALPH", b"ANIM"}
_MAX_FRAMES = 1000


def is_webp(body: bytes) -> bool:
    return body[:4] == b"RIFF" and body[8:_HEADER_BYTES] == b"WEBP"


def strip(body: bytes) -> Bare:
    """The file without EXIF and XMP, and whatever follows its end."""
    kept: dict[bytes, bytes] = {}
    frames: list[bytes] = []
    warnings: list[str] = []
    exif = b""
    for kind, data in _chunks(body):
        if kind == b"ANMF":
            frames.append(data)
        elif kind == b"EXIF":
            exif = exif or data
        elif kind == b"ICCP" and len(data) > MAX_PROFILE_BYTES:
            warnings.append(PROFILE_IGNORED)
        elif kind in _KEPT_ONCE and not (kind in _PICTURES and kept.keys() & _PICTURES):
            kept.setdefault(kind, data)
    width, height = _size(kept)
    extended = kept.get(b"VP8X")
    animated = bool(extended and extended[0] & _IS_ANIMATED and frames)
    if animated:
        warnings.append(ONLY_FIRST_FRAME)
    if extended is not None:
        flags = extended[0] & (_HAS_ALPHA | _IS_ANIMATED) | (b"ICCP" in kept and _HAS_PROFILE)
        kept[b"VP8X"] = bytes((flags, *extended[1:10]))
    chunks = [*kept.items(), *((b"ANMF", frame) for frame in frames[:_MAX_FRAMES] if animated)]
    first_picture = frames[0][16:20] if animated else b"VP8L" * (b"VP8L" in kept)
    return Bare(
        _file(chunks),
        "WEBP",
        width,
        height,
        orientation_in(exif) if exif else UPRIGHT,
        lossy=first_picture != b"VP8L",
        animated=animated,
        warnings=tuple(warnings),
    )


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of each chunk of the file's declared length."""
    at = _HEADER_BYTES
    end = 8 + int.from_bytes(body[4:8], "little")
    if end > len(body):
        raise cut_short()
    while at + 8 <= end:
        kind = body[at : at + 4]
        data_end = at + 8 + int.from_bytes(body[at + 4 : at + 8], "little")
        if data_end > end:
            raise cut_short()
        yield kind, body[at + 8 : data_end]
        at = data_end + data_end % 2


def _size(chunks: dict[bytes, bytes]) -> tuple[int, int]:
    """Width and height, as the decoder will take them."""
    if (extended := chunks.get(b"VP8X", b"")) and len(extended) >= 10:
        return 1 + _little(extended[4:7]), 1 + _little(extended[7:10])
    if (lossless := chunks.get(b"VP8L", b""))[:1] == b"\x2f" and len(lossless) >= 5:
        bits = _little(lossless[1:5])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if (lossy := chunks.get(b"VP8 ", b""))[3:6] == b"\x9d\x01\x2a" and len(lossy) >= 10:
        return _little(lossy[6:8]) & 0x3FFF, _little(lossy[8:10]) & 0x3FFF
    raise ImageInvalid


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _file(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [b"WEBP"]
    for kind, data in chunks:
        parts += (kind, len(data).to_bytes(4, "little"), data, b"\x00" * (len(data) % 2))
    payload = b"".join(parts)
    return b"RIFF" + len(payload).to_bytes(4, "little") + payload
