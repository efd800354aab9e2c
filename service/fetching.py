"""Fetch an image from an outside host that the operator allows, and from nowhere else."""

from __future__ import annotations

import asyncio
import re
from ssl import SSLCertVerificationError

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

from service.outbound import AddressRefused, AddressRule, guarded_connector, is_public

MAX_BYTES = 10 * 1024 * 1024
MAX_URL_CHARS = 2_048
MAX_REDIRECTS = 5
TOTAL_S = 30.0
CONNECT_S = 10.0
CHUNK_BYTES = 64 * 1024
HEADERS = {
    "User-Agent": "concept-refiner/1 (fetches an image that a user named)",
    "Accept": "image/png, image/jpeg, image/webp",
    "Accept-Encoding": "identity",
}
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# answers that may be another one in a minute; every other refusal is taken as meant
_PASSING = frozenset({408, 425, 429})
# what parsers drop, turn around or disagree about
_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f-\x9f\\]")

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


class FetchRefused(Exception):
    """The image is not at an address that may be fetched."""


class FetchFailed(Exception):
    """The image could not be fetched at the moment."""


class FetchTooLarge(Exception):
    """The image is larger than may be fetched."""


class Fetcher:
    """Fetches from exactly the given hosts: over https, and over plain http only from those written
    as `http://host`.

    Every redirect is checked like the first address, and every address that a name stands for when
    the connection is made. Make it inside a running loop. `resolver` and `may_connect` are how
    names become addresses and which of those are connected to; `total_s` bounds one fetch with all
    its redirects.
    """

    def __init__(
        self,
        hosts: frozenset[str],
        *,
        resolver: AbstractResolver | None = None,
        may_connect: AddressRule = is_public,
        total_s: float = TOTAL_S,
    ) -> None:
        self._origins = frozenset(origin for host in hosts for origin in _origins_of(host))
        self._total_s = total_s
        self._session = ClientSession(
            connector=guarded_connector(may_connect=may_connect, resolver=resolver),
            cookie_jar=DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers=HEADERS,
            timeout=ClientTimeout(total=None, sock_connect=CONNECT_S),
        )

    def allows(self, url: str) -> bool:
        """Whether the URL is well-formed and points to an allowed host; nothing is looked up."""
        return self._allowed(url) is not None

    async def fetch(self, url: str) -> bytes:
        """The body at the URL, 10 MB at most; what it is, is for others to find out.

        Raises `FetchRefused` when it is not to be had, `FetchFailed` when another try may help,
        `FetchTooLarge`.
        """
        try:
            async with asyncio.timeout(self._total_s):
                return await self._follow(url)
        except (ClientError, OSError) as error:
            if _is_for_good(error):
                raise FetchRefused(FetchRefused.__doc__) from error
            raise FetchFailed(FetchFailed.__doc__) from error

    async def close(self) -> None:
        """Let go of connections; safe to call twice."""
        await self._session.close()

    async def _follow(self, url: str) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            target = self._allowed(url)
            if target is None:
                break
            async with self._session.get(target, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await _body_of(response)
                url = _next_of(target, response)
        raise FetchRefused(FetchRefused.__doc__)

    def _allowed(self, url: str) -> URL | None:
        """The URL as it will be requested, when it may be."""
        if len(url) > MAX_URL_CHARS or _NEVER_IN_A_URL.search(url):
            return None
        try:
            target = URL(url)
            is_plain = target.raw_user is None and target.raw_password is None
            origin = (target.scheme, target.raw_host or "")
            port = target.port
        except ValueError:
            return None
        # user info may be there and empty
        if not is_plain or "@" in target.raw_authority or "@" in _authority_in(url):
            return None
        return target if origin in self._origins and port == _PORTS[origin[0]] else None


def _origins_of(entry: str) -> list[tuple[str, str]]:
    """The schemes and host that an entry of the operator's list allows. Raises `ValueError`."""
    name = entry.removeprefix("http://")
    try:
        host = URL.build(scheme="https", host=name).raw_host or ""
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host):
        raise ValueError("must be bare host names, with http:// before those without https")
    return [("https", host)] + ([("http", host)] if name != entry else [])


def _authority_in(url: str) -> str:
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]


def _next_of(target: URL, response: ClientResponse) -> str:
    """The absolute URL that a redirect points to."""
    location = response.headers.get("Location", "")
    if not location or _NEVER_IN_A_URL.search(location):
        raise FetchRefused(FetchRefused.__doc__)
    try:
        return str(target.join(URL(location)))
    except ValueError as error:
        raise FetchRefused(FetchRefused.__doc__) from error


async def _body_of(response: ClientResponse) -> bytes:
    if response.status in _PASSING or response.status >= 500:
        raise FetchFailed(FetchFailed.__doc__)
    if response.status != 200:
        raise FetchRefused(FetchRefused.__doc__)
    if (response.content_length or 0) > MAX_BYTES:
        raise FetchTooLarge(FetchTooLarge.__doc__)
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_BYTES:
            raise FetchTooLarge(FetchTooLarge.__doc__)
    return bytes(body)


def _is_for_good(error: BaseException | None) -> bool:
    """Whether a forbidden or impossible address or a wrong certificate is behind a failure."""
    while error is not None:
        if isinstance(error, AddressRefused | InvalidURL | SSLCertVerificationError):
            return True
        error = error.__cause__
    return False
