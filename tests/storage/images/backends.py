"""Every backend of the image store as the suite needs it: open, seen from outside, and broken."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from service.api.images import ROUTES
from service.api.keys import FILE_IMAGES
from storage.images.contract import Images
from storage.images.files import FileImages
from storage.images.gcs import GcsImages
from tests.storage.images.gcs_emulator import GcsEmulator

SECRET = b"a secret of the tests"


@dataclass(frozen=True, slots=True)
class Backend:
    """An empty store. `another` opens the same one again, as a second process would; `unreachable`
    is one whose disk or network is gone; `clutter` leaves something in it that is not ours."""

    images: Images
    another: Callable[[], AbstractAsyncContextManager[Images]]
    unreachable: Callable[[], AbstractAsyncContextManager[Images]]
    clutter: Callable[[], None]


@asynccontextmanager
async def files_backend(folder: Path) -> AsyncIterator[Backend]:
    """Files, with the API's view in front that shows them."""
    port = unused_port()

    def store(where: Path) -> FileImages:
        prefix = f"http://127.0.0.1:{port}/images"
        return FileImages(where, url_prefix=prefix, known_prefixes=(), secret=SECRET)

    @asynccontextmanager
    async def another() -> AsyncIterator[Images]:
        yield store(folder / "images")

    @asynccontextmanager
    async def unreachable() -> AsyncIterator[Images]:
        images = store(folder / "lost")
        shutil.rmtree(folder / "lost")
        yield images

    def clutter() -> None:
        (folder / "images" / "notes.txt").write_text("of the operator")
        (folder / "images" / "lost+found").mkdir()

    images = store(folder / "images")
    app = web.Application()
    app[FILE_IMAGES] = images
    app.add_routes(ROUTES)
    server = TestServer(app, host="127.0.0.1", port=port)
    await server.start_server(access_log=None)
    try:
        yield Backend(images, another, unreachable, clutter)
    finally:
        await images.close()
        await server.close()


@asynccontextmanager
async def gcs_backend(emulator: GcsEmulator) -> AsyncIterator[Backend]:
    """A fresh prefix of the emulator's bucket."""
    prefix = f"tests/{uuid4()}"

    @asynccontextmanager
    async def store(bucket: str, where: str, root: str) -> AsyncIterator[GcsImages]:
        images = GcsImages(bucket, where, api_root=root)
        try:
            yield images
        finally:
            await images.close()

    def another() -> AbstractAsyncContextManager[Images]:
        return store(emulator.bucket, prefix, emulator.url)

    def unreachable() -> AbstractAsyncContextManager[Images]:
        return store(emulator.bucket, prefix, f"http://127.0.0.1:{unused_port()}")

    def clutter() -> None:
        emulator.put(f"{prefix}/notes.txt", b"of the operator")
        emulator.put(f"{prefix}-other/{uuid4()}/{uuid4()}.png", b"of another deployment")

    async with another() as images:
        yield Backend(images, another, unreachable, clutter)
