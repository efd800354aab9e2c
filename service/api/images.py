"""The view of stored image files, for file storage."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200

from service.api.keys import FILE_IMAGES
from service.api.view import View

_CONTENT_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}


class ImageFile(View):
    """One image under its signed address."""

    is_open = True

    async def get(self, key: str, /, exp: str = "", sig: str = "") -> r200:
        """Show an image; the address is signed and expires.

        Status Codes:
            200: The image
            304: It is the one that `If-None-Match` names
            404: The address is not one of ours, or has expired
        """
        images = self.request.app[FILE_IMAGES]
        left_s = images.verify(key, exp, sig)
        path = await images.path_of(key)
        response = web.FileResponse(path)
        response.content_type = _CONTENT_TYPES.get(path.suffix, "application/octet-stream")
        # a key never changes its content, and a copy must not outlive its address
        response.headers["Cache-Control"] = f"private, max-age={left_s}, immutable"
        # whoever has the address may show the image, on whatever page
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        # opened by itself it stays a picture, whatever the bytes say
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response


ROUTES = (web.view("/images/{key:.+}", ImageFile),)
