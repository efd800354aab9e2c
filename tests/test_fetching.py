"""An outside image comes from an allowed host or not at all, and nothing inside is ever reached."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectorError, ClientSession, InvalidURL, web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from service.fetching import (
    MAX_BYTES,
    MAX_REDIRECTS,
    Fetcher,
    FetchFailed,
    FetchRefused,
    FetchTooLarge,
)
from service.outbound import Address, guarded_connector, is_public
from tests import corpus_addresses as corpus

CANARY = "127.0.0.1"
OUTSIDE = "127.0.0.2"  # stands for a server of the world: the one address that tests open up
PICTURE = b"\x89PNG\r\n\x1a\n and more"
PATIENCE_S = 20.0

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Watch:
    """Every address that this process connects to while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[Any] = []

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.on and event == "socket.connect":
            self.seen.append(args[1])


@pytest.fixture(scope="module")
def watch() -> Watch:
    watch = Watch()
    sys.addaudithook(watch)  # there is no taking it away; it sleeps after the test
    return watch


@pytest.fixture
def connections(watch: Watch) -> Iterator[list[Any]]:
    watch.seen = []
    watch.on = True
    yield watch.seen
    watch.on = False


class Names(AbstractResolver):
    """Answers in turn with the addresses that a test gives, the last one for ever."""

    def __init__(self, port: int, *answers: Sequence[str]) -> None:
        self.port = port
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [self._result(host, address) for address in answer]

    def _result(self, host: str, address: str) -> ResolveResult:
        version = ip_address(address).version
        return ResolveResult(
            hostname=host,
            host=address,
            port=self.port,
            family=socket.AF_INET if version == 4 else socket.AF_INET6,
            proto=socket.IPPROTO_TCP,
            flags=socket.AI_NUMERICHOST,
        )

    async def close(self) -> None:
        """Nothing is open."""


