"""The view of stored image files, for file storage."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200

from service.api.keys import FILE_IMAGES
from service.api.view import View

CACHE = "private, max-age=1800, immutable"


class ImageFile(View):
    """One image under its signed address."""

    async def get(self, key: str, /, exp: str = "", sig: str = "") -> r200:
        """Show an image; the address is signed and expires.

        Status Codes:
            200: The image
        """
        images = self.request.app[FILE_IMAGES]
        images.verify(key, exp, sig)
        return web.Response()


ROUTES = (web.view("/images/{key:.+}", ImageFile),)
