"""Every way that we know to make the service fetch from inside, and that none of them works."""

from __future__ import annotations

import ipaddress
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientConnectorError, ClientSession, web

from service.fetching import Fetcher, FetchRefused
from service.outbound import AddressRefused, guarded_connector, is_public
from tests.fetching.corpus import FORM, INSIDE, LOOPBACK
from tests.fetching.outside import HOST, PICTURE, Audit, Canary, Names, a_fetcher

ALL = [*LOOPBACK.values(), *INSIDE.values()]
# those that can be written into IMAGE_HOSTS; the others stop the start
LISTABLE = [
    url
    for url in ALL
    if not set(urlsplit(url).netloc) & set("[]:%\u00ad\u200b") and not url.endswith("./")
]
# what a name service can answer with: numbers, and nonsense in place of them
ANSWERS = [urlsplit(url).hostname or "" for url in ALL]


@pytest.mark.parametrize("url", ALL, ids=ascii)
async def test_an_address_inside_is_no_allowed_host(
    fetcher: Fetcher, canary: Canary, audit: Audit, url: str
) -> None:
    assert not fetcher.allows(url)
    with pytest.raises(FetchRefused):
        await fetcher.fetch(url)
    assert audit.connected == []
    assert canary.seen == []


@pytest.mark.parametrize("url", FORM.values(), ids=FORM)
async def test_a_url_of_a_wrong_form_is_refused(
    fetcher: Fetcher, canary: Canary, audit: Audit, url: str
) -> None:
    url = url.replace("ALLOWED", HOST).replace("ALL\tOWED", "images\t.test")
    assert not fetcher.allows(url)
    with pytest.raises(FetchRefused):
        await fetcher.fetch(url)
    assert audit.connected == []
    assert canary.seen == []


@pytest.mark.parametrize("url", LISTABLE, ids=ascii)
async def test_an_address_inside_is_refused_even_when_the_operator_lists_it(
    canary: Canary, audit: Audit, url: str
) -> None:
    """Where the list lets it through, the check at connect time is alone: it has to hold."""
    names = Names(canary.port)
    async with a_fetcher(f"http://{urlsplit(url).netloc}", resolver=names) as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.fetch(url)
    assert audit.connected == []
    assert canary.seen == []


@pytest.mark.parametrize("url", ALL, ids=ascii)
async def test_a_guarded_connector_never_connects_inside(
    canary: Canary, audit: Audit, url: str
) -> None:
    """As it will be used for hosts that nobody listed: whatever aiohttp makes of the URL."""
    async with ClientSession(connector=guarded_connector(resolver=Names(canary.port))) as session:
        with pytest.raises((OSError, ValueError)):
            await session.get(url)
    assert audit.connected == []
    assert canary.seen == []


@pytest.mark.parametrize("url", ALL, ids=ascii)
async def test_a_redirect_inside_is_refused(
    fetcher: Fetcher, canary: Canary, audit: Audit, url: str
) -> None:
    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": url})

    canary.answer = redirect
    with pytest.raises(FetchRefused):
        await fetcher.fetch(f"http://{HOST}/")
    assert len(canary.seen) == 1
    assert audit.connected == [("127.0.0.1", canary.port)], "the first request and no other"


@pytest.mark.parametrize(
    "location",
    [
        "",
        "//127.0.0.1/",
        "\\\\127.0.0.1\\",
        "/\\127.0.0.1",
        "http://images.test:8080/",
        "http://user@images.test/",
        "http://secure.test/",
        "https://unknown.test/",
        "file:///etc/passwd",
        "data:image/png,x",
        "ftp://images.test/x",
        "http://images.test\t/",
        "http://[::1",
        "/" + "a" * 2_048,
    ],
    ids=ascii,
)
async def test_a_redirect_to_a_wrong_form_is_refused(
    fetcher: Fetcher, canary: Canary, location: str
) -> None:
    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    canary.answer = redirect
    with pytest.raises(FetchRefused):
        await fetcher.fetch(f"http://{HOST}/")
    assert len(canary.seen) == 1


@pytest.mark.parametrize("address", ANSWERS, ids=ascii)
async def test_a_name_that_points_inside_is_refused(
    canary: Canary, audit: Audit, address: str
) -> None:
    names = Names(canary.port, {HOST: [[address]]})
    async with a_fetcher(f"http://{HOST}", resolver=names) as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.fetch(f"http://{HOST}/")
    assert names.asked == [HOST]
    assert audit.connected == []
    assert canary.seen == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["93.184.215.14", "127.0.0.1"],
        ["127.0.0.1", "93.184.215.14"],
        ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:127.0.0.1"],
        ["93.184.215.14", "fd00:ec2::254"],
    ],
    ids=str,
)
async def test_a_name_with_one_address_inside_is_refused_whole(
    canary: Canary, audit: Audit, addresses: list[str]
) -> None:
    names = Names(canary.port, {HOST: [addresses]})
    async with a_fetcher(f"http://{HOST}", resolver=names) as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.fetch(f"http://{HOST}/")
    assert audit.connected == []


async def test_a_name_that_moves_inside_between_two_requests_is_refused(
    canary: Canary, audit: Audit
) -> None:
    """127.0.0.1 stands for a public address here, 127.0.0.2 for one inside."""
    names = Names(canary.port, {HOST: [["127.0.0.1"], ["127.0.0.2"]]})

    async def redirect(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/again")

    canary.answer = redirect
    async with a_fetcher(
        f"http://{HOST}", resolver=names, may_connect=lambda address: str(address) == "127.0.0.1"
    ) as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.fetch(f"http://{HOST}/")
    assert names.asked == [HOST, HOST], "each connection resolves anew"
    assert audit.connected == [("127.0.0.1", canary.port)]


async def test_what_was_checked_is_what_is_connected_to(canary: Canary, audit: Audit) -> None:
    """A second look-up after the check would be answered with an address inside."""
    names = Names(canary.port, {HOST: [["127.0.0.1"], ["127.0.0.2"]]})
    async with a_fetcher(
        f"http://{HOST}", resolver=names, may_connect=lambda address: str(address) == "127.0.0.1"
    ) as fetcher:
        assert await fetcher.fetch(f"http://{HOST}/") == PICTURE
    assert names.asked == [HOST]
    assert audit.connected == [("127.0.0.1", canary.port)]


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.215.14",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450:4001:81b::200e",
        "2001:4860:4860::8888",
        "2620:fe::fe",
    ],
)
def test_an_ordinary_address_is_public(address: str) -> None:
    assert is_public(ip_address(address))


def test_no_address_that_carries_a_private_one_is_public() -> None:
    carried = ipaddress.IPv4Address("10.1.2.3")
    low = int(carried)
    carriers = {
        "mapped": (0xFFFF << 32) | low,
        "compatible": low,
        "translated": (0xFFFF << 48) | low,
        "NAT64": (0x64FF9B << 96) | low,
        "6to4": (0x2002 << 112) | (low << 80),
        "Teredo's server": (0x20010000 << 96) | (low << 64),
        "Teredo's client": (0x20010000 << 96) | (low ^ 0xFFFFFFFF),
    }
    assert {
        kind for kind, number in carriers.items() if is_public(ipaddress.IPv6Address(number))
    } == set()


async def test_a_refused_address_is_found_in_the_connector_s_error(canary: Canary) -> None:
    async with ClientSession(connector=guarded_connector()) as session:
        for url in ("http://127.0.0.1/", "http://localhost/"):
            with pytest.raises(ClientConnectorError) as raised:
                await session.get(url)
            assert isinstance(raised.value.os_error, AddressRefused)
