"""Handlers that note what they get and end on command, and consumers as contexts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress

from queueing.contract import Handler, Message, Queue

# Far above what any step takes, so that only a hang meets it.
LIMIT_S = 30.0


class Recorder:
    """A handler that keeps count. `then` is what each call does after it was noted."""

    def __init__(self, then: Callable[[Message], Awaitable[object]] | None = None) -> None:
        self.seen: list[Message] = []
        self.handled: list[bytes] = []
        self.running = 0
        self.peak = 0
        self._then = then
        self._changed = asyncio.Event()

    async def __call__(self, message: Message) -> None:
        self.seen.append(message)
        self.running += 1
        self.peak = max(self.peak, self.running)
        self._changed.set()
        try:
            if self._then is not None:
                await self._then(message)
            self.handled.append(message.body)
        finally:
            self.running -= 1
            self._changed.set()

    def counts(self) -> Counter[bytes]:
        """How many times each body was started."""
        return Counter(message.body for message in self.seen)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until the condition on this recorder holds."""
        async with asyncio.timeout(LIMIT_S):
            while not reached():
                self._changed.clear()
                await self._changed.wait()

    async def until_seen(self, count: int) -> None:
        """Wait until so many calls were started."""
        await self.until(lambda: len(self.seen) >= count)

    async def until_handled(self, count: int) -> None:
        """Wait until so many calls have returned."""
        await self.until(lambda: len(self.handled) >= count)

    async def stays_at(self, count: int, during_s: float) -> bool:
        """Whether no further call starts for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(during_s):
                await self.until_seen(count + 1)
        return len(self.seen) == count


class Gate:
    """Something for handlers to wait at, so that a test decides when they go on."""

    def __init__(self) -> None:
        self._open = asyncio.Event()

    async def __call__(self, _message: Message) -> None:
        await self._open.wait()

    def open(self) -> None:
        """Let everyone through, now and later."""
        self._open.set()


async def fail(_message: Message) -> None:
    """Fail as a handler does whose database is down."""
    raise ConnectionError("the test's handler fails")


@asynccontextmanager
async def consuming(
    queue: Queue, handler: Handler, *, concurrency: int = 4
) -> AsyncIterator[asyncio.Task[None]]:
    """A consumer for the length of the block. One that ends by itself fails the test."""
    task = asyncio.create_task(queue.consume(handler, concurrency=concurrency))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=0.2)
        await stop(task)
        if not task.cancelled():
            task.result()


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a consumer, once more if it has been already, and wait for its end."""
    task.cancel()
    async with asyncio.timeout(LIMIT_S):
        await asyncio.wait({task})


def bodies(prefix: str, count: int) -> list[bytes]:
    """Distinct bodies."""
    return [f"{prefix}-{n}".encode() for n in range(count)]


def messages(of: Iterable[bytes]) -> list[Message]:
    """A message for each body."""
    return [Message(body) for body in of]
