"""Gather messages into batches and send them until they are accepted or their time is up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from queueing.contract import (
    Message,
    QueueClosed,
    QueueMisconfigured,
    QueueUnavailable,
    carried_bytes,
)
from queueing.pubsub.backoff import Backoff
from queueing.pubsub.broker import Refused

BATCH_DELAY_S = 0.005
BATCH_MESSAGES = 100
BATCH_BYTES = 700_000  # a megabyte in JSON's base64; a larger message travels alone
SENDERS = 4
RETRY_CAP_S = 2.0


@dataclass(slots=True, eq=False)
class _Call:
    """One caller's wait: done when the last of its messages was accepted, or one was not."""

    open: int
    done: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    last_failure: Exception | None = None

    def accept_one(self) -> None:
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(frozen=True, slots=True)
class _Outgoing:
    message: Message
    call: _Call

    def is_awaited(self) -> bool:
        return not self.call.done.done()


class Publisher:
    """Batches what several callers publish; `send` gets 100 messages at most.

    A batch leaves a few milliseconds after its first message, or when it is full, or, while all
    senders are busy, when one is free again.
    """

    def __init__(
        self, send: Callable[[Sequence[Message]], Awaitable[None]], *, timeout_s: float
    ) -> None:
        self.refusal: QueueMisconfigured | None = None
        self._send = send
        self._timeout_s = timeout_s
        self._pending: deque[_Outgoing] = deque()
        self._senders: set[asyncio.Task[None]] = set()
        self._calls: set[_Call] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return once all are accepted; `QueueUnavailable` when some were not in time."""
        if not messages:
            return
        call = _Call(len(messages))
        self._pending.extend(_Outgoing(message, call) for message in messages)
        if len(self._pending) >= BATCH_MESSAGES:
            self._start_sender()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(BATCH_DELAY_S, self._start_sender)
        self._calls.add(call)
        try:
            async with asyncio.timeout(self._timeout_s):
                await call.done
        except TimeoutError as error:
            raise QueueUnavailable(
                f"publishing did not work within {self._timeout_s:g} s: {call.last_failure}"
            ) from (call.last_failure or error)
        finally:
            self._calls.discard(call)

    async def close(self, *, limit_s: float) -> None:
        """Send what is pending. Whoever still waits at the limit is told that it was closed."""
        self._start_sender()
        if self._senders:
            _, late = await asyncio.wait(self._senders, timeout=limit_s)
            for sender in late:
                sender.cancel()
            for call in self._calls:
                call.fail(QueueClosed())

    def _start_sender(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending and len(self._senders) < SENDERS:
            self._senders.add(asyncio.create_task(self._send_pending()))

    async def _send_pending(self) -> None:
        try:
            while batch := self._next_batch():
                await self._deliver(batch)
        finally:
            # Not in a callback: a batch that forms before it ran would find all senders taken.
            self._senders.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _next_batch(self) -> list[_Outgoing]:
        batch: list[_Outgoing] = []
        room_bytes = BATCH_BYTES
        while self._pending and len(batch) < BATCH_MESSAGES:
            room_bytes -= carried_bytes(self._pending[0].message)
            if batch and room_bytes < 0:
                break
            batch.append(self._pending.popleft())
        return batch

    async def _deliver(self, batch: list[_Outgoing]) -> None:
        """Try until accepted or refused, or until nobody waits for any of it any more."""
        backoff = Backoff(cap_s=RETRY_CAP_S)
        while batch := [outgoing for outgoing in batch if outgoing.is_awaited()]:
            try:
                await self._send([outgoing.message for outgoing in batch])
            except QueueUnavailable as error:
                for outgoing in batch:
                    outgoing.call.last_failure = error
                await asyncio.sleep(backoff.next_s())
                continue
            except Refused as error:
                await self._deliver_apart(batch, error)
            except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it was
                if isinstance(error, QueueMisconfigured):
                    self.refusal = error
                for outgoing in batch:
                    outgoing.call.fail(error)
            else:
                self.refusal = None
                for outgoing in batch:
                    outgoing.call.accept_one()
            return

    async def _deliver_apart(self, batch: list[_Outgoing], refused: Refused) -> None:
        """Find by halving which message it was: it alone fails, and holds up no other."""
        if len(batch) == 1:
            batch[0].call.fail(ValueError(str(refused)))
            return
        middle = len(batch) // 2
        await self._deliver(batch[:middle])
        await self._deliver(batch[middle:])
