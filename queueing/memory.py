"""Carry messages inside one process; what is queued is lost with the process.

Waking and delays are the event loop's own, so an idle queue costs nothing. A lease needs no
clock here: its holder is a task of this process, and however that task ends, it settles.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from queueing.contract import Handler, Message, QueueClosed, ensure_carriable
from queueing.handlers import HandlerSlots


class MemoryQueue:
    """A queue for one process and any number of consumers in it.

    A message whose handler raised at delivery n comes again after `retry_delay_s` · 2ⁿ⁻¹, at most
    `max_retry_delay_s`. After delivery `max_deliveries` it goes to `dead_letters` instead, which
    keeps the latest `max_dead_letters`. The number of queued messages has no bound.
    """

    def __init__(
        self,
        *,
        retry_delay_s: float = 1.0,
        max_retry_delay_s: float = 60.0,
        max_deliveries: int = 10,
        max_dead_letters: int = 1000,
    ) -> None:
        self.dead_letters: deque[Message] = deque(maxlen=max_dead_letters)
        self._retry_delay_s = retry_delay_s
        self._max_retry_delay_s = max_retry_delay_s
        self._max_deliveries = max_deliveries
        # None is the end mark: whoever takes it puts it back for the next consumer.
        self._ready: asyncio.Queue[Message | None] = asyncio.Queue()
        self._closed = False

    async def publish(self, messages: Sequence[Message]) -> None:
        """Queue the messages; waits for nothing."""
        self._ensure_open()
        ensure_carriable(messages)
        for message in messages:
            # A copy: what the publisher does to its mapping later is not part of the message.
            sent = replace(message, attributes=dict(message.attributes), delivery=1)
            self._ready.put_nowait(sent)

    async def consume(self, handler: Handler, *, concurrency: int) -> None:
        """Call the handler for each message until cancelled."""
        async with HandlerSlots(handler, concurrency) as slots:
            while True:
                for message in await self._take(await slots.free()):
                    slots.start(_Loan(message, self))

    async def check(self) -> None:
        """An open queue in memory always works."""
        self._ensure_open()

    async def close(self) -> None:
        """Drop what is queued and end the consumers."""
        if self._closed:
            return
        self._closed = True
        while not self._ready.empty():
            self._ready.get_nowait()
        self._ready.put_nowait(None)

    def put_back(self, message: Message) -> None:
        """Offer a message again, as its next delivery."""
        if not self._closed:
            self._ready.put_nowait(replace(message, delivery=message.delivery + 1))

    def put_back_later(self, message: Message) -> None:
        """Offer a failed message again after its delay, or set it aside."""
        if message.delivery >= self._max_deliveries:
            self.dead_letters.append(message)
            return
        # The exponent is capped because a float overflows long before a patient queue does.
        growth = 2.0 ** min(message.delivery - 1, 64)
        delay_s = min(self._retry_delay_s * growth, self._max_retry_delay_s)
        asyncio.get_running_loop().call_later(delay_s, self.put_back, message)

    async def _take(self, at_most: int) -> list[Message]:
        """Wait for a message; it and the ready ones beside it."""
        self._ensure_open()
        taken = [await self._ready.get()]
        while len(taken) < at_most and not self._ready.empty():
            taken.append(self._ready.get_nowait())
        if None in taken:
            self._ready.put_nowait(None)
        self._ensure_open()
        return [message for message in taken if message is not None]

    def _ensure_open(self) -> None:
        if self._closed:
            raise QueueClosed


@dataclass(frozen=True, slots=True)
class _Loan:
    """One delivery, settled once by the handler's slot."""

    message: Message
    queue: MemoryQueue

    def acknowledge(self) -> None:
        """The queue has already forgotten what it lent."""

    def retry(self) -> None:
        self.queue.put_back_later(self.message)

    def release(self) -> None:
        self.queue.put_back(self.message)
