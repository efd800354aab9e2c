"""Workers claim, renew and end tasks; whoever lost the lease changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest

from storage.concepts import Concepts
from storage.database import Database
from storage.rescue import Rescue
from storage.task import Status, Task
from storage.tasks import Tasks
from storage.work import Work
from tests.storage.rows import (
    a_claimed_task,
    a_concept,
    a_request,
    accept,
    an_image,
    let_lease_run_out,
    used,
    work_on,
)

REPORT = {"engine": "embedded/1", "outcome": "complete"}

Write = Callable[[Work, Task], Awaitable[bool]]
WRITES: dict[str, Write] = {
    "heartbeat": lambda work, task: work.heartbeat(task, 0.5, "Working"),
    "keep_note": lambda work, task: work.keep_note(task, {"job": "1"}),
    "complete": lambda work, task: work.complete(task, an_image(task), REPORT, None),
    "fail": lambda work, task: work.fail(task, "engine_failed", "It failed.", None),
    "retry": lambda work, task: work.retry(task, wait_s=0, jitter_s=0),
    "release": lambda work, task: work.release(task),
}


async def now(database: Database, task: Task) -> Task:
    found = await Tasks(database, monthly_limit=10).get(task.user_id, task.id)
    assert found is not None
    return found


async def test_one_of_ten_simultaneous_claims_wins(database: Database) -> None:
    accepted = await accept(database, uuid4())
    assert accepted.task is not None
    claims = await asyncio.gather(*(work_on(database).claim(accepted.task.id) for _ in range(10)))
    assert len([claim for claim in claims if claim is not None]) == 1


async def test_a_task_that_is_asked_for_twice_in_one_statement_is_claimed_once(
    database: Database,
) -> None:
    accepted = await accept(database, uuid4())
    assert accepted.task is not None
    work = work_on(database)
    claims = await asyncio.gather(*(work.claim(accepted.task.id) for _ in range(10)))
    assert [claim.attempt for claim in claims if claim is not None] == [1]


async def test_claims_that_travel_together_are_each_answered_for_themselves(
    database: Database,
) -> None:
    work = work_on(database)
    free = [task.id for _ in range(3) if (task := (await accept(database, uuid4())).task)]
    held = await a_claimed_task(database)
    asked = [free[0], uuid4(), free[1], held.id, free[2]]
    claims = await asyncio.gather(*(work.claim(task_id) for task_id in asked))
    assert [claim and claim.id for claim in claims] == [free[0], None, free[1], None, free[2]]


async def test_a_claim_that_is_cancelled_on_its_way_is_given_back(database: Database) -> None:
    accepted = await accept(database, uuid4())
    assert accepted.task is not None
    work = work_on(database)
    claiming = asyncio.create_task(work.claim(accepted.task.id))
    await asyncio.sleep(0)
    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    again = await work.claim(accepted.task.id)
    assert again is not None
    assert again.attempt == 2, "the first claim was under way and counted"


async def test_completions_that_travel_together_are_each_fenced(database: Database) -> None:
    work = work_on(database)
    tasks = [await a_claimed_task(database) for _ in range(6)]
    for zombie in tasks[::2]:
        await let_lease_run_out(database, zombie)
        assert await work_on(database).claim(zombie.id) is not None
    answers = await asyncio.gather(
        *(work.complete(task, an_image(task), REPORT, None) for task in tasks)
    )
    assert answers == [False, True] * 3
    assert [(await now(database, task)).status for task in tasks] == [
        Status.PROCESSING,
        Status.COMPLETED,
    ] * 3


async def test_a_completion_that_the_database_refuses_spoils_no_other(database: Database) -> None:
    work = work_on(database)
    tasks = [await a_claimed_task(database) for _ in range(3)]
    reports = [REPORT, {"engine": "a null \0 is no text"}, REPORT]
    answers = await asyncio.gather(
        *(
            work.complete(task, an_image(task), report, None)
            for task, report in zip(tasks, reports, strict=True)
        ),
        return_exceptions=True,
    )
    assert [answers[0], answers[2]] == [True, True]
    assert isinstance(answers[1], asyncpg.DataError)


async def test_a_heartbeat_in_between_does_not_keep_a_task_from_being_completed(
    database: Database,
) -> None:
    work = work_on(database)
    tasks = [await a_claimed_task(database) for _ in range(20)]
    beats = [work.heartbeat(task, 0.5, "Working") for task in tasks]
    ends = [work.complete(task, an_image(task), REPORT, None) for task in tasks]
    answers = await asyncio.gather(*beats, *ends)
    assert answers[len(tasks) :] == [True] * len(tasks)


async def test_a_completed_task_is_whole_and_its_concept_has_the_right_parent(
    database: Database,
) -> None:
    task = await a_claimed_task(database)
    assert await work_on(database).complete(task, an_image(task), REPORT, None)
    done = await now(database, task)
    assert done.status is Status.COMPLETED
    assert done.progress == 1
    assert done.completed_at is not None
    assert done.result_key == an_image(task).key
    assert done.report == REPORT
    assert done.result_id is not None
    concept = await Concepts(database).get(task.user_id, done.result_id)
    assert concept is not None
    assert (concept.parent_id, concept.task_id) == (task.concept_id, task.id)
    assert (concept.engine, concept.refinement_prompt) == ("embedded/1", task.prompt)
    assert await used(database, task.user_id) == 1


async def test_an_outside_original_becomes_the_root_of_a_tree(database: Database) -> None:
    user_id = uuid4()
    accepted = await Tasks(database, monthly_limit=10).accept(a_request(user_id, None))
    assert accepted.task is not None
    task = await work_on(database).claim(accepted.task.id)
    assert task is not None
    fetched = an_image(task).__class__(f"{user_id}/fetched.png", "image/png", 10, 20)
    assert await work_on(database).complete(task, an_image(task), REPORT, fetched)
    done = await now(database, task)
    assert done.concept_id is None
    assert done.result_id is not None
    tree = await Concepts(database).lineage(user_id, done.result_id)
    assert [concept.image_key for concept in tree] == [fetched.key, an_image(task).key]
    assert tree[1].parent_id == tree[0].id


@pytest.mark.parametrize("name", WRITES)
async def test_a_worker_that_lost_its_lease_changes_nothing(database: Database, name: str) -> None:
    zombie = await a_claimed_task(database)
    await let_lease_run_out(database, zombie)
    heir = await work_on(database).claim(zombie.id)
    assert heir is not None
    before = await now(database, heir)
    assert not await WRITES[name](work_on(database), zombie)
    assert await now(database, heir) == before
    assert await WRITES[name](work_on(database), heir)


@pytest.mark.parametrize("name", WRITES)
async def test_nothing_a_worker_does_changes_a_canceled_task(database: Database, name: str) -> None:
    """A task failed by somebody else is never overwritten to completed."""
    task = await a_claimed_task(database)
    assert await Tasks(database, monthly_limit=10).cancel(task.user_id, task.id, "Stopped.")
    before = await now(database, task)
    assert not await WRITES[name](work_on(database), task)
    assert await now(database, task) == before


@pytest.mark.parametrize("name", WRITES)
async def test_nothing_a_worker_does_brings_back_a_deleted_task(
    database: Database, name: str
) -> None:
    """A task deleted in mid-run leaves no image behind that anyone can see."""
    task = await a_claimed_task(database)
    tasks = Tasks(database, monthly_limit=10)
    await tasks.cancel(task.user_id, task.id, "Stopped.")
    assert await tasks.delete(task.user_id, task.id)
    assert not await WRITES[name](work_on(database), task)
    assert await Concepts(database).known_keys([an_image(task).key]) == set()


async def test_a_failed_task_gives_its_charge_back_once(database: Database) -> None:
    task = await a_claimed_task(database)
    answers = await asyncio.gather(
        *(work_on(database).fail(task, "engine_failed", "It failed.", None) for _ in range(10))
    )
    assert answers.count(True) == 1
    assert await used(database, task.user_id) == 0


async def test_cancel_before_the_work_gives_the_charge_back_and_later_does_not(
    database: Database,
) -> None:
    tasks = Tasks(database, monthly_limit=10)
    waiting = (await accept(database, uuid4())).task
    assert waiting is not None
    assert await tasks.cancel(waiting.user_id, waiting.id, "Stopped.")
    assert await used(database, waiting.user_id) == 0
    running = await a_claimed_task(database)
    assert await tasks.cancel(running.user_id, running.id, "Stopped.")
    assert not await tasks.cancel(running.user_id, running.id, "Stopped.")
    assert await used(database, running.user_id) == 1


async def test_a_retried_task_waits_and_counts_as_active(database: Database) -> None:
    task = await a_claimed_task(database)
    work = work_on(database)
    assert await work.retry(task, wait_s=60, jitter_s=0)
    assert (await now(database, task)).status is Status.PENDING
    assert await work.claim(task.id) is None
    again = await accept(database, task.user_id)
    assert again.outcome == "active"


async def test_the_last_attempt_cannot_be_retried(database: Database) -> None:
    accepted = await accept(database, uuid4())
    assert accepted.task is not None
    work = work_on(database, max_attempts=2)
    for number in (1, 2):
        task = await work.claim(accepted.task.id)
        assert task is not None
        assert task.attempt == number
        assert await work.retry(task, wait_s=0, jitter_s=0) is (number == 1)


async def test_a_released_attempt_is_not_held_against_the_task_but_keeps_its_number(
    database: Database,
) -> None:
    accepted = await accept(database, uuid4())
    assert accepted.task is not None
    work = work_on(database, max_attempts=1)
    first = await work.claim(accepted.task.id)
    assert first is not None
    assert await work.release(first)
    second = await work.claim(accepted.task.id)
    assert second is not None
    assert second.attempt == 2
    assert not await work.complete(first, an_image(first), REPORT, None)


async def test_two_rescues_at_once_take_each_expired_lease_once(database: Database) -> None:
    expired = [await a_claimed_task(database) for _ in range(10)]
    for task in expired:
        await let_lease_run_out(database, task)
    rescue = Rescue(database, max_attempts=3)
    answers = await asyncio.gather(*(rescue.expired_leases("Sorry.") for _ in range(4)))
    assert sorted(t for a in answers for t in a.retried) == sorted(task.id for task in expired)
    assert sorted(await rescue.due(limit=50)) == sorted(task.id for task in expired)


async def test_a_task_that_lost_its_last_worker_fails_and_is_given_back(
    database: Database,
) -> None:
    task = await a_claimed_task(database)
    await let_lease_run_out(database, task)
    rescued = await Rescue(database, max_attempts=1).expired_leases("Sorry.")
    assert rescued.failed == [task.id]
    failed = await now(database, task)
    assert (failed.error_code, failed.error_message) == ("internal_error", "Sorry.")
    assert await used(database, task.user_id) == 0


async def test_two_relays_at_once_announce_each_task_once(database: Database) -> None:
    ids = [
        accepted.task.id for _ in range(10) if (accepted := await accept(database, uuid4())).task
    ]
    await database.fetch("UPDATE task SET publish_at = now()")
    rescue = Rescue(database, max_attempts=3)
    answers = await asyncio.gather(*(rescue.due(limit=50) for _ in range(4)))
    assert sorted(task_id for answer in answers for task_id in answer) == sorted(ids)
    assert await rescue.due(limit=50) == {}


async def test_a_task_that_has_waited_for_days_is_announced_like_any_other(
    database: Database,
) -> None:
    accepted = await accept(database, uuid4())
    assert accepted.task is not None
    await database.fetch("UPDATE task SET publish_at = now(), publish_count = 100_000")
    rescue = Rescue(database, max_attempts=3)
    assert list(await rescue.due(limit=50)) == [accepted.task.id]
    assert await rescue.due(limit=50) == {}


async def test_a_task_that_the_queue_did_not_take_is_due_again_soon(database: Database) -> None:
    accepted = await accept(database, uuid4())
    assert accepted.task is not None
    await database.fetch("UPDATE task SET publish_at = now(), publish_count = 9")
    rescue = Rescue(database, max_attempts=3)
    await rescue.not_published(list(await rescue.due(limit=50)))
    row = await database.fetchrow(
        "SELECT publish_at <= now() + interval '1 second' AS soon FROM task"
    )
    assert row is not None
    assert row["soon"]


async def test_an_ended_task_refuses_every_change_even_by_hand(database: Database) -> None:
    task = await a_claimed_task(database)
    await work_on(database).complete(task, an_image(task), REPORT, None)
    for change in ("status = 'pending'", "result_id = NULL", "charged_month = NULL"):
        with pytest.raises(asyncpg.CheckViolationError):
            await database.fetch(f"UPDATE task SET {change} WHERE id = $1", task.id)


IMPOSSIBLE = {
    "processing without a lease": "status = 'processing', attempt = 1",
    "processing without an attempt": "status = 'processing', lease_until = now()",
    "completed without a result": "status = 'completed', completed_at = now(), progress = 1",
    "failed without a code": "status = 'failed', completed_at = now(), charged_month = NULL",
    "failed and still charged": (
        "status = 'failed', completed_at = now(), error_code = 'engine_failed', error_message = 'x'"
    ),
    "a code of no catalogue": "error_code = 'oops', error_message = 'x'",
    "an unknown status": "status = 'queued'",
    "progress beyond the end": "progress = 1.5",
}


@pytest.mark.parametrize("change", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
async def test_the_database_refuses_an_impossible_state(database: Database, change: str) -> None:
    await accept(database, uuid4())
    with pytest.raises(asyncpg.CheckViolationError):
        await database.fetch(f"UPDATE task SET {change}")


async def test_every_visible_change_is_in_the_log_once_and_in_order(database: Database) -> None:
    task = await a_claimed_task(database)
    work = work_on(database)
    await work.heartbeat(task, 0.0, None)
    await work.heartbeat(task, 0.5, "Working")
    await work.complete(task, an_image(task), REPORT, None)
    rows = await database.fetch("SELECT version, status, progress FROM task_event ORDER BY version")
    assert [tuple(row) for row in rows] == [
        (2, "processing", 0.0),
        (3, "processing", 0.5),
        (4, "completed", 1.0),
    ]
    assert (await now(database, task)).version == 4


async def test_deleting_a_concept_keeps_its_descendants_and_counts_its_tasks_as_changed(
    database: Database,
) -> None:
    task = await a_claimed_task(database)
    await work_on(database).complete(task, an_image(task), REPORT, None)
    done = await now(database, task)
    concepts = Concepts(database)
    assert task.concept_id is not None
    assert done.result_id is not None
    assert await concepts.delete(task.user_id, task.concept_id) == task.source_key
    assert await concepts.delete(task.user_id, task.concept_id) is None
    child = await concepts.get(task.user_id, done.result_id)
    assert child is not None
    assert child.parent_deleted
    assert [c.id for c in await concepts.lineage(task.user_id, child.id)] == [child.id]
    changed = await now(database, task)
    assert changed.version > done.version
    assert changed.source_key is None


async def test_another_users_concept_is_invisible_to_every_method(database: Database) -> None:
    concept = await a_concept(database, uuid4())
    concepts, stranger = Concepts(database), uuid4()
    assert await concepts.get(stranger, concept.id) is None
    assert await concepts.lineage(stranger, concept.id) == []
    assert await concepts.delete(stranger, concept.id) is None
    assert await concepts.page(stranger, after=None, limit=10) == []
