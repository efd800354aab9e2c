"""The world as tests of fetching have it: a server, a name service, a watch on connections."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from service.fetching import Fetcher
from service.outbound import Address

HOST = "images.test"
OTHER = "other.test"
PICTURE = b"\x89PNG\r\n\x1a\nthe rest does not matter here"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Audit:
    """Every address that this process begins to connect to, whatever library it is for."""

    def __init__(self) -> None:
        self.is_on = False
        self.connected: list[Any] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, args: tuple[Any, ...]) -> None:
        if self.is_on and event == "socket.connect":
            self.connected.append(args[1])


@dataclass
class Canary:
    """A server on loopback; `answer` is what it does, `seen` who came."""

    port: int = 0
    answer: Handler | None = None
    seen: list[web.BaseRequest] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        assert isinstance(request, web.Request)
        if self.answer is not None:
            return await self.answer(request)
        return web.Response(body=PICTURE, content_type="image/png")


@asynccontextmanager
async def a_canary() -> AsyncIterator[Canary]:
    canary = Canary()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", canary.handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(access_log=None)
    assert server.port is not None
    canary.port = server.port
    try:
        yield canary
    finally:
        await server.close()


class Names(AbstractResolver):
    """A name service that a test writes, which reads every notation of a number as the C library.

    Each answer leads to the port of the canary, since tests cannot listen on 80 and 443. A name
    with several answers gives the next one each time, and stays with the last.
    """

    def __init__(self, port: int, answers: dict[str, list[list[str]]] | None = None) -> None:
        self.asked: list[str] = []
        self._port = port
        self._answers = {name: list(each) for name, each in (answers or {}).items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self._answers.get(host) or [_numbers_of(host)]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=self._port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for each in found
        ]

    async def close(self) -> None:
        """There is nothing to release."""


def _numbers_of(host: str) -> list[str]:
    if "localhost" in host:
        return ["127.0.0.1", "::1"]
    if host == "metadata.google.internal":
        return ["169.254.169.254"]
    found = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [str(each[4][0]) for each in found]


def anywhere(_address: Address) -> bool:
    """The rule of a test in which loopback stands for the world."""
    return True


@asynccontextmanager
async def a_fetcher(*hosts: str, **options: Any) -> AsyncIterator[Fetcher]:
    """A fetcher for these hosts."""
    fetcher = Fetcher(frozenset(hosts), **options)
    try:
        yield fetcher
    finally:
        await fetcher.close()
