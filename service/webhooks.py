"""Tell users' own servers that tasks have ended, by the rules of Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from ssl import SSLContext, SSLError
from typing import Any

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar
from aiohttp.abc import AbstractResolver
from structlog.contextvars import bound_contextvars
from yarl import URL

from service.metrics import Metrics
from service.outbound import AddressRefused, AddressRule, guarded_connector, is_public
from storage.database import DatabaseUnavailable
from storage.deliveries import Claimed, Deliveries, Trouble
from storage.task import Task
from storage.tasks import Tasks

log = structlog.get_logger()

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with
SECRET_BYTES = 32
MAX_URL_CHARS = 2_048
# what the specification proposes to wait after the first, second, … attempt
RETRY_AFTER_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER = 0.1
MOST_RETRY_AFTER_S = 86_400
ATTEMPT_S = 15.0
LEASE_S = 2 * ATTEMPT_S
POLL_S = 0.5
TIDY_EVERY_S = 600.0
AT_ONCE = 32
ENDING_S = 5.0
HEADERS = {"User-Agent": "concept-refiner/1 (webhooks)", "Content-Type": "application/json"}

type Show = Callable[[Task], Awaitable[dict[str, Any]]]
"""A task as its owner sees it in the API."""


def may_be_told(url: str) -> bool:
    """Whether deliveries may be sent to the URL, as far as its text tells.

    It has to be https. What its name stands for is looked at for every connection.
    """
    try:
        target = URL(url)
        host, port = target.raw_host, target.port
    except ValueError:
        return False
    is_https = target.scheme == "https" and bool(host) and port is not None and port > 0
    if not is_https or len(url) > MAX_URL_CHARS or "@" in target.raw_authority or target.fragment:
        return False
    try:
        return is_public(ip_address(host or ""))
    except ValueError:
        return True


def new_secret() -> bytes:
    """A secret for a new webhook."""
    return secrets.token_bytes(SECRET_BYTES)


def shown_secret(secret: bytes) -> str:
    """The secret as receivers configure it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signed_headers(secret: bytes, message_id: str, sent_at_s: int, body: bytes) -> dict[str, str]:
    """The three headers by which a receiver knows that the body is ours, and this attempt."""
    signed = f"{message_id}.{sent_at_s}.".encode() + body
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at_s),
        "webhook-signature": f"v1,{signature}",
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `retry_after_s` is what the receiver asks for, if anything."""

    status: int
    retry_after_s: float = 0.0


class Courier:
    """Sends what is owed; run by every worker, no leader. At least once, in no order.

    Make it inside a running loop. `resolver` and `may_connect` are how names become addresses and
    which of those are connected to, `tls` is how certificates are checked.
    """

    def __init__(
        self,
        deliveries: Deliveries,
        tasks: Tasks,
        metrics: Metrics,
        *,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
        attempt_s: float = ATTEMPT_S,
        lease_s: float = LEASE_S,
        resolver: AbstractResolver | None = None,
        may_connect: AddressRule = is_public,
        tls: SSLContext | bool = True,
    ) -> None:
        self._deliveries = deliveries
        self._tasks = tasks
        self._metrics = metrics
        self._retry_after_s = retry_after_s
        self._lease_s = lease_s
        self._tls = tls
        self._session = ClientSession(
            connector=guarded_connector(may_connect=may_connect, resolver=resolver),
            cookie_jar=DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers=HEADERS,
            timeout=ClientTimeout(total=attempt_s),
        )

    async def close(self) -> None:
        """Let go of connections; safe to call twice."""
        await self._session.close()

    async def run(self, show: Show) -> None:
        """Send until cancelled; then what is under way gets a few seconds to end."""
        under_way: set[asyncio.Task[None]] = set()
        tidying = asyncio.create_task(self._tidy())
        try:
            while True:
                for claimed in await self._claim(AT_ONCE - len(under_way)):
                    sending = asyncio.create_task(self._attempt(claimed, show))
                    under_way.add(sending)
                    sending.add_done_callback(under_way.discard)
                await asyncio.sleep(POLL_S)
        finally:
            tidying.cancel()
            if under_way:
                await asyncio.wait(under_way, timeout=ENDING_S)
            for sending in under_way:
                sending.cancel()
            await asyncio.gather(tidying, *under_way, return_exceptions=True)

    async def _claim(self, limit: int) -> list[Claimed]:
        try:
            if limit > 0:
                return await self._deliveries.claim(limit=limit, lease_s=self._lease_s)
        except DatabaseUnavailable:
            log.warning("deliveries_not_claimed")
        return []

    async def _tidy(self) -> None:
        while True:
            try:
                await self._deliveries.forget_old()
            except DatabaseUnavailable:
                log.warning("deliveries_not_tidied")
            await asyncio.sleep(TIDY_EVERY_S)

    async def _attempt(self, claimed: Claimed, show: Show) -> None:
        """Send one delivery and note what became of it; unnoted, it is due when its lease ends."""
        with bound_contextvars(
            delivery_id=str(claimed.id),
            webhook_id=str(claimed.webhook_id),
            task_id=str(claimed.task_id),
        ):
            try:
                outcome = await self._outcome_of(claimed, show)
            except DatabaseUnavailable:
                log.warning("delivery_not_noted", attempt=claimed.attempt)
                return
            self._metrics.deliveries.labels(outcome).inc()
            log.info("delivery_attempted", attempt=claimed.attempt, outcome=outcome)

    async def _outcome_of(self, claimed: Claimed, show: Show) -> str:
        try:
            return await self._send(claimed, show)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("delivery_broke")
            return await self._later(claimed, Trouble.INTERNAL_ERROR, None)

    async def _send(self, claimed: Claimed, show: Show) -> str:
        body = await self._body_of(claimed, show)
        if body is None:
            return await self._later(claimed, Trouble.TASK_DELETED, None, is_last=True)
        try:
            answer = await self._post(claimed, body)
        except TimeoutError:
            return await self._later(claimed, Trouble.TIMED_OUT, None)
        except (ClientError, OSError, ValueError) as error:
            return await self._later(claimed, _trouble_in(error), None)
        if 200 <= answer.status < 300:
            await self._deliveries.delivered(claimed, answer.status)
            return "delivered"
        if answer.status == 410:
            await self._deliveries.gone(claimed, answer.status)
            return Trouble.GONE
        trouble = Trouble.REDIRECTED if 300 <= answer.status < 400 else Trouble.REFUSED
        return await self._later(claimed, trouble, answer)

    async def _body_of(self, claimed: Claimed, show: Show) -> bytes | None:
        """The event as JSON; None when its task has been deleted since."""
        happened_at = claimed.created_at
        data: dict[str, Any] = {"webhook_id": str(claimed.webhook_id)}
        if claimed.task_id is not None:
            task = await self._tasks.get(claimed.user_id, claimed.task_id)
            if task is None:
                return None
            happened_at, data = task.completed_at or happened_at, await show(task)
        event = {"type": claimed.event, "timestamp": _shown(happened_at), "data": data}
        return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()

    async def _post(self, claimed: Claimed, body: bytes) -> Answer:
        headers = signed_headers(claimed.secret, str(claimed.id), claimed.sent_at_s, body)
        # what the body of the answer says is nobody's business, so it is not even read
        async with self._session.post(
            URL(claimed.url), data=body, headers=headers, allow_redirects=False, ssl=self._tls
        ) as response:
            wanted = response.headers.get("Retry-After", "")
            is_number = wanted.isascii() and wanted.isdigit() and len(wanted) < 10
            return Answer(response.status, float(wanted) if is_number else 0.0)

    async def _later(
        self, claimed: Claimed, trouble: Trouble, answer: Answer | None, *, is_last: bool = False
    ) -> str:
        """Note a failed attempt and when the next one is, if there is one."""
        wait_s: float | None = None
        if not is_last and claimed.attempt <= len(self._retry_after_s):
            wait_s = self._retry_after_s[claimed.attempt - 1]
        jitter_s = JITTER * (wait_s or 0)
        if wait_s is not None and answer is not None:
            wait_s = max(wait_s, min(answer.retry_after_s, MOST_RETRY_AFTER_S))
        await self._deliveries.failed(
            claimed,
            trouble,
            answer.status if answer else None,
            retry_after_s=wait_s,
            jitter_s=jitter_s,
        )
        return trouble


def _trouble_in(error: BaseException | None) -> Trouble:
    """What is behind a failure to connect."""
    while error is not None:
        if isinstance(error, AddressRefused):
            return Trouble.ADDRESS_REFUSED
        if isinstance(error, SSLError):
            return Trouble.CERTIFICATE_INVALID
        error = error.__cause__
    return Trouble.UNREACHABLE


def _shown(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
