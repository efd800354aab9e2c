"""What the service fetches from outside, how much of it, and how it fails."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.fetching import MAX_BYTES, Fetcher, FetchFailed, FetchRefused, FetchTooLarge
from tests.fetching.outside import HOST, PICTURE, Canary, Names, a_fetcher, anywhere


async def test_an_allowed_image_is_fetched(fetcher: Fetcher, canary: Canary) -> None:
    assert await fetcher.fetch(f"http://{HOST}/a/logo.png?size=2#top") == PICTURE
    assert str(canary.seen[0].rel_url) == "/a/logo.png?size=2"
    assert canary.seen[0].headers["Host"] == HOST


async def test_a_request_says_who_asks_and_nothing_else(
    fetcher: Fetcher, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def set_cookie(_request: web.Request) -> web.Response:
        return web.Response(body=PICTURE, headers={"Set-Cookie": "a=b; Path=/"})

    canary.answer = set_cookie
    for _ in range(2):
        await fetcher.fetch(f"http://{HOST}/logo.png")
    for request in canary.seen:
        assert request.headers["User-Agent"].startswith("concept-refiner/")
        assert set(request.headers) - {"Connection"} == {
            "Host",
            "User-Agent",
            "Accept",
            "Accept-Encoding",
        }


async def test_a_redirect_to_an_allowed_host_is_followed(fetcher: Fetcher, canary: Canary) -> None:
    async def redirect(request: web.Request) -> web.Response:
        match (request.host, request.path):
            case ("images.test", "/old"):
                raise web.HTTPMovedPermanently("/new")
            case ("images.test", "/new"):
                raise web.HTTPTemporaryRedirect("//other.test/newer")
            case _:
                return web.Response(body=PICTURE)

    canary.answer = redirect
    assert await fetcher.fetch(f"http://{HOST}/old") == PICTURE
    assert [f"{request.host}{request.path}" for request in canary.seen] == [
        "images.test/old",
        "images.test/new",
        "other.test/newer",
    ]


async def test_a_host_may_be_written_in_its_own_script(canary: Canary) -> None:
    names = Names(canary.port, {"xn--bcher-kva.test": [["127.0.0.1"]]})
    async with a_fetcher("http://Bücher.test", resolver=names, may_connect=anywhere) as fetcher:
        assert await fetcher.fetch("http://BÜCHER.test/é.png") == PICTURE
        assert await fetcher.fetch("http://xn--bcher-kva.test/%C3%A9.png") == PICTURE


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://secure.test/x.png", True),
        ("https://secure.test:443/x.png", True),
        ("HTTPS://Secure.Test/x.png", True),
        ("http://secure.test/x.png", False),
        ("http://secure.test:443/x.png", False),
        ("https://secure.test:80/x.png", False),
        ("http://images.test/x.png", True),
        ("http://images.test:80/x.png", True),
        ("https://images.test/x.png", True),
        ("https://unknown.test/x.png", False),
        ("https://test/x.png", False),
    ],
)
async def test_plain_http_is_only_for_hosts_written_so(
    fetcher: Fetcher, url: str, is_allowed: bool
) -> None:
    assert fetcher.allows(url) is is_allowed


@pytest.mark.parametrize(
    "entry",
    ["https://a.test", "a.test:80", "a.test/x", "*.a.test", "u@a.test", "a..test", ".", "", "a b"],
)
async def test_a_wrong_entry_among_the_hosts_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="bare host names"):
        Fetcher(frozenset({entry}))


async def test_a_body_of_ten_megabytes_is_the_most(fetcher: Fetcher, canary: Canary) -> None:
    sizes = iter([MAX_BYTES, MAX_BYTES + 1])

    async def send(_request: web.Request) -> web.Response:
        return web.Response(body=bytes(next(sizes)))

    canary.answer = send
    assert len(await fetcher.fetch(f"http://{HOST}/")) == MAX_BYTES
    with pytest.raises(FetchTooLarge):
        await fetcher.fetch(f"http://{HOST}/")


async def test_a_body_without_an_end_is_cut_off(fetcher: Fetcher, canary: Canary) -> None:
    sent_bytes = 0

    async def send(request: web.Request) -> web.StreamResponse:
        nonlocal sent_bytes
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(1024**2))
            sent_bytes += 1024**2

    canary.answer = send
    with pytest.raises(FetchTooLarge):
        await fetcher.fetch(f"http://{HOST}/")
    assert sent_bytes < 2 * MAX_BYTES


async def test_a_packed_body_is_not_unpacked(fetcher: Fetcher, canary: Canary) -> None:
    async def send(_request: web.Request) -> web.Response:
        return web.Response(body=b"packed", headers={"Content-Encoding": "gzip"})

    canary.answer = send
    assert await fetcher.fetch(f"http://{HOST}/") == b"packed"


async def test_a_slow_server_is_given_up_in_time(canary: Canary) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.02)

    canary.answer = drip
    names = Names(canary.port, {HOST: [["127.0.0.1"]]})
    async with (
        asyncio.timeout(60),
        a_fetcher(f"http://{HOST}", resolver=names, may_connect=anywhere, total_s=0.3) as fetcher,
    ):
        with pytest.raises(FetchFailed):
            await fetcher.fetch(f"http://{HOST}/")


async def test_a_fetch_that_is_cancelled_is_not_taken_for_a_failure(
    fetcher: Fetcher, canary: Canary
) -> None:
    asked = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        return web.Response()

    canary.answer = hang
    fetching = asyncio.ensure_future(fetcher.fetch(f"http://{HOST}/"))
    await asked.wait()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching


async def test_redirects_in_a_circle_end(fetcher: Fetcher, canary: Canary) -> None:
    async def circle(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/")

    canary.answer = circle
    with pytest.raises(FetchRefused):
        await fetcher.fetch(f"http://{HOST}/")
    assert len(canary.seen) == 6


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 204, 206, 300, 304])
async def test_an_answer_without_an_image_is_for_good(
    fetcher: Fetcher, canary: Canary, status: int
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    canary.answer = answer
    with pytest.raises(FetchRefused):
        await fetcher.fetch(f"http://{HOST}/")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_an_answer_of_a_busy_server_may_pass(
    fetcher: Fetcher, canary: Canary, status: int
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    canary.answer = answer
    with pytest.raises(FetchFailed):
        await fetcher.fetch(f"http://{HOST}/")


async def test_a_broken_connection_may_pass(fetcher: Fetcher, canary: Canary) -> None:
    async def reset(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    canary.answer = reset
    with pytest.raises(FetchFailed):
        await fetcher.fetch(f"http://{HOST}/")


async def test_half_a_body_is_not_taken_for_an_image(fetcher: Fetcher, canary: Canary) -> None:
    async def stop(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(bytes(500))
        assert request.transport is not None
        request.transport.abort()
        return response

    canary.answer = stop
    with pytest.raises(FetchFailed):
        await fetcher.fetch(f"http://{HOST}/")


async def test_a_server_that_speaks_no_http_may_pass(fetcher: Fetcher, canary: Canary) -> None:
    async def garble(request: web.Request) -> web.Response:
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.write(b"\x00\x01garbage\r\n\r\n")
        request.transport.close()
        return web.Response()

    canary.answer = garble
    with pytest.raises(FetchFailed):
        await fetcher.fetch(f"http://{HOST}/")


async def test_a_name_that_nobody_knows_may_pass(fetcher: Fetcher) -> None:
    with pytest.raises(FetchFailed):
        await fetcher.fetch("https://secure.test/")


async def test_a_certificate_of_somebody_else_is_for_good(canary: Canary, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(tmp_path))
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    names = Names(port, {"secure.test": [["127.0.0.1"]]})
    async with server, a_fetcher("secure.test", resolver=names, may_connect=anywhere) as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.fetch("https://secure.test/")


async def test_a_fetcher_may_be_closed_twice() -> None:
    fetcher = Fetcher(frozenset())
    await fetcher.close()
    await fetcher.close()


def _self_signed(folder: Path) -> Path:
    """A certificate that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "secure.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("secure.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "self-signed.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
