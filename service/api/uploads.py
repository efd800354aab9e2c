"""Read an uploaded image and what accompanies it, in any order and never more than allowed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import ValidationError

from service.api.errors import (
    BodyTooSlow,
    MultipartRequired,
    PayloadTooLarge,
    RequestInvalid,
    invalid_from,
)
from service.api.schemas import DescriptionsIn
from service.intake import MAX_BODY_BYTES, ImageTooLarge

MAX_FIELD_BYTES = 16 * 1024
MAX_PARTS = 16
# ten megabytes over a mobile line of 1 Mbit/s take 80 s
UPLOAD_S = 120.0
CHUNK_BYTES = 64 * 1024
# what aiohttp's reader raises when boundaries, headers or encodings of parts are wrong
_BROKEN = (
    ValueError,
    AssertionError,
    RuntimeError,
    web.RequestPayloadError,
    HttpProcessingError,
)
_FIELDS = ("logo_description", "theme_description")


@dataclass(frozen=True, slots=True)
class Upload:
    """An image file as it came, with its descriptions."""

    image: bytes
    descriptions: DescriptionsIn


async def read_upload(request: web.Request) -> Upload:
    """The parts of a multipart body. Raises `MultipartRequired`, `ImageTooLarge`,
    `PayloadTooLarge`, `BodyTooSlow` and `RequestInvalid`.
    """
    if request.content_type != "multipart/form-data":
        raise MultipartRequired
    if (request.content_length or 0) > MAX_BODY_BYTES + MAX_PARTS * MAX_FIELD_BYTES:
        raise ImageTooLarge
    try:
        async with asyncio.timeout(UPLOAD_S):
            image, fields = await _read_parts(request)
    except TimeoutError as error:
        raise BodyTooSlow from error
    except _BROKEN as error:
        raise RequestInvalid([([], "is not well-formed multipart/form-data")]) from error
    if not image:
        raise RequestInvalid([(["image"], "a file is required")])
    try:
        return Upload(image, DescriptionsIn.model_validate(fields))
    except ValidationError as error:
        raise invalid_from(error) from error


async def _read_parts(request: web.Request) -> tuple[bytes, dict[str, str]]:
    image = b""
    fields: dict[str, str] = {}
    reader = await request.multipart()
    for _ in range(MAX_PARTS):
        part = await reader.next()
        if part is None:
            return image, fields
        if not isinstance(part, BodyPartReader):
            raise ValueError("nested multipart")  # noqa: TRY004 - the sender's mistake, not a type's
        if part.name == "image":
            image = await _read(part, MAX_BODY_BYTES, ImageTooLarge)
        elif part.name in _FIELDS:
            fields[part.name] = (await _read(part, MAX_FIELD_BYTES, PayloadTooLarge)).decode()
        else:
            await _read(part, MAX_FIELD_BYTES, PayloadTooLarge)
    raise PayloadTooLarge


async def _read(part: BodyPartReader, most: int, too_large: type[Exception]) -> bytes:
    body = bytearray()
    while chunk := await part.read_chunk(CHUNK_BYTES):
        body += chunk
        if len(body) > most:
            raise too_large
    return bytes(body)
