"""What all dialects share: JSON with a marker in its headers, and a strict look at pictures."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from aiohttp import web

from tests.engines.hosted.pictures import opened
from tests.engines.hosted.stub import TOLD


def said(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer with a marker in its headers."""
    return web.json_response(data, status=status, headers={**TOLD, **(headers or {})})


async def json_in(request: web.Request) -> Any:
    """The JSON of a request, which has to say that it is JSON."""
    assert request.content_type == "application/json"
    return await request.json()


@cache
def checked(png: bytes) -> bytes:
    """The picture, which must be a PNG that can be read."""
    with opened(png) as image:
        image.load()
        assert image.format == "PNG"
    return png


def from_data_url(url: str) -> bytes:
    """The picture in a data URL."""
    head, _, content = url.partition(",")
    assert head == "data:image/png;base64"
    return checked(base64.b64decode(content, validate=True))
