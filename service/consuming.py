"""Run the worker: the queue's consumer and the chores beside it, with a bounded stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from service.resources import Resources
from service.stopping import Stopping
from service.upkeep import keep_up

log = structlog.get_logger()

DRAIN_S = 20.0


@asynccontextmanager
async def running_worker(
    resources: Resources, stopping: Stopping, *, drain_s: float = DRAIN_S
) -> AsyncIterator[None]:
    """Consume and do the chores for as long as the context is open.

    Leaving takes nothing new, lets running tasks finish for `drain_s` or until told to hurry, and
    then hands them back. When one of the two ends by itself, which neither should, the process is
    told to stop.
    """
    consumer = asyncio.create_task(
        resources.queue.consume(
            resources.refinery.run_message, concurrency=resources.settings.worker_concurrency
        ),
        name="consumer",
    )
    chores = asyncio.create_task(
        keep_up(
            resources.rescue,
            resources.concepts,
            resources.images,
            resources.queue,
            retention_days=resources.settings.retention_days,
        ),
        name="upkeep",
    )

    def report_death(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            error = task.exception() or RuntimeError(f"{task.get_name()} ended")
            log.critical("worker_died", part=task.get_name(), exc_info=error)
            stopping.die(error)

    consumer.add_done_callback(report_death)
    chores.add_done_callback(report_death)
    try:
        yield
    finally:
        await _drain(consumer, stopping.hurry, drain_s)
        chores.cancel()
        await asyncio.gather(consumer, chores, return_exceptions=True)


async def _drain(consumer: asyncio.Task[None], hurry: asyncio.Event, drain_s: float) -> None:
    consumer.cancel()
    hurrying = asyncio.create_task(hurry.wait())
    await asyncio.wait({consumer, hurrying}, timeout=drain_s, return_when=asyncio.FIRST_COMPLETED)
    hurrying.cancel()
    if not consumer.done():
        log.warning("tasks_handed_back", hurried=hurry.is_set())
        consumer.cancel()
