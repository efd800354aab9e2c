"""Hold an answer until a task has changed or ended."""

from __future__ import annotations

import asyncio

from service.api.live import Watcher
from service.api.present import etag_of
from storage.task import Task
from storage.tasks import Tasks


async def until_ended(tasks: Tasks, watcher: Watcher, task: Task, *, within_s: float) -> Task:
    """The task once it has ended, or as it is when the time is up."""
    return await _until(tasks, watcher, task, within_s, changed_from=None)


async def until_changed(
    tasks: Tasks, watcher: Watcher, task: Task, etags: frozenset[str], *, within_s: float
) -> Task:
    """The task once its tag is none of these, or as it is when it has ended or the time is up."""
    return await _until(tasks, watcher, task, within_s, changed_from=etags)


async def _until(
    tasks: Tasks,
    watcher: Watcher,
    task: Task,
    within_s: float,
    *,
    changed_from: frozenset[str] | None,
) -> Task:
    clock = asyncio.get_running_loop()
    deadline_s = clock.time() + within_s
    async with watcher.follow(task.id, task.version) as follower:
        while not task.status.is_final:
            if changed_from is not None and etag_of(task) not in changed_from:
                break
            left_s = deadline_s - clock.time()
            if left_s <= 0 or not await follower.change(left_s) or follower.is_closing:
                break
            latest = await tasks.get(task.user_id, task.id)
            if latest is None:
                break
            task = latest
    return task
