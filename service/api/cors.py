"""Let pages of other origins use the API and its images, as far as the settings allow it.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

ANY = "*"
MAX_AGE_S = 7_200
SHARED = ("/api/", "/images/", "/openapi.json", "/problems/")
METHODS = "GET, HEAD, POST, DELETE"
TAKEN = ", ".join(
    (
        *("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID"),
        *("Prefer", "X-Request-ID", "traceparent", "tracestate"),
    )
)
EXPOSED = ", ".join(
    (
        *("Allow", "ETag", "Link", "Location", "Preference-Applied", "Retry-After"),
        *("RateLimit", "RateLimit-Policy", "WWW-Authenticate", "X-Request-ID"),
        *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Period"),
    )
)


class Cors:
    """Lets the pages of these origins read what is shared, or those of all: `*`.

    Credentials stay out: tokens are sent by the page and never by the browser itself.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origins)

    @web.middleware
    async def answer_preflight(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a browser that asks what it may send, which it does without a token.

        The same for every address: whether it exists is for the request itself to learn.
        """
        is_preflight = (
            request.method == hdrs.METH_OPTIONS
            and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        )
        if not is_preflight or self._allowed(request) is None:
            return await handler(request)
        return web.Response(
            status=204,
            headers={
                hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
                hdrs.ACCESS_CONTROL_ALLOW_HEADERS: TAKEN,
                hdrs.ACCESS_CONTROL_MAX_AGE: str(MAX_AGE_S),
            },
        )

    async def add(self, request: web.Request, response: web.StreamResponse) -> None:
        """Say who may read a response; to be called when it is prepared, errors included."""
        if not request.path.startswith(SHARED):
            return
        if ANY not in self._origins:
            # also where nobody is named, for a cache may keep that answer for another origin
            response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        allowed = self._allowed(request)
        if allowed is not None:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = allowed
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED

    def _allowed(self, request: web.Request) -> str | None:
        """Who may read the answer; None for nobody but the service's own pages."""
        if not request.path.startswith(SHARED):
            return None
        if ANY in self._origins:
            return ANY
        origin = request.headers.get(hdrs.ORIGIN, "")
        return origin if origin in self._origins else None
