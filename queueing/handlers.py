"""Run a handler over deliveries: slots, settling and the two-step stop; fetching is a backend's."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from queueing.contract import Handler, Message

logger = logging.getLogger(__name__)


class Delivery(Protocol):
    """A message on loan. One call of one of the three methods ends the loan; none of them waits."""

    @property
    def message(self) -> Message:
        """What the handler gets."""

    def acknowledge(self) -> None:
        """It was handled: never again."""

    def retry(self) -> None:
        """Its handler failed: again after a delay, or set it aside when that was the last time."""

    def release(self) -> None:
        """It was not handled, through no fault of its own: again at once."""


class HandlerSlots:
    """At most `concurrency` running handlers, as a context.

    Leaving the context lets the running handlers finish. A cancellation that arrives while they
    do cancels them, releases their messages, and leaves once they have ended.
    """

    def __init__(self, handler: Handler, concurrency: int) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency is {concurrency}, it must be at least 1")
        self._handler = handler
        self._concurrency = concurrency
        self._running: set[asyncio.Task[None]] = set()
        self._one_ended = asyncio.Event()
        self._stopping = False

    async def free(self) -> int:
        """Wait until a handler can be started; how many can."""
        while len(self._running) >= self._concurrency:
            self._one_ended.clear()
            await self._one_ended.wait()
        return self._concurrency - len(self._running)

    def start(self, delivery: Delivery) -> None:
        """Run the handler in a free slot and settle the delivery by how it ends."""
        task = asyncio.create_task(self._handle(delivery.message))
        self._running.add(task)
        # A callback and not a `finally`: a task cancelled before its first step runs none.
        task.add_done_callback(partial(self._settle, delivery))

    async def _handle(self, message: Message) -> None:
        await self._handler(message)

    def _settle(self, delivery: Delivery, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._one_ended.set()
        if task.cancelled():
            # A handler may also end in a cancellation of its own making; that is a failure of it.
            if self._stopping:
                delivery.release()
            else:
                logger.warning("A handler cancelled itself; its message comes again.")
                delivery.retry()
        elif (error := task.exception()) is not None:
            logger.warning("A handler failed; its message comes again.", exc_info=error)
            delivery.retry()
        else:
            delivery.acknowledge()

    async def _until_idle(self) -> None:
        while self._running:
            await asyncio.wait(self._running)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            await self._until_idle()
        except asyncio.CancelledError:
            self._stopping = True
            for task in self._running:
                task.cancel()
            await self._until_idle()
            raise
