"""Run the worker: the queue's consumer and the chores beside it, with a bounded stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

log = structlog.get_logger()

DRAIN_S = 20.0


@asynccontextmanager
async def running_worker(
    consume: Coroutine[Any, Any, None],
    chores: Coroutine[Any, Any, None],
    *,
    on_death: Callable[[BaseException], None],
    drain_s: float = DRAIN_S,
) -> AsyncIterator[None]:
    """Consume for as long as the context is open.

    Leaving takes nothing new, lets running tasks finish for `drain_s` and then hands them back.
    `on_death` is called once when one of the two ends by itself, which neither should.
    """
    consumer = asyncio.create_task(consume, name="consumer")
    upkeep = asyncio.create_task(chores, name="upkeep")

    def report_death(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            error = task.exception() or RuntimeError(f"{task.get_name()} ended")
            log.critical("worker_died", part=task.get_name(), exc_info=error)
            on_death(error)

    consumer.add_done_callback(report_death)
    upkeep.add_done_callback(report_death)
    try:
        yield
    finally:
        consumer.cancel()
        await asyncio.wait({consumer}, timeout=drain_s)
        if not consumer.done():
            log.warning("drain_limit_reached")
            consumer.cancel()
        upkeep.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(consumer, upkeep, return_exceptions=True)
