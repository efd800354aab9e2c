"""Follow each request that is answered, by its method and route."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from service.api.keys import TRACING
from service.api.middlewares import method_of, route_of

# platforms ask these all the time, and nobody follows that
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


@web.middleware
async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer inside a span. It tells no query: queries hold signatures and cursors."""
    if request.path in PROBES:
        return await handler(request)
    tracing = request.app[TRACING]
    method, route = method_of(request, other="_OTHER"), route_of(request)
    about = {
        "http.request.method": method,
        "url.path": request.path,
        "url.scheme": request.scheme,
        "network.protocol.version": f"{request.version.major}.{request.version.minor}",
    }
    if route is not None:
        about["http.route"] = route
    name = "HTTP" if method == "_OTHER" else method
    with tracing.serving(name, route, request.headers, about):
        response = await handler(request)
        tracing.note({"http.response.status_code": response.status})
        if response.status >= 500:
            tracing.fail(str(response.status))
        return response
