"""Run the worker: the queue's consumer, the chores and webhooks, with a bounded stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

import structlog

from queueing.contract import Handler
from service.resources import Resources
from service.stopping import Stopping
from service.upkeep import keep_up
from service.webhooks import Show

log = structlog.get_logger()

DRAIN_S = 20.0


class Source(Protocol):
    """Where a worker's messages come from: a queue, or those who push."""

    async def consume(self, handler: Handler, *, concurrency: int) -> None:
        """As `queueing.contract.Queue.consume`."""


@asynccontextmanager
async def running_worker(
    resources: Resources,
    stopping: Stopping,
    show: Show,
    source: Source,
    *,
    drain_s: float = DRAIN_S,
) -> AsyncIterator[None]:
    """Consume from the source, do the chores and tell webhooks for as long as the context is open.

    Leaving, or being told to stop, takes nothing new, lets running tasks finish for `drain_s` or
    until told to hurry, and then hands them back. When one of the three ends by itself, which none
    should, the process is told to stop. `show` makes a task what webhooks are told of it.
    """
    consumer = asyncio.create_task(
        source.consume(
            resources.refinery.run_message, concurrency=resources.settings.worker_concurrency
        ),
        name="consumer",
    )
    chores = asyncio.create_task(
        keep_up(
            resources.rescue,
            resources.turns,
            resources.concepts,
            resources.images,
            resources.queue,
            resources.metrics,
            retention_days=resources.settings.retention_days,
        ),
        name="upkeep",
    )

    courier = asyncio.create_task(resources.courier.run(show), name="courier")

    def report_death(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            error = task.exception() or RuntimeError(f"{task.get_name()} ended")
            log.critical("worker_died", part=task.get_name(), exc_info=error)
            stopping.die(error)

    consumer.add_done_callback(report_death)
    chores.add_done_callback(report_death)
    courier.add_done_callback(report_death)
    leaving = asyncio.Event()
    draining = asyncio.create_task(_drain(consumer, leaving, stopping, drain_s))
    try:
        yield
    finally:
        leaving.set()
        await draining
        chores.cancel()
        courier.cancel()
        await asyncio.gather(consumer, chores, courier, return_exceptions=True)


async def _drain(
    consumer: asyncio.Task[None], leaving: asyncio.Event, stopping: Stopping, drain_s: float
) -> None:
    """Stop the consumer when it is time, beside the requests that come to their end."""
    await _first_of(leaving.wait(), stopping.asked.wait())
    consumer.cancel()
    hurrying = asyncio.create_task(stopping.hurry.wait())
    await asyncio.wait({consumer, hurrying}, timeout=drain_s, return_when=asyncio.FIRST_COMPLETED)
    hurrying.cancel()
    if not consumer.done():
        log.warning("tasks_handed_back", hurried=stopping.hurry.is_set())
        consumer.cancel()


async def _first_of(*waits: Coroutine[Any, Any, Any]) -> None:
    waiting = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()
