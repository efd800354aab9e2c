"""Work on a task for as long as its lease is held; what the work is, is for others."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from storage.database import DatabaseUnavailable
from storage.task import Task
from storage.work import Work

log = structlog.get_logger()

HEARTBEAT_MOST_S = 2.0
PROGRESS_SPACING_S = 0.25
PERSIST_TRIES = 8
ENDING_S = 0.2


class LeaseLost(Exception):
    """Another worker has the task, or it was canceled; this one must stop."""


class Progress:
    """How far an attempt is, between the engine that tells and the heartbeat that writes it."""

    def __init__(self) -> None:
        self.fraction = 0.0
        self.stage: str | None = None
        self._told = asyncio.Event()

    def tell(self, fraction: float, stage: str | None) -> None:
        """Note how far the work is, 0–1; going back is ignored."""
        self.fraction = max(self.fraction, min(1.0, fraction))
        self.stage = stage
        self._told.set()

    def part(self, begin: float, end: float) -> Callable[[float, str], None]:
        """A `tell` for one part of the work, whose own 0–1 is `begin`–`end` of the whole."""
        return lambda fraction, stage: self.tell(begin + (end - begin) * fraction, stage)

    async def told(self, within_s: float) -> None:
        """Return when there is news, or after `within_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._told.wait()
        self._told.clear()


async def under_lease[T](
    work: Work, task: Task, progress: Progress, job: Coroutine[Any, Any, T], *, lease_s: float
) -> T:
    """Run the job while renewing the task's lease; stop it and raise `LeaseLost` when that fails.

    Cancelled, it stops the job and gives the task back for another worker to take at once.
    """
    lost = asyncio.timeout(None)
    keeper = _Keeper(work, task, progress, lease_s, lost)
    try:
        try:
            async with lost:
                return await job
        finally:
            await keeper.stop()
    except TimeoutError as error:
        if lost.expired():
            raise LeaseLost from error
        raise
    except asyncio.CancelledError:
        with contextlib.suppress(DatabaseUnavailable):
            await work.release(task)
        raise


class _Keeper:
    """Renews a lease until stopped; when it is lost, what `lost` encloses has to end.

    It begins with a timer and not with a task, because most short jobs end before.
    """

    def __init__(
        self, work: Work, task: Task, progress: Progress, lease_s: float, lost: asyncio.Timeout
    ) -> None:
        self._work = work
        self._task = task
        self._progress = progress
        self._pause_s = min(HEARTBEAT_MOST_S, lease_s / 3) - PROGRESS_SPACING_S
        self._lost = lost
        self._timer = asyncio.get_running_loop().call_later(PROGRESS_SPACING_S, self._begin)
        self._keeping: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Renew no more."""
        self._timer.cancel()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})

    def _begin(self) -> None:
        self._keeping = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        """Renew until the lease is lost. News is written at once, but not too often."""
        while True:
            await self._progress.told(self._pause_s)
            if not await self._renew():
                break
            await asyncio.sleep(PROGRESS_SPACING_S)
        # a job that has just ended its task also looks like a lost lease, until it returns
        self._lost.reschedule(asyncio.get_running_loop().time() + ENDING_S)

    async def _renew(self) -> bool:
        """Whether the lease is still held, as far as can be told."""
        told = self._progress
        try:
            return await self._work.heartbeat(self._task, told.fraction, told.stage)
        except DatabaseUnavailable:
            # If the database comes back before anyone took the task, the lease is simply renewed.
            log.warning("heartbeat_failed")
            return True


async def persist(write: Callable[[], Awaitable[bool]]) -> bool:
    """A write that is worth waiting for the database, for about half a minute.

    Safe to repeat because every such write is fenced: when the first try was committed unseen, the
    second touches nothing and the answer is False.
    """
    for attempt in range(PERSIST_TRIES - 1):
        try:
            return await write()
        except DatabaseUnavailable:
            await asyncio.sleep(random.uniform(0, min(8.0, 0.25 * 2**attempt)))
    return await write()
