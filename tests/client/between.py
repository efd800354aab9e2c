"""A proxy that spoils what passes, as those between people and services do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

type Forward = Callable[[], AbstractAsyncContextManager[ClientResponse]]
type Spoiler = Callable[[web.Request, Forward], Awaitable[web.StreamResponse]]
HOP_BY_HOP = ("Transfer-Encoding", "Content-Length", "Connection")


async def passed(request: web.Request, forward: Forward) -> web.StreamResponse:
    """Pass everything on as it comes."""
    async with forward() as source:
        response = await _begin(request, source)
        async for piece in source.content.iter_any():
            await response.write(piece)
    return response


async def kept_back(request: web.Request, forward: Forward) -> web.StreamResponse:
    """Pass on the head, and the body only once it is complete."""
    async with forward() as source:
        response = await _begin(request, source)
        await response.write(await source.read())
    return response


async def lost(request: web.Request, forward: Forward) -> web.StreamResponse:
    """Let the service do it, and cut the connection in place of an answer."""
    async with forward() as source:
        await source.read()
    return _cut(request)


async def not_held(request: web.Request, forward: Forward) -> web.StreamResponse:
    """Cut requests that ask to be held."""
    return _cut(request) if "Prefer" in request.headers else await passed(request, forward)


async def cut_after_one_event(request: web.Request, forward: Forward) -> web.StreamResponse:
    """Cut a stream behind the first event in it."""
    async with forward() as source:
        response = await _begin(request, source)
        buffered = b""
        async for piece in source.content.iter_any():
            buffered += piece
            head, found, rest = buffered.partition(b"id: ")
            event, ended, _ = rest.partition(b"\n\n")
            if ended:
                await response.write(head + found + event + ended)
                # let it go out before the connection goes down
                await asyncio.sleep(0)
                assert request.transport is not None
                request.transport.close()
                return response
    return response


def answered(status: int, **headers: str) -> Spoiler:
    """Answer in the service's place."""

    async def answer(_request: web.Request, _forward: Forward) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text="<html>", content_type="text/html", headers=named)

    return answer


@dataclass
class Between:
    """The proxy. `spoilers` has what happens to requests by the last word of their path, one after
    the other, and `asked` all requests; the id of a task is shown as `task`.
    """

    target: str
    session: ClientSession
    url: str = ""
    spoilers: dict[str, Iterator[Spoiler]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on, or spoil it."""
        word = request.path.rpartition("/")[2]
        word = "task" if _is_id(word) else word
        self.asked.append(f"{request.method} {word}")
        body = await request.read()

        def forward() -> AbstractAsyncContextManager[ClientResponse]:
            headers = request.headers.copy()
            headers.popall("Host")
            address = f"{self.target}{request.path_qs}"
            return self.session.request(request.method, address, headers=headers, data=body)

        spoiler = next(self.spoilers.get(word, iter(())), passed)
        return await spoiler(request, forward)


@asynccontextmanager
async def running_between(target: str) -> AsyncIterator[Between]:
    """A proxy before the service at this address."""
    async with ClientSession(auto_decompress=False) as session:
        between = Between(target, session)
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", between.handle)
        server = TestServer(app)
        await server.start_server(access_log=None)
        between.url = str(server.make_url("")).rstrip("/")
        try:
            yield between
        finally:
            await server.close()


async def _begin(request: web.Request, source: ClientResponse) -> web.StreamResponse:
    headers = source.headers.copy()
    for name in HOP_BY_HOP:
        headers.popall(name, None)
    response = web.StreamResponse(status=source.status, headers=headers)
    await response.prepare(request)
    return response


def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _is_id(word: str) -> bool:
    try:
        UUID(word)
    except ValueError:
        return False
    return True
