"""Let only small, well-formed JSON through to the views that take a body."""

from __future__ import annotations

import asyncio
from json import JSONDecoder
from typing import NoReturn

from aiohttp import web

from service.api.errors import (
    BodyTooSlow,
    MalformedJson,
    PayloadTooLarge,
    RequestInvalid,
    UnsupportedMediaType,
)

MAX_JSON_BYTES = 64 * 1024
JSON_BODY_S = 20.0


async def read_json(request: web.Request) -> None:
    """Read the body, which the request then keeps, and see that it is a JSON object in UTF-8.

    The reader of the views themselves would answer a wrong encoding, deep nesting or a huge number
    with a 500. Raises `PayloadTooLarge`, `UnsupportedMediaType`, `MalformedJson`, `RequestInvalid`
    and `BodyTooSlow`.
    """
    if (request.content_length or 0) > MAX_JSON_BYTES:
        raise PayloadTooLarge
    is_json = request.content_type == "application/json" and (
        (request.charset or "utf-8").lower() in ("utf-8", "utf8")
    )
    try:
        # where all of it is there already, there is nothing to wait for
        if request.content.is_eof():
            body = await request.read()
        else:
            async with asyncio.timeout(JSON_BODY_S):
                body = await request.read()
    except TimeoutError as error:
        raise BodyTooSlow from error
    except web.RequestPayloadError as error:
        raise (MalformedJson if is_json else UnsupportedMediaType) from error
    # only now: how large a body is that does not say so is known when it has been read
    if not is_json:
        raise UnsupportedMediaType
    if not isinstance(_parse(body), dict):
        raise RequestInvalid([([], "must be a JSON object")])


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_JSON = JSONDecoder(parse_constant=_refuse_constant)


def _parse(body: bytes) -> object:
    try:
        return _JSON.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedJson from error
