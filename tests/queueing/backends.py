"""The queues under test, each behind the few words that the suite needs to drive it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from queueing.contract import Message, Queue
from queueing.memory import MemoryQueue


class Backend(Protocol):
    """One fresh, empty queue and the world around it."""

    lease_s: float | None
    """How long a message of a dead holder stays away; None where it dies with its holder."""

    retry_delay_s: float
    """The delay after a message's first failure; it doubles from there."""

    max_deliveries: int

    async def open(self) -> Queue:
        """A client of the queue, as another process would have one where `lease_s` is set."""

    async def open_other(self) -> Queue:
        """A client of another queue."""

    async def dead_letters(self, count: int) -> list[Message]:
        """Wait until at least so many messages have been set aside; what they are."""

    async def close(self) -> None:
        """Close every client and take the queue away."""


class MemoryBackend:
    """The in-memory queue: every client is the same object."""

    lease_s: float | None = None
    retry_delay_s = 0.05
    max_deliveries = 5

    def __init__(self) -> None:
        self._queue = self._make()
        self._other = self._make()

    def _make(self) -> MemoryQueue:
        return MemoryQueue(retry_delay_s=self.retry_delay_s, max_deliveries=self.max_deliveries)

    async def open(self) -> Queue:
        return self._queue

    async def open_other(self) -> Queue:
        return self._other

    async def dead_letters(self, count: int) -> list[Message]:
        async with asyncio.timeout(5):
            while len(self._queue.dead_letters) < count:
                await asyncio.sleep(0)
        return list(self._queue.dead_letters)

    async def close(self) -> None:
        await self._queue.close()
        await self._other.close()
