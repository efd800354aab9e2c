"""Serve the studio: the page at `/` and its files, under headers that let nothing else in."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from service.api.errors import NotFound
from service.settings import Settings
from storage.images.gcs import url_prefix_of

FOLDER = Path(__file__).parents[1] / "studio"
PAGE = "index.html"
GZIP_LEVEL = 9

# The service sends only what is listed here; mimetypes would depend on the machine.
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_PACKED_ALREADY = frozenset({".png", ".woff2"})


@dataclass(frozen=True, slots=True)
class StudioFile:
    """One file as it is sent. `packed` is its gzip, None where that would gain nothing."""

    body: bytes
    packed: bytes | None
    content_type: str
    etag: str


class Studio:
    """The page and its files, read once: they are few, small and the same for everyone."""

    def __init__(self, files: dict[str, StudioFile], policy: str) -> None:
        self._files = files
        self._headers = {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            # asked again each time, and answered 304: a new version shows at once
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
        }

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Show the studio."""
        return self._answer(request, PAGE)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Send one of the studio's files."""
        return self._answer(request, request.match_info["path"])

    def routes(self) -> list[web.RouteDef]:
        """Where it is served."""
        return [web.get("/", self.page), web.get("/studio/{path:.+}", self.file)]

    def _answer(self, request: web.Request, path: str) -> web.StreamResponse:
        file = self._files.get(path)
        if file is None:
            raise NotFound
        headers = {**self._headers, hdrs.ETAG: f'W/"{file.etag}"'}
        if any(tag.value in (file.etag, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        headers[hdrs.CONTENT_TYPE] = file.content_type
        body = file.body
        if file.packed is not None and _takes_gzip(request):
            body = file.packed
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=body, headers=headers)


def read_studio(settings: Settings, folder: Path = FOLDER) -> Studio:
    """Everything in the folder whose kind is known."""
    files = {
        path.relative_to(folder).as_posix(): _read(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in CONTENT_TYPES
    }
    return Studio(files, content_security_policy(settings))


def content_security_policy(settings: Settings) -> str:
    """What the page may load: its own files, and images from where the service keeps them."""
    images = ["'self'", "blob:", *_image_origins(settings)]
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            f"img-src {' '.join(images)}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


def _image_origins(settings: Settings) -> list[str]:
    origins = [_origin(settings.public_url)]
    if settings.storage_url != "file:":
        bucket, _, prefix = settings.storage_url.removeprefix("gs://").partition("/")
        stored_at = url_prefix_of(
            bucket,
            prefix,
            api_root=settings.storage_emulator_host,
            cdn_prefix=settings.storage_cdn_url,
        )
        origins.append(_origin(stored_at))
    # without a scheme: a page on https loads them only over https
    return [*origins, *settings.image_hosts]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _read(path: Path) -> StudioFile:
    body = path.read_bytes()
    packed = None
    if path.suffix not in _PACKED_ALREADY:
        packed = gzip.compress(body, GZIP_LEVEL, mtime=0)
    etag = hashlib.sha256(body).hexdigest()[:16]
    return StudioFile(body, packed, CONTENT_TYPES[path.suffix], etag)


def _takes_gzip(request: web.Request) -> bool:
    """Whether `Accept-Encoding` names gzip without refusing it (`;q=0`)."""
    for item in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower().split(","):
        coding, _, weight = item.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
