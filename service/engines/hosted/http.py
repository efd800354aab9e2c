"""Send one request to a provider and bring the whole answer back, or say why there is none."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import structlog
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    FormData,
    TCPConnector,
)
from multidict import CIMultiDict, CIMultiDictProxy

from service.engines.hosted.answers import Answer
from service.engines.hosted.delays import retry_after_s
from service.outbound import AddressRefused, AddressRule, guarded_connector, is_public

log = structlog.get_logger()

CONNECT_S = 10.0
CHUNK_BYTES = 64 * 1024
# an image of 10 MB in base64, with room for what stands around it
MAX_ANSWER_BYTES = 16 * 1024 * 1024
SHOWN_CHARACTERS = 500
USER_AGENT = "concept-refiner/1"


class NotSent(Exception):
    """The request has not reached the provider."""


class AnswerLost(Exception):
    """The request may have been carried out, but its answer did not arrive."""


class WrongAddress(Exception):
    """The request would have gone to an address that is not of the public internet."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a multipart form; with `filename` it is a file of `content_type`."""

    name: str
    value: str | bytes
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `headers` may hold a key: they are never logged."""

    method: Literal["GET", "POST", "PUT"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: tuple[Part, ...] = ()

    def signed(self, headers: Mapping[str, str]) -> Call:
        """The same request with these headers too."""
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True, slots=True)
class Retry:
    """When a request is sent again: after such an answer, and with `lost` after one that did not
    arrive. What was never sent is always sent again. `tries` counts all, and `limit_s` bounds
    each."""

    after: Callable[[Answer], bool]
    lost: bool
    tries: int
    limit_s: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait between requests, in seconds. `longest_wait_s` is what a provider may ask
    for before the wait is better spent in the queue."""

    retry_first_s: float = 0.5
    retry_most_s: float = 8.0
    longest_wait_s: float = 15.0
    poll_first_s: float = 0.5
    poll_most_s: float = 5.0


class Http:
    """Two ways out: one for the operator's chosen addresses, which may carry a key, and one for
    addresses that a provider hands out, which only leads to the public internet.

    No connection is used twice: one that the provider has just closed would leave it open whether
    a paid request was carried out. Make it inside a running loop.
    """

    def __init__(self, pace: Pace, *, may_connect: AddressRule = is_public) -> None:
        self.pace = pace
        self._chosen = _session(TCPConnector(force_close=True))
        self._handed_out = _session(guarded_connector(may_connect=may_connect))

    async def send(self, call: Call, retry: Retry, *, handed_out: bool = False) -> Answer:
        """The answer, whatever its status; redirects are not followed.

        Raises `NotSent`, `AnswerLost`, and for what was handed out `WrongAddress`.
        """
        session = self._handed_out if handed_out else self._chosen
        for tries_left in reversed(range(retry.tries)):
            wait_s = 0.0
            try:
                answer = await _once(session, call, retry.limit_s)
            except (NotSent, AnswerLost) as error:
                if not tries_left or (isinstance(error, AnswerLost) and not retry.lost):
                    raise
            else:
                wait_s = retry_after_s(answer) or 0.0
                if not (tries_left and retry.after(answer)) or wait_s > self.pace.longest_wait_s:
                    return answer
            await asyncio.sleep(wait_s + self._jitter(retry.tries - tries_left))
        raise NotSent

    def _jitter(self, tries: int) -> float:
        """Full jitter. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/"""
        return random.uniform(
            0, min(self.pace.retry_most_s, self.pace.retry_first_s * 2 ** (tries - 1))
        )

    async def close(self) -> None:
        """Let go of connections; safe to call twice."""
        await self._chosen.close()
        await self._handed_out.close()


def _session(connector: TCPConnector) -> ClientSession:
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        auto_decompress=False,
        timeout=ClientTimeout(total=None, connect=CONNECT_S, sock_connect=CONNECT_S),
    )


async def _once(session: ClientSession, call: Call, limit_s: float | None) -> Answer:
    try:
        async with (
            asyncio.timeout(limit_s),
            session.request(
                call.method,
                call.url,
                headers=call.headers,
                json=call.json,
                data=_form(call.form),
                allow_redirects=False,
            ) as response,
        ):
            answer = Answer(response.status, _headers(response), await _body(response))
    except (ClientConnectorError, ConnectionTimeoutError, ValueError) as error:
        _note(call, type(error).__name__)
        # the cause names the host
        raise (WrongAddress if _is_refused(error) else NotSent) from None
    except (ClientError, TimeoutError, OSError) as error:
        _note(call, type(error).__name__)
        raise AnswerLost from None
    _note(call, answer.status, answer.body if answer.status >= 400 else b"")
    return answer


def _is_refused(error: Exception) -> bool:
    return isinstance(error, ClientConnectorError) and isinstance(error.os_error, AddressRefused)


def _headers(response: ClientResponse) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict(response.headers))


async def _body(response: ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            # cut off, so that it is neither JSON nor an image
            return b""
    return bytes(body)


def _form(parts: tuple[Part, ...]) -> FormData | None:
    if not parts:
        return None
    form = FormData()
    for part in parts:
        form.add_field(
            part.name, part.value, filename=part.filename, content_type=part.content_type
        )
    return form


def _note(call: Call, outcome: int | str, body: bytes = b"") -> None:
    """What an operator needs to see at debug level, without the secrets of the request."""
    said = body[: 4 * SHOWN_CHARACTERS].decode("utf-8", "replace")
    for value in call.headers.values():
        said = said.replace(value, "…").replace(value.partition(" ")[2] or value, "…")
    log.debug(
        "provider_answered", method=call.method, outcome=outcome, said=said[:SHOWN_CHARACTERS]
    )
