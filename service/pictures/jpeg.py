"""Strip a JPEG file down to the segments that make its picture."""

from __future__ import annotations

from collections.abc import Iterator

from service.pictures.container import (
    MAX_PROFILE_BYTES,
    PROFILE_IGNORED,
    UPRIGHT,
    Bare,
    ImageInvalid,
    cut_short,
    orientation_in,
)

SIGNATURE = b"\xff\xd8\xff"
# https://www.w3.org/Graphics/JPEG/itu-t81.pdf (table B.1)
_BEGIN, _END = b"\xff\xd8", b"\xff\xd9"
_EOI, _SOS, _APP0, _APP1, _APP2, _APP14 = 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive: what browsers show
_OTHER_FRAMES = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TABLES = frozenset({0xC4, 0xDB, 0xDD})  # Huffman, quantisation, restart interval
_MAX_SCANS = 100  # a progressive file has about ten; each of thousands would be decoded in full
_JFIF_BYTES = 14  # the header's data without the thumbnail that may follow
_PROFILE = b"ICC_PROFILE\x00"


def strip(body: bytes) -> Bare:
    """The file without EXIF, XMP, comments, thumbnails, and whatever follows its end."""
    jfif = exif = b""
    profile: list[bytes] = []
    frames: list[bytes] = []
    picture: list[bytes] = []
    scans = 0
    for marker, data, segment in _segments(body):
        if marker == _APP0 and data.startswith(b"JFIF\x00") and len(data) >= _JFIF_BYTES:
            jfif = _without_thumbnail(data)
        elif marker == _APP1 and data.startswith(b"Exif\x00\x00"):
            exif = exif or data
        elif marker == _APP2 and data.startswith(_PROFILE):
            profile.append(segment)
        elif _makes_picture(marker, data):
            picture.append(segment)
            frames += [data] if marker in _FRAMES else []
            scans += marker == _SOS
    if len(frames) != 1 or len(frames[0]) < 6 or not 0 < scans <= _MAX_SCANS:
        raise ImageInvalid
    too_large = sum(map(len, profile)) > MAX_PROFILE_BYTES
    return Bare(
        b"".join((_BEGIN, jfif, *(() if too_large else profile), *picture, _END)),
        "JPEG",
        width=int.from_bytes(frames[0][3:5]),
        height=int.from_bytes(frames[0][1:3]),
        orientation=orientation_in(exif) if exif else UPRIGHT,
        lossy=True,
        warnings=(PROFILE_IGNORED,) if too_large else (),
    )


def _makes_picture(marker: int, data: bytes) -> bool:
    if marker in _OTHER_FRAMES:
        raise ImageInvalid("This kind of JPEG is not supported; save it as an ordinary one.")
    is_adobe = marker == _APP14 and data.startswith(b"Adobe")  # says how CMYK is meant
    return is_adobe or marker == _SOS or marker in _FRAMES or marker in _TABLES


def _without_thumbnail(jfif: bytes) -> bytes:
    data = jfif[: _JFIF_BYTES - 2] + b"\x00\x00"
    return bytes((0xFF, _APP0)) + (len(data) + 2).to_bytes(2) + data


def _segments(body: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Marker, data and the whole of each segment up to the end of the image.

    The whole of a scan includes the coded picture that follows its header.
    """
    at = 2
    while True:
        while body[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if len(body) < at + 2 or body[at] != 0xFF:
            raise cut_short()
        marker = body[at + 1]
        if marker == _EOI:
            return
        data_end = at + 2 + int.from_bytes(body[at + 2 : at + 4])
        if not at + 4 <= data_end <= len(body):
            raise cut_short()
        end = _end_of_scan(body, data_end) if marker == _SOS else data_end
        yield marker, body[at + 4 : data_end], body[at:end]
        at = end


def _end_of_scan(body: bytes, at: int) -> int:
    """Where the next marker stands that is not part of the coded picture."""
    while True:
        at = body.find(b"\xff", at)
        if at < 0 or at + 1 >= len(body):
            raise cut_short()
        following = body[at + 1]
        if following == 0xFF:
            at += 1
        elif following == 0x00 or 0xD0 <= following <= 0xD7:  # a stuffed byte, a restart
            at += 2
        else:
            return at
