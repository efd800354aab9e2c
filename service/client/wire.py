"""Carry requests to the service, again where that is safe, and turn refusals into errors."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from .errors import ClientError, Refused, Unavailable, refusal
from .records import Json

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
BASE_PAUSE_S = 0.25
MOST_PAUSE_S = 8.0
NOT_DONE = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Answers to what may be asked again in a moment."""
PERHAPS_DONE = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""The same, where something in between does not know whether it was done."""
FAULTS = (aiohttp.ClientError, TimeoutError)
"""How a connection fails, where another may work."""
HOPELESS = (aiohttp.InvalidURL, aiohttp.ClientSSLError)
"""Those of them that no other try would help."""

type MakeBody = Callable[[], aiohttp.FormData | bytes]
"""Makes the body anew for each try."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        """The body as JSON. Raises `Refused` for what no refinement service would say."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Refused("not_understood", "This is not a refinement service.") from error

    @property
    def retry_after_s(self) -> float | None:
        """The seconds that the service asks to be left alone."""
        text = self.headers.get("Retry-After", "")
        return float(text) if text.isascii() and text.isdigit() else None

    @property
    def refusal(self) -> ClientError:
        """The error that it stands for."""
        try:
            problem = json.loads(self.body)
        except ValueError:
            problem = None
        return refusal(self.status, problem, self.headers.get("X-Request-ID"))


@dataclass
class Pauses:
    """The pauses between tries: full jitter, or what the service asks for, until patience ends."""

    patience_s: float
    tries: int = 0
    begin_s: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    async def next(self, reason: ClientError, asked_s: float | None = None) -> None:
        """Wait before another try; raises the reason when that would take too long."""
        most_s = min(MOST_PAUSE_S, BASE_PAUSE_S * 2**self.tries)
        pause_s = random.uniform(0, most_s) + (asked_s or 0)
        self.tries += 1
        if asyncio.get_running_loop().time() - self.begin_s + pause_s > self.patience_s:
            raise reason
        await asyncio.sleep(pause_s)


class Wire:
    """One service, as one user. `token` is None for nobody."""

    def __init__(self, url: str, token: str | None, patience_s: float) -> None:
        self.token = token
        self.patience_s = patience_s
        self._url = url.rstrip("/")
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=READ_TIMEOUT_S
            )
        )

    async def close(self) -> None:
        """Close the connections; safe to call twice."""
        await self._session.close()

    def open(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: MakeBody | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """A response as it comes. A path is the service's own; an address is told no token."""
        is_ours = path.startswith("/")
        signed = {"Authorization": f"Bearer {self.token}"} if is_ours and self.token else {}
        return self._session.request(
            method,
            f"{self._url}{path}" if is_ours else path,
            headers={**signed, **(headers or {})},
            data=body() if body else None,
        )

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: MakeBody | None = None,
        may_repeat: bool = True,
        patience_s: float | None = None,
    ) -> Answer:
        """The answer, after as many tries as there is patience for.

        `may_repeat` tells that doing it twice is the same as once; what was certainly not done is
        tried again in any case. Raises `Unavailable`.
        """
        pauses = Pauses(self.patience_s if patience_s is None else patience_s)
        while True:
            try:
                async with self.open(method, path, headers=headers, body=body) as response:
                    answer = Answer(response.status, response.headers, await response.read())
            except FAULTS as error:
                fault = Unavailable("unreachable", f"Cannot reach {self._url}.")
                was_sent = not isinstance(error, aiohttp.ClientConnectorError)
                if isinstance(error, HOPELESS) or (was_sent and not may_repeat):
                    raise fault from error
                await pauses.next(fault)
                continue
            is_passing = answer.status in NOT_DONE or (may_repeat and answer.status in PERHAPS_DONE)
            if not is_passing or answer.refusal.code == "quota_exceeded":
                return answer
            await pauses.next(answer.refusal, answer.retry_after_s)
