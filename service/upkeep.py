"""The chores that keep tasks moving and the stores tidy; run by every worker, no leader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from queueing.contract import Queue, QueueMisconfigured
from service.announcing import message_for
from service.metrics import Metrics
from service.refinement import GIVEN_UP_MESSAGE
from storage.concepts import Concepts
from storage.database import DatabaseUnavailable
from storage.images.contract import Images, ImageStoreUnavailable
from storage.rescue import Rescue
from storage.turns import Turns

log = structlog.get_logger()

RELAY_EVERY_S = 0.5
RESCUE_EVERY_S = 1.0
TIDY_EVERY_S = 600.0
SWEEP_EVERY_S = 6 * 3600.0
RELAY_BATCH = 500
ORPHAN_GRACE_S = 3600.0
ORPHAN_BATCH = 200
EXPIRY_BATCH = 200


async def keep_up(
    rescue: Rescue,
    turns: Turns,
    concepts: Concepts,
    images: Images,
    queue: Queue,
    metrics: Metrics,
    *,
    retention_days: int | None = None,
) -> None:
    """Do every chore in its rhythm until cancelled; one that fails is tried again next time."""
    async with asyncio.TaskGroup() as chores:
        chores.create_task(_repeat(lambda: relay(rescue, queue), RELAY_EVERY_S))
        chores.create_task(_repeat(lambda: rescue_expired(rescue, metrics), RESCUE_EVERY_S))
        chores.create_task(_repeat(rescue.expire_idempotency_keys, TIDY_EVERY_S))
        chores.create_task(_repeat(lambda: sweep(turns, concepts, images), TIDY_EVERY_S))
        if retention_days is not None:
            expire = partial(remove_expired, concepts, images, retention_days)
            chores.create_task(_repeat(expire, TIDY_EVERY_S))


async def relay(rescue: Rescue, queue: Queue) -> None:
    """Announce the pending tasks that the queue has not been told of, or not lately."""
    while due := await rescue.due(limit=RELAY_BATCH):
        try:
            await queue.publish([message_for(*one) for one in due.items()])
        except (OSError, QueueMisconfigured) as error:
            log.warning("relay_failed", tasks=len(due), error=type(error).__name__)
            await rescue.not_published(list(due))
            return


async def rescue_expired(rescue: Rescue, metrics: Metrics) -> None:
    """Take tasks from workers that died."""
    rescued = await rescue.expired_leases(GIVEN_UP_MESSAGE)
    metrics.rescued.inc(len(rescued.retried) + len(rescued.failed))
    for task_id in rescued.retried:
        log.warning("task_rescued", task_id=str(task_id))
    for task_id in rescued.failed:
        log.error("task_given_up", task_id=str(task_id))
        metrics.task_ended("internal_error", refunded=True)


async def sweep(turns: Turns, concepts: Concepts, images: Images) -> None:
    """Remove orphans when it is time, once for all workers: it looks at every image there is."""
    if await turns.take("remove_orphans", every_s=SWEEP_EVERY_S):
        await remove_orphans(concepts, images)


async def remove_orphans(concepts: Concepts, images: Images) -> None:
    """Remove images that no concept names: of crashed attempts and deleted concepts.

    Not while the task that stored them may still name them, and only after a grace time that is far
    longer than an upload takes from storing its image to naming it.
    """
    batch: list[str] = []
    async for image in images.list():
        if image.age_s >= ORPHAN_GRACE_S:
            batch.append(image.key)
        if len(batch) == ORPHAN_BATCH:
            await _remove_unnamed(concepts, images, batch)
            batch = []
    await _remove_unnamed(concepts, images, batch)


async def remove_expired(concepts: Concepts, images: Images, days: int) -> None:
    """Remove the concepts past so many days, with their images."""
    while keys := await concepts.expire(days=days, limit=EXPIRY_BATCH):
        log.info("concepts_expired", concepts=len(keys))
        for key in keys:
            try:
                await images.delete(key)
            except ImageStoreUnavailable:
                # nobody can reach them any more, and as orphans they are found again
                log.warning("images_left_for_later")
                return


async def _remove_unnamed(concepts: Concepts, images: Images, keys: list[str]) -> None:
    if not keys:
        return
    named = await concepts.known_keys(keys)
    for key in keys:
        if key not in named:
            await images.delete(key)
            log.info("orphan_removed", user_id=key.partition("/")[0])


async def _repeat(chore: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        try:
            await chore()
        except (DatabaseUnavailable, ImageStoreUnavailable) as error:
            log.warning("chore_failed", error=type(error).__name__)
        await asyncio.sleep(every_s)
