"""The headers that every answer has, whatever view gave it; called when headers are sent."""

from __future__ import annotations

from aiohttp import web

from service.api.keys import REQUEST_ID

# Where a view says nothing else: an answer is for who asked, is not kept, shows nothing as a page
# and is embedded nowhere. https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html
DEFAULTS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
HSTS = "max-age=31536000"


class CommonHeaders:
    """Gives every response, streams included, its request id and what keeps browsers careful.

    `is_public_https` is whether clients reach the service by https.
    """

    def __init__(self, *, is_public_https: bool) -> None:
        self._is_public_https = is_public_https

    async def add(self, request: web.Request, response: web.StreamResponse) -> None:
        """To be called when a response is prepared."""
        headers = response.headers
        if REQUEST_ID in request:
            headers["X-Request-ID"] = request[REQUEST_ID]
        headers["X-Content-Type-Options"] = "nosniff"
        for name, value in DEFAULTS.items():
            headers.setdefault(name, value)
        if self._is_public_https:
            headers["Strict-Transport-Security"] = HSTS
        # names aiohttp, Python and their versions, which is nobody's business
        headers.pop("Server", None)