class World:
    """A server of the world, and fetchers for which its name leads there."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[web.BaseRequest] = []
        self.answer: Handler = self.picture

    async def picture(self, _request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=PICTURE)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        return await self.answer(request)

    @contextlib.asynccontextmanager
    async def fetcher(
        self, *, hosts: frozenset[str] | None = None, names: Names | None = None, **options: Any
    ) -> AsyncIterator[Fetcher]:
        fetcher = Fetcher(
            frozenset({corpus.ALLOWED, f"http://{corpus.PLAIN}"}) if hosts is None else hosts,
            resolver=names or Names(self.port, [OUTSIDE]),
            may_connect=only_outside,
            **options,
        )
        try:
            yield fetcher
        finally:
            await fetcher.close()


def only_outside(address: Address) -> bool:
    return str(address) == OUTSIDE or is_public(address)


@contextlib.asynccontextmanager
async def serving(
    handler: Any, address: str, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address, port, ssl_context=tls)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    async with serving(world, OUTSIDE) as world.port:
        yield world


@pytest.fixture
async def canary(world: World) -> AsyncIterator[list[str]]:
    """What reached the inside, which listens where names and redirects of tests lead."""
    reached: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        reached.append(str(request.rel_url))
        return web.Response(body=b"inside")

    async with serving(answer, CANARY, world.port), serving(answer, "::1", world.port):
        yield reached


def url(path: str = "/logo.png") -> str:
    return f"http://{corpus.PLAIN}{path}"


def redirect(location: str) -> Handler:
    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": location})

    return answer


async def test_an_image_of_an_allowed_host_is_fetched(world: World) -> None:
    async with world.fetcher() as fetcher:
        assert fetcher.allows(url())
        assert await fetcher.fetch(url()) == PICTURE
    assert world.requests[0].headers["Host"] == corpus.PLAIN


async def test_the_canary_would_notice(
    world: World, canary: list[str], connections: list[Any]
) -> None:
    async with ClientSession() as careless:
        await careless.get(f"http://{CANARY}:{world.port}/noticed")
    assert canary == ["/noticed"]
    assert (CANARY, world.port) in connections


def test_the_corpus_is_large() -> None:
    assert len(set(corpus.URLS)) + len(set(corpus.INSIDE)) >= 80


@pytest.mark.parametrize("attempt", corpus.URLS)
async def test_an_attempt_at_the_inside_is_refused_before_anything_is_asked(
    world: World, canary: list[str], connections: list[Any], attempt: str
) -> None:
    names = Names(world.port, [CANARY])
    async with world.fetcher(names=names) as fetcher:
        assert not fetcher.allows(attempt)
        with pytest.raises(FetchRefused):
            await fetcher.fetch(attempt)
    assert (canary, connections, names.asked) == ([], [], [])


@pytest.mark.parametrize(
    "attempt",  # all that a server can send in a header
    [url for url in corpus.URLS if url.strip() and not set(url) & set("\r\n\x00\ud800")],
)
async def test_a_redirect_to_the_inside_is_not_followed(
    world: World, canary: list[str], connections: list[Any], attempt: str
) -> None:
    world.answer = redirect(attempt)
    async with world.fetcher() as fetcher:
        # what a header's reader makes an allowed address of is asked for there, and fails there
        with pytest.raises((FetchRefused, FetchFailed)):
            await fetcher.fetch(url())
    assert canary == []
    assert {address for address, *_ in connections} == {OUTSIDE}


@pytest.mark.parametrize("address", corpus.INSIDE)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_name_that_stands_for_the_inside_is_refused_when_connecting(
    world: World, canary: list[str], connections: list[Any], address: str, scheme: str
) -> None:
    async with world.fetcher(names=Names(world.port, [address])) as fetcher:
        target = f"{scheme}://{corpus.PLAIN}/a.png"
        assert fetcher.allows(target)
        with pytest.raises(FetchRefused):
            await fetcher.fetch(target)
    assert (canary, connections) == ([], [])


@pytest.mark.parametrize("host", corpus.HOSTS_INSIDE)
async def test_a_host_inside_is_refused_even_if_the_operator_lists_it(
    world: World, canary: list[str], connections: list[Any], host: str
) -> None:
    try:
        listed = Fetcher(frozenset({f"http://{host}"}), resolver=Names(world.port, [CANARY]))
    except ValueError:
        return  # it cannot even be listed
    try:
        for scheme in ("http", "https"):
            with pytest.raises(FetchRefused):
                await listed.fetch(f"{scheme}://{host}/a.png")
    finally:
        await listed.close()
    assert (canary, connections) == ([], [])


async def test_one_address_inside_among_others_is_enough_to_refuse(
    world: World, canary: list[str], connections: list[Any]
) -> None:
    for answer in ([OUTSIDE, CANARY], [CANARY, OUTSIDE], [OUTSIDE, "::1"]):
        async with world.fetcher(names=Names(world.port, answer)) as fetcher:
            with pytest.raises(FetchRefused):
                await fetcher.fetch(url())
    assert (canary, connections) == ([], [])


async def test_a_name_that_points_elsewhere_the_second_time_is_checked_again(
    world: World, canary: list[str]
) -> None:
    names = Names(world.port, [OUTSIDE], [CANARY])
    async with world.fetcher(names=names) as fetcher:
        assert await fetcher.fetch(url()) == PICTURE
        with pytest.raises(FetchRefused):
            await fetcher.fetch(url())
    assert canary == []


async def test_a_name_is_asked_once_for_each_connection(world: World) -> None:
    names = Names(world.port, [OUTSIDE])
    async with world.fetcher(names=names) as fetcher:
        await fetcher.fetch(url())
    assert names.asked == [corpus.PLAIN]


async def test_a_redirect_on_a_re_pointed_name_is_refused(world: World, canary: list[str]) -> None:
    world.answer = redirect(url("/again.png"))
    async with world.fetcher(names=Names(world.port, [OUTSIDE], [CANARY])) as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.fetch(url())
    assert canary == []


@pytest.mark.parametrize("address", corpus.OUTSIDE)
def test_an_ordinary_public_address_may_be_connected_to(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", corpus.INSIDE)
def test_an_address_inside_may_not_be_connected_to(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433"])
async def test_the_connector_alone_guards_addresses_written_as_numbers(
    world: World, canary: list[str], connections: list[Any], host: str
) -> None:
    async with ClientSession(connector=guarded_connector()) as session:
        with pytest.raises((ClientConnectorError, InvalidURL)):
            await session.get(f"http://{host}:{world.port}/")
    assert canary == []
    assert not [seen for seen in connections if seen[1:2] == (world.port,)]


async def test_redirects_between_allowed_places_are_followed_up_to_a_limit(world: World) -> None:
    async def count_down(request: web.BaseRequest) -> web.StreamResponse:
        left = int(request.path.strip("/"))
        if left == 0:
            return web.Response(body=PICTURE)
        return web.Response(status=307, headers={"Location": f"/{left - 1}"})

    world.answer = count_down
    async with world.fetcher() as fetcher:
        assert await fetcher.fetch(url(f"/{MAX_REDIRECTS}")) == PICTURE
        with pytest.raises(FetchRefused):
            await fetcher.fetch(url(f"/{MAX_REDIRECTS + 1}"))


async def test_nothing_is_remembered_and_nothing_given_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, f"http://{CANARY}:9/")

    async def with_cookie(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/again":
            return web.Response(body=PICTURE)
        headers = {"Set-Cookie": "who=you; Path=/", "Location": "/again"}
        return web.Response(status=302, headers=headers)

    world.answer = with_cookie
    async with world.fetcher() as fetcher:
        assert await fetcher.fetch(url()) == PICTURE
    for request in world.requests:
        assert not request.headers.keys() & {"Cookie", "Authorization", "Referer", "Proxy"}
        assert "aiohttp" not in request.headers["User-Agent"].lower()
    assert len(world.requests) == 2


async def test_a_body_that_says_it_is_too_large_is_not_read(world: World) -> None:
    async def large(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(MAX_BYTES + 1)})
        await response.prepare(request)
        await asyncio.get_running_loop().create_future()  # never sends what it announced
        return response

    world.answer = large
    async with world.fetcher() as fetcher:
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(FetchTooLarge):
                await fetcher.fetch(url())


async def test_a_body_without_end_is_cut_off(world: World) -> None:
    sent = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"\x00" * 262_144)
                sent += 262_144
        return response

    world.answer = endless
    async with world.fetcher() as fetcher:
        with pytest.raises(FetchTooLarge):
            await fetcher.fetch(url())
    assert sent < 3 * MAX_BYTES


async def test_the_largest_body_allowed_is_fetched_whole(world: World) -> None:
    async def just_right(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"\x01" * MAX_BYTES)

    world.answer = just_right
    async with world.fetcher() as fetcher:
        assert len(await fetcher.fetch(url())) == MAX_BYTES


async def test_a_compressed_body_is_not_unpacked(world: World) -> None:
    packed = gzip.compress(b"\x00" * (64 << 20))

    async def bomb(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    world.answer = bomb
    async with world.fetcher() as fetcher:
        assert await fetcher.fetch(url()) == packed


async def test_a_server_that_drips_is_given_up_in_time(world: World) -> None:
    async def drip(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"\x00")
                await asyncio.sleep(0.02)
        return response

    world.answer = drip
    async with world.fetcher(total_s=0.3) as fetcher:
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(FetchFailed):
                await fetcher.fetch(url())


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_an_answer_that_may_change_is_a_failure(world: World, status: int) -> None:
    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status)

    world.answer = answer
    async with world.fetcher() as fetcher:
        with pytest.raises(FetchFailed):
            await fetcher.fetch(url())


@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 400, 401, 403, 404, 410, 451])
async def test_an_answer_that_is_meant_is_a_refusal(world: World, status: int) -> None:
    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status)

    world.answer = answer
    async with world.fetcher() as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.fetch(url())


async def test_a_connection_that_breaks_is_a_failure(world: World) -> None:
    async def hang_up(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    world.answer = hang_up
    async with world.fetcher() as fetcher:
        with pytest.raises(FetchFailed):
            await fetcher.fetch(url())


async def test_a_certificate_that_nobody_vouches_for_is_a_refusal(
    world: World, tmp_path: Path
) -> None:
    async with (
        serving(world, OUTSIDE, tls=self_signed(tmp_path)) as port,
        world.fetcher(names=Names(port, [OUTSIDE])) as fetcher,
    ):
        with pytest.raises(FetchRefused):
            await fetcher.fetch(f"https://{corpus.ALLOWED}/a.png")
    assert not world.requests


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS for the allowed host, under a certificate made just now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, corpus.ALLOWED)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(corpus.ALLOWED)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "both.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_a_host_where_nobody_listens_is_a_failure(world: World) -> None:
    with socket.socket() as unused:
        unused.bind((OUTSIDE, 0))
        port = unused.getsockname()[1]
        async with world.fetcher(names=Names(port, [OUTSIDE])) as fetcher:
            with pytest.raises(FetchFailed):
                await fetcher.fetch(url())


@pytest.mark.parametrize("entry", ["host/path", "host:80", "ftp://host", "a b", "user@host", ""])
async def test_an_entry_that_is_no_host_is_refused_at_once(entry: str) -> None:
    with pytest.raises(ValueError, match="host"):
        Fetcher(frozenset({entry}))


async def test_without_hosts_nothing_is_allowed(world: World) -> None:
    async with world.fetcher(hosts=frozenset()) as fetcher:
        assert not fetcher.allows(f"https://{corpus.ALLOWED}/a.png")


@pytest.mark.parametrize(
    "spelling",
    [
        f"https://{corpus.ALLOWED}/a.png",
        f"HTTPS://{corpus.ALLOWED.upper()}/a.png",
        f"https://{corpus.ALLOWED}:443/a.png?size=2#top",
        f"https://{corpus.PLAIN}/a.png",
        f"http://{corpus.PLAIN}:80/a.png",
        f"https://{corpus.ALLOWED}",
    ],
)
async def test_an_allowed_host_is_allowed_in_every_proper_spelling(
    world: World, spelling: str
) -> None:
    async with world.fetcher() as fetcher:
        assert fetcher.allows(spelling)
