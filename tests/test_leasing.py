"""A job runs for as long as its task's lease is held, and no longer."""

from __future__ import annotations

import asyncio

import pytest

from service.leasing import LeaseLost, Progress, under_lease
from storage.database import Database
from storage.task import Status
from storage.tasks import Tasks
from tests.storage.rows import a_claimed_task, work_on

LEASE_S = 1.0
LIMIT_S = 20.0


class Job:
    """Goes on until told to end; knows whether it was stopped."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.end = asyncio.Event()
        self.was_stopped = False

    async def run(self) -> str:
        """The work."""
        self.begun.set()
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.was_stopped = True
            raise
        return "done"


async def test_a_lease_is_renewed_for_as_long_as_the_job_takes(database: Database) -> None:
    work = work_on(database, lease_s=LEASE_S)
    task, job = await a_claimed_task(database), Job()
    running = asyncio.create_task(under_lease(work, task, Progress(), job.run(), lease_s=LEASE_S))
    async with asyncio.timeout(LIMIT_S):
        while not await database.fetchrow(
            "SELECT 1 FROM task WHERE lease_until > created_at + make_interval(secs => $1)",
            2 * LEASE_S,
        ):
            assert await work.claim(task.id) is None, "nobody else gets it meanwhile"
        job.end.set()
        assert await running == "done"


async def test_news_of_the_progress_is_written_with_the_lease(database: Database) -> None:
    work, progress = work_on(database), Progress()
    task, job = await a_claimed_task(database), Job()
    running = asyncio.create_task(under_lease(work, task, progress, job.run(), lease_s=30))
    await job.begun.wait()
    progress.tell(0.5, "Working")
    async with asyncio.timeout(LIMIT_S):
        while not await database.fetchrow(
            "SELECT 1 FROM task WHERE progress = 0.5 AND stage = 'Working'"
        ):
            continue
        job.end.set()
        await running


async def test_a_job_whose_task_was_canceled_is_stopped(database: Database) -> None:
    task, job = await a_claimed_task(database), Job()
    running = asyncio.create_task(
        under_lease(work_on(database), task, Progress(), job.run(), lease_s=LEASE_S)
    )
    await job.begun.wait()
    await Tasks(database, monthly_limit=10).cancel(task.user_id, task.id, "Stopped.")
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(LeaseLost):
            await running
    assert job.was_stopped


async def test_a_job_that_is_cancelled_gives_its_task_back_at_once(database: Database) -> None:
    work = work_on(database)
    task, job = await a_claimed_task(database), Job()
    running = asyncio.create_task(under_lease(work, task, Progress(), job.run(), lease_s=30))
    await job.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert job.was_stopped
    given_back = await Tasks(database, monthly_limit=10).get(task.user_id, task.id)
    assert given_back is not None
    assert given_back.status is Status.PENDING


async def test_a_job_s_own_time_out_is_its_own(database: Database) -> None:
    async def out_of_time() -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    task = await a_claimed_task(database)
    with pytest.raises(TimeoutError):
        await under_lease(work_on(database), task, Progress(), out_of_time(), lease_s=30)
