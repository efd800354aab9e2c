"""A small Google Cloud Storage that keeps its word on preconditions and pages, and fails on demand.

The emulator does neither. The faults are those that a network and a busy service produce.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web
from aiohttp.test_utils import TestServer

BUCKET = "stub"
PAGE_OBJECTS = 3
MADE_AT = "2026-01-01T00:00:00.000Z"
NOW = "Thu, 01 Jan 2026 02:00:00 GMT"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


@dataclass
class GcsStub:
    """What the stub holds, saw and is to do wrong: one fault a request, in order."""

    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    signed: list[bytes] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def upload(self, request: web.Request) -> web.Response:
        name = request.query["name"]
        if request.query.get("ifGenerationMatch") == "0" and name in self.objects:
            return web.json_response({"error": {"code": 412}}, status=412)
        self.objects[name] = (await request.read(), request.content_type)
        return web.json_response({"name": name})

    async def download(self, request: web.Request) -> web.Response:
        found = self.objects.get(unquote(request.match_info["name"]))
        if found is None:
            return web.Response(status=404, text="No such object")
        return web.Response(body=found[0], content_type=found[1])

    async def delete(self, request: web.Request) -> web.Response:
        found = self.objects.pop(unquote(request.match_info["name"]), None)
        return web.Response(status=204 if found else 404)

    async def list(self, request: web.Request) -> web.Response:
        if request.match_info["bucket"] != BUCKET:
            return web.Response(status=404)
        names = sorted(name for name in self.objects if name.startswith(request.query["prefix"]))
        begin = int(request.query.get("pageToken", "0"))
        page = names[begin : begin + PAGE_OBJECTS]
        answer: dict[str, object] = {
            "items": [{"name": name, "timeCreated": MADE_AT} for name in page]
        }
        if begin + PAGE_OBJECTS < len(names):
            answer["nextPageToken"] = str(begin + PAGE_OBJECTS)
        return web.json_response(answer, headers={"Date": NOW})

    async def token(self, request: web.Request) -> web.Response:
        assert request.headers["metadata-flavor"] == "Google"
        return web.json_response({"access_token": "a-token", "expires_in": 3600})

    async def email(self, request: web.Request) -> web.Response:
        assert request.headers["metadata-flavor"] == "Google"
        return web.Response(text="refiner@project.iam.gserviceaccount.com\n")

    async def sign(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer a-token"
        assert "refiner@project.iam.gserviceaccount.com:signBlob" in request.path
        self.signed.append(base64.b64decode((await request.json())["payload"]))
        return web.json_response({"signedBlob": base64.b64encode(b"signature").decode()})


@asynccontextmanager
async def gcs_stub() -> AsyncIterator[GcsStub]:
    """A stub that listens."""
    stub = GcsStub()

    @web.middleware
    async def fail(request: web.Request, handler: Handler) -> web.StreamResponse:
        stub.requests.append(f"{request.method} {request.path}")
        stub.asked.set()
        if stub.faults:
            return await stub.faults.pop(0)(request, handler)
        return await handler(request)

    app = web.Application(middlewares=[fail], client_max_size=64 * 1024**2)
    app[RELEASED] = stub.released
    app.router.add_post("/upload/storage/v1/b/{bucket}/o", stub.upload)
    app.router.add_get("/storage/v1/b/{bucket}/o", stub.list)
    app.router.add_get("/storage/v1/b/{bucket}/o/{name:.+}", stub.download)
    app.router.add_delete("/storage/v1/b/{bucket}/o/{name:.+}", stub.delete)
    app.router.add_get("/instance/service-accounts/default/token", stub.token)
    app.router.add_get("/instance/service-accounts/default/email", stub.email)
    app.router.add_post("/v1/{account:.+}", stub.sign)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(access_log=None)
    stub.url = f"http://127.0.0.1:{server.port}"
    try:
        yield stub
    finally:
        stub.released.set()
        await server.close()


def answers(status: int) -> Fault:
    """The request is not carried out, and the answer is an error."""

    async def fault(request: web.Request, _handler: Handler) -> web.Response:
        await request.read()
        return web.Response(status=status, text="<html>an error of the load balancer</html>")

    return fault


async def obeys(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nothing is wrong with this one."""
    return await handler(request)


async def resets(request: web.Request, _handler: Handler) -> web.Response:
    """The connection breaks before an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hangs(request: web.Request, _handler: Handler) -> web.Response:
    """There is no answer while the stub lives."""
    await request.app[RELEASED].wait()
    return web.Response(status=503)


async def loses_the_answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The request is carried out, and the connection breaks before its answer."""
    await handler(request)
    return await resets(request, handler)


async def garbles(request: web.Request, handler: Handler) -> web.Response:
    """The request is carried out, and the answer is not what it should be."""
    await handler(request)
    return web.Response(text="<html>sign in to this network</html>", content_type="text/html")


async def speaks_no_http(request: web.Request, _handler: Handler) -> web.Response:
    """The answer is no HTTP."""
    assert isinstance(request.transport, asyncio.Transport)
    request.transport.write(b"\x00\x01garbage\r\n\r\n")
    request.transport.close()
    return web.Response()


async def stops_half_way(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The connection breaks in the middle of the body."""
    whole = await handler(request)
    assert isinstance(whole, web.Response)
    assert isinstance(whole.body, bytes)
    response = web.StreamResponse(headers={"Content-Length": str(len(whole.body))})
    await response.prepare(request)
    await response.write(whole.body[: len(whole.body) // 2])
    return await resets(request, handler)


RELEASED: web.AppKey[asyncio.Event] = web.AppKey("released", asyncio.Event)
