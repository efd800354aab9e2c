"""What happens around every view: a request id, a log line, errors as problems, who asks, and
whether a JSON body can be trusted to be JSON."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any
from uuid import uuid4

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from structlog.contextvars import bound_contextvars

from service.api.errors import (
    BodyTooSlow,
    MalformedJson,
    PayloadTooLarge,
    RequestInvalid,
    UnsupportedMediaType,
    internal_error,
    problem_for,
)
from service.api.keys import AUTHENTICATOR, METRICS, REQUEST_ID, USER_ID

log = structlog.get_logger()

MAX_JSON_BYTES = 64 * 1024
JSON_BODY_S = 20.0
OPEN_PATHS = frozenset({"/api/auth/guest"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, log its outcome, and answer every failure with a problem."""
    given = request.headers.get("X-Request-ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    request[REQUEST_ID] = request_id
    begin_s = time.perf_counter()
    with bound_contextvars(request_id=request_id):
        response = await _respond(request, handler, request_id)
        took_s = time.perf_counter() - begin_s
        route = route_of(request) or "unknown"
        method = method_of(request, other="other")
        request.app[METRICS].requests.labels(method, route, response.status).observe(took_s)
        log.info(
            "request",
            method=request.method,
            route=route,
            status=response.status,
            ms=round(took_s * 1000, 1),
        )
    return response


async def _respond(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    try:
        response = await handler(request)
    except Exception as error:
        answer = problem_for(error, request_id)
        if answer is None:
            log.exception("request_broke")
            answer = internal_error(request_id)
        response = answer
    return response


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks, for every known address under /api."""
    is_known = request.match_info.http_exception is None
    if is_known and request.path.startswith("/api/") and request.path not in OPEN_PATHS:
        request[USER_ID] = await request.app[AUTHENTICATOR].user_of(
            request.headers.get("Authorization")
        )
    return await handler(request)


@web.middleware
async def check_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let only small, well-formed UTF-8 JSON through to views that take a body.

    The views' own reader would answer a wrong encoding, deep nesting or a huge number with a 500.
    """
    takes_json = getattr(request.match_info.handler, "takes_json", False)
    if takes_json and request.method == "POST":
        if (request.content_length or 0) > MAX_JSON_BYTES:
            raise PayloadTooLarge
        is_json = request.content_type == "application/json" and (
            (request.charset or "utf-8").lower() in ("utf-8", "utf8")
        )
        try:
            # where all of it is there already, there is nothing to wait for
            async with asyncio.timeout(None if request.content.is_eof() else JSON_BODY_S):
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
    return await handler(request)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedJson from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def method_of(request: web.Request, *, other: str) -> str:
    """The method if it is one of HTTP's; a client may make up any number of others."""
    return request.method if request.method in hdrs.METH_ALL else other


def route_of(request: web.Request) -> str | None:
    """The path's pattern, which unlike the path holds no id, key or signature."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else None
