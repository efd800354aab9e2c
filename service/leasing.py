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
    running = asyncio.create_task(job)
    keeper = asyncio.create_task(_keep(work, task, progress, lease_s))
    try:
        await asyncio.wait({running, keeper}, return_when=asyncio.FIRST_COMPLETED)
        # a job that has just ended its task also looks like a lost lease, until it returns
        await asyncio.wait({running}, timeout=0 if running.done() else ENDING_S)
        if not running.done():
            running.cancel()
            await asyncio.wait({running})
            await keeper
            raise LeaseLost
        return await running
    except asyncio.CancelledError:
        running.cancel()
        await asyncio.wait({running})
        with contextlib.suppress(DatabaseUnavailable):
            await work.release(task)
        raise
    finally:
        keeper.cancel()
        await asyncio.wait({keeper})


async def _keep(work: Work, task: Task, progress: Progress, lease_s: float) -> None:
    """Renew the lease until it is lost. News is written at once, but not too often."""
    while True:
        await asyncio.sleep(PROGRESS_SPACING_S)
        await progress.told(min(HEARTBEAT_MOST_S, lease_s / 3) - PROGRESS_SPACING_S)
        try:
            if not await work.heartbeat(task, progress.fraction, progress.stage):
                return
        except DatabaseUnavailable:
            # If the database comes back before anyone took the task, the lease is simply renewed.
            log.warning("heartbeat_failed")


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
