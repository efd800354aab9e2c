"""What happens around every request: an id, a log line, and errors as problems."""

from __future__ import annotations

import re
import time
from secrets import token_hex

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from structlog.contextvars import bind_contextvars

from service.api.errors import internal_error, problem_for
from service.api.keys import METRICS, REQUEST_ID

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, log its outcome, and answer every failure with a problem."""
    given = request.headers.get("X-Request-ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else token_hex(16)
    request[REQUEST_ID] = request_id
    begin_s = time.perf_counter()
    # the next request of this connection binds its own, and nothing is logged in between
    bind_contextvars(request_id=request_id)
    response = await _respond(request, handler, request_id)
    took_s = time.perf_counter() - begin_s
    route = route_of(request) or "unknown"
    method = method_of(request, other="other")
    request.app[METRICS].request_answered(method, route, response.status, took_s)
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


def method_of(request: web.Request, *, other: str) -> str:
    """The method if it is one of HTTP's; a client may make up any number of others."""
    return request.method if request.method in hdrs.METH_ALL else other


def route_of(request: web.Request) -> str | None:
    """The path's pattern, which unlike the path holds no id, key or signature."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else None
