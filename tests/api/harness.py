"""The service in this process on real parts, and a client that speaks its API."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, FormData, web
from aiohttp.test_utils import TestServer, unused_port
from PIL import Image

from service.app import make_app
from service.engines.contract import Engine
from service.intake import Intake
from service.resources import Resources, open_resources
from service.sandbox import Sandbox
from service.settings import Settings
from service.stopping import Stopping
from tests.api.described import Described

Json = Any
HEADER_BYTES = 16 * 1024
PROMPT = "Make the logo more minimalist and use lighter shades of brown"


def a_png(width: int = 32, height: int = 32, colour: str = "#73492a") -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


@dataclass
class User:
    """One user's client. Paths are relative to the service."""

    session: ClientSession
    base: str
    token: str
    user_id: str

    async def request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> ClientResponse:
        """The response, read to its end."""
        response = await self.session.request(
            method,
            path if path.startswith("http") else f"{self.base}{path}",
            headers={"Authorization": f"Bearer {self.token}", **(headers or {})},
            **options,
        )
        await response.read()
        return response

    async def get(self, path: str, **options: Any) -> Json:
        """The JSON of a successful GET."""
        response = await self.request("GET", path, **options)
        assert response.status == 200, await response.text()
        return await response.json()

    async def upload(self, image: bytes | None = None, **fields: str) -> Json:
        """The concept made of an uploaded image."""
        response = await self.try_upload(a_png() if image is None else image, **fields)
        assert response.status == 201, await response.text()
        return await response.json()

    async def try_upload(self, image: bytes, **fields: str) -> ClientResponse:
        """The response to an upload."""
        form = FormData()
        form.add_field("image", io.BytesIO(image), filename="logo.png", content_type="image/png")
        for name, value in fields.items():
            form.add_field(name, value)
        return await self.request("POST", "/api/concepts", data=form)

    async def refine(
        self, url: str, *, headers: dict[str, str] | None = None, **fields: Any
    ) -> ClientResponse:
        """The response to a refinement request."""
        body = {"original_image_url": url, "refinement_prompt": PROMPT, **fields}
        return await self.request("POST", "/api/concepts/refine", json=body, headers=headers)

    async def begin(self, **fields: Any) -> Json:
        """The task of an accepted request for a fresh concept."""
        concept = await self.upload()
        response = await self.refine(concept["image_url"], **fields)
        assert response.status == 202, await response.text()
        return await response.json()

    async def ended(self, task_id: str) -> Json:
        """The task once it has ended."""
        task = await self.get(f"/api/tasks/{task_id}", headers={"Prefer": "wait=60"})
        assert task["status"] in ("completed", "failed"), task
        return task


@dataclass
class Service:
    """A running service."""

    resources: Resources
    base: str
    session: ClientSession
    app: web.Application

    async def guest(self) -> User:
        """A fresh user."""
        async with self.session.post(f"{self.base}/api/auth/guest") as response:
            assert response.status == 201, await response.text()
            signed_in = await response.json()
        return User(self.session, self.base, signed_in["access_token"], signed_in["user_id"])


@asynccontextmanager
async def running_service(
    database_url: str,
    data_dir: Path,
    engine: Engine | None = None,
    sandbox: Sandbox | None = None,
    adapt: Callable[[Resources], Resources] = lambda resources: resources,
    **overrides: Any,
) -> AsyncIterator[Service]:
    """The API with its worker on a free port. At the end every answer was as described.

    `engine` stands in for the one of the settings; a `sandbox` that is already warm saves a second.
    `adapt` may put other things in place of what was opened.
    """
    port = unused_port()
    settings = Settings(
        **{
            "port": port,
            "data_dir": data_dir,
            "database_url": database_url,
            # short, for tests wait for heartbeats; longer than a busy machine stands still
            "task_lease_seconds": 4,
            **overrides,
        }
    )
    stopping = Stopping()
    # what is replaced below need not be warm
    async with open_resources(settings, warm=engine is None) as resources:
        if engine is not None:
            resources = replace(resources, refinery=replace(resources.refinery, engine=engine))
        if sandbox is not None:
            resources = replace(resources, intake=Intake(sandbox))
        app = make_app(adapt(resources), stopping)
        described = Described(app)
        server = TestServer(app, host="127.0.0.1", port=port)
        await server.start_server(access_log=None, max_field_size=HEADER_BYTES)
        async with ClientSession() as session:
            try:
                yield Service(resources, f"http://127.0.0.1:{port}", session, app)
            finally:
                await server.close()
    assert stopping.deaths == []
    assert described.broken == [], described.broken
