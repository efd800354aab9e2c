"""One request goes out and one whole answer comes back, or it is known whether it was sent."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from structlog.testing import capture_logs

from service.engines.hosted.http import (
    MAX_ANSWER_BYTES,
    AnswerLost,
    Call,
    Http,
    NotSent,
    Retry,
    WrongAddress,
)
from tests.engines.hosted.harness import BRISK

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ONCE = Retry(lambda _answer: False, lost=False, tries=1, limit_s=5)
BUSY_AGAIN = Retry(lambda answer: answer.status == 429, lost=False, tries=3)


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http(BRISK)
    yield http
    await http.close()


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """The address of a server that does this with every request."""
    app = web.Application()
    app.router.add_route("*", "/", handler)
    server = TestServer(app)
    await server.start_server(access_log=None)
    try:
        yield str(server.make_url("/"))
    finally:
        await server.close()


async def test_an_operator_at_debug_sees_what_the_provider_said_but_not_the_key(
    http: Http,
) -> None:
    async def echo(request: web.Request) -> web.Response:
        key = request.headers["Authorization"]
        return web.Response(status=401, text=f"Incorrect key {key}, or {key.split()[1]}. Sorry!")

    async with served(echo) as url:
        with capture_logs() as lines:
            await http.send(Call("POST", url, {"Authorization": "Bearer geheim"}), ONCE)
    (line,) = lines
    assert line["log_level"] == "debug"
    assert "Sorry!" in line["said"]
    assert "geheim" not in str(line)


async def test_a_redirect_is_not_followed(http: Http) -> None:
    seen = []

    async def redirect(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with served(redirect) as url:
        answer = await http.send(Call("POST", url, {"x-key": "geheim"}), ONCE)
    assert answer.status == 307
    assert seen == ["/"]


async def test_no_connection_is_used_twice(http: Http) -> None:
    peers = []

    async def note(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return web.Response()

    async with served(note) as url:
        for _ in range(3):
            await http.send(Call("GET", url), ONCE)
    assert len(set(peers)) == 3


async def test_an_answer_larger_than_any_image_is_cut_to_nothing(http: Http) -> None:
    async def flood(_request: web.Request) -> web.Response:
        return web.Response(body=bytes(MAX_ANSWER_BYTES + 1))

    async with served(flood) as url:
        assert (await http.send(Call("GET", url), ONCE)).body == b""


async def test_nobody_at_the_address_means_not_sent(http: Http) -> None:
    with pytest.raises(NotSent):
        await http.send(Call("POST", f"http://127.0.0.1:{unused_port()}/"), ONCE)


async def test_a_provider_that_is_away_for_a_moment_gets_the_order_once(http: Http) -> None:
    port = unused_port()
    received = []

    async def take(request: web.Request) -> web.Response:
        received.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    server = TestServer(app, port=port)
    patient = Retry(lambda _answer: False, lost=False, tries=10_000)
    sending = asyncio.create_task(http.send(Call("POST", f"http://127.0.0.1:{port}/"), patient))
    await server.start_server(access_log=None)
    async with asyncio.timeout(60):
        assert (await sending).status == 200
    await server.close()
    assert len(received) == 1


@pytest.mark.parametrize("lost", [False, True])
async def test_only_what_may_be_sent_twice_is_sent_again_when_the_answer_is_lost(
    http: Http, lost: bool
) -> None:
    received = []

    async def hang_up(request: web.Request) -> web.Response:
        received.append(request.method)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    retry = Retry(lambda _answer: False, lost=lost, tries=3)
    async with served(hang_up) as url:
        with pytest.raises(AnswerLost):
            await http.send(Call("POST", url), retry)
    assert len(received) == (3 if lost else 1)


async def test_silence_counts_as_a_lost_answer_after_the_limit(http: Http) -> None:
    enough = asyncio.Event()

    async def silence(_request: web.Request) -> web.Response:
        await enough.wait()
        return web.Response()

    retry = Retry(lambda _answer: False, lost=False, tries=1, limit_s=0.2)
    async with served(silence) as url:
        with pytest.raises(AnswerLost):
            await http.send(Call("GET", url), retry)
        enough.set()


@pytest.mark.parametrize("delay", ["0.3", "1e9"])
async def test_a_delay_is_kept_or_left_to_the_queue(http: Http, delay: str) -> None:
    times = []

    async def busy(_request: web.Request) -> web.Response:
        times.append(asyncio.get_running_loop().time())
        return web.Response(status=429, headers={"Retry-After": delay})

    async with served(busy) as url:
        await http.send(Call("POST", url), BUSY_AGAIN)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(gaps) == (2 if delay == "0.3" else 0)
    assert all(gap >= 0.3 for gap in gaps)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1"])
async def test_an_address_that_was_handed_out_leads_nowhere_inside(http: Http, host: str) -> None:
    with pytest.raises(WrongAddress):
        await http.send(Call("GET", f"https://{host}:1/"), ONCE, handed_out=True)


@pytest.mark.parametrize("value", ["two\nlines", "two\r\nlines"])
async def test_a_key_that_fits_in_no_header_is_not_sent(http: Http, value: str) -> None:
    with pytest.raises(NotSent):
        await http.send(Call("GET", "http://127.0.0.1:1/", {"x-key": value}), ONCE)
