"""A request is decided about by one statement: all of it happens, or nothing."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from uuid import uuid4

import pytest

from storage.accepting import Outcome
from storage.database import Database
from storage.task import Status
from storage.tasks import Tasks
from tests.storage.rows import a_concept, a_request, accept, used, work_on


def tasks_on(database: Database, limit: int = 10) -> Tasks:
    return Tasks(database, monthly_limit=limit)


async def test_an_accepted_request_is_a_pending_task_that_has_been_charged(
    database: Database,
) -> None:
    user_id = uuid4()
    concept = await a_concept(database, user_id)
    accepted = await tasks_on(database).accept(a_request(user_id, concept.image_key))
    assert accepted.outcome is Outcome.CREATED
    assert accepted.quota.used == 1
    assert accepted.quota.remaining == 9
    assert accepted.task is not None
    assert accepted.task.status is Status.PENDING
    assert accepted.task.concept_id == concept.id
    assert accepted.task.source_key == concept.image_key
    assert (accepted.task.attempt, accepted.task.progress, accepted.task.version) == (0, 0, 1)
    assert accepted.task.updated_at is None


@pytest.mark.parametrize("attempt", range(20))
async def test_of_25_simultaneous_requests_of_each_of_20_users_one_is_accepted_and_charged(
    database: Database, attempt: int
) -> None:
    users = [uuid4() for _ in range(20)]
    processes = [tasks_on(database) for _ in range(5)]
    concepts = {user: await a_concept(database, user) for user in users}
    answers = await asyncio.gather(
        *(
            processes[turn % 5].accept(a_request(user, concepts[user].image_key))
            for turn in range(25)
            for user in random.sample(users, 20)
        )
    )
    for user in users:
        mine = [a for a in answers if a.task is not None and a.task.user_id == user]
        created = [a for a in mine if a.outcome is Outcome.CREATED]
        active = [a for a in mine if a.outcome is Outcome.ACTIVE]
        assert (len(created), len(active)) == (1, 24)
        assert created[0].task is not None
        assert {a.task.id for a in active if a.task} == {created[0].task.id}
        assert await used(database, user) == 1


async def test_racing_requests_never_pass_the_limit(database: Database) -> None:
    """Each round ends its task, so that only the quota stands in the way of the next."""
    user_id = uuid4()
    concept = await a_concept(database, user_id)
    processes, work = [tasks_on(database, limit=10) for _ in range(4)], work_on(database)
    created = 0
    for _ in range(14):
        answers = await asyncio.gather(
            *(tasks.accept(a_request(user_id, concept.image_key)) for tasks in processes * 2)
        )
        for answer in answers:
            if answer.outcome is Outcome.CREATED and answer.task is not None:
                created += 1
                claimed = await work.claim(answer.task.id)
                assert claimed is not None
                await processes[0].cancel(user_id, claimed.id, "stopped")
    assert created == 10
    assert await used(database, user_id) == 10
    assert answers[0].outcome is Outcome.QUOTA_EXCEEDED


async def test_an_image_that_is_not_the_users_is_unknown_and_costs_nothing(
    database: Database,
) -> None:
    user_id = uuid4()
    foreign = await a_concept(database, uuid4())
    for key in (foreign.image_key, ""):
        accepted = await tasks_on(database).accept(a_request(user_id, key))
        assert accepted.outcome is Outcome.UNKNOWN_SOURCE
        assert accepted.task is None
    assert await used(database, user_id) == 0


async def test_an_unknown_image_is_decided_before_an_active_task(database: Database) -> None:
    user_id = uuid4()
    await accept(database, user_id)
    accepted = await tasks_on(database).accept(a_request(user_id, ""))
    assert accepted.outcome is Outcome.UNKNOWN_SOURCE


async def test_an_active_task_is_decided_before_the_quota(database: Database) -> None:
    user_id = uuid4()
    first = await accept(database, user_id, limit=1)
    concept = await a_concept(database, user_id)
    other = a_request(user_id, concept.image_key, request_hash=b"another")
    second = await tasks_on(database, limit=1).accept(other)
    assert second.outcome is Outcome.ACTIVE
    assert second.same_request, "another body matters only to a repeated key"
    assert first.task is not None
    assert second.task is not None
    assert second.task.id == first.task.id


async def test_a_limit_of_zero_accepts_nothing(database: Database) -> None:
    assert (await accept(database, uuid4(), limit=0)).outcome is Outcome.QUOTA_EXCEEDED


async def test_a_repeated_key_gets_the_same_task_even_after_it_ended(database: Database) -> None:
    user_id = uuid4()
    concept = await a_concept(database, user_id)
    request = a_request(user_id, concept.image_key, idempotency_key="k")
    tasks = tasks_on(database)
    first = await tasks.accept(request)
    assert first.task is not None
    await tasks.cancel(user_id, first.task.id, "stopped")
    again = await tasks.accept(request)
    assert again.outcome is Outcome.REPLAYED
    assert again.same_request
    assert again.task is not None
    assert again.task.id == first.task.id
    assert again.task.status is Status.FAILED


async def test_a_repeated_key_with_another_body_is_told_apart(database: Database) -> None:
    user_id = uuid4()
    concept = await a_concept(database, user_id)
    tasks = tasks_on(database)
    await tasks.accept(a_request(user_id, concept.image_key, idempotency_key="k"))
    other = a_request(user_id, "", idempotency_key="k", request_hash=b"other")
    assert not (await tasks.accept(other)).same_request


async def test_a_key_belongs_to_one_user(database: Database) -> None:
    tasks = tasks_on(database)
    for _ in range(2):
        user_id = uuid4()
        concept = await a_concept(database, user_id)
        accepted = await tasks.accept(
            a_request(user_id, concept.image_key, idempotency_key="shared")
        )
        assert accepted.outcome is Outcome.CREATED


@pytest.mark.parametrize("attempt", range(5))
async def test_100_simultaneous_requests_with_one_key_are_one_task_and_one_charge(
    database: Database, attempt: int
) -> None:
    user_id = uuid4()
    concept = await a_concept(database, user_id)
    request = a_request(user_id, concept.image_key, idempotency_key="k")
    answers = await asyncio.gather(*(tasks_on(database).accept(request) for _ in range(100)))
    assert len({a.task.id for a in answers if a.task}) == 1
    outcomes = [a.outcome for a in answers]
    assert outcomes.count(Outcome.CREATED) == 1
    assert outcomes.count(Outcome.REPLAYED) == 99
    assert await used(database, user_id) == 1


async def test_a_key_is_free_again_after_24_hours_though_nobody_has_expired_it(
    database: Database,
) -> None:
    user_id = uuid4()
    concept = await a_concept(database, user_id)
    request = a_request(user_id, concept.image_key, idempotency_key="k")
    tasks = tasks_on(database)
    first = await tasks.accept(request)
    assert first.task is not None
    await tasks.cancel(user_id, first.task.id, "stopped")
    await database.fetch("UPDATE task SET created_at = created_at - interval '24 hours'")
    second = await tasks.accept(request)
    assert second.outcome is Outcome.CREATED
    assert second.task is not None
    assert second.task.id != first.task.id


async def test_requests_that_come_together_are_each_decided_for_themselves(
    database: Database,
) -> None:
    tasks = tasks_on(database)
    fresh, busy, poor, stranger, retrying = (uuid4() for _ in range(5))
    keys = {user: (await a_concept(database, user)).image_key for user in (fresh, busy, retrying)}
    running = await tasks.accept(a_request(busy, keys[busy]))
    retry = a_request(retrying, keys[retrying], idempotency_key="k")
    first = await tasks.accept(retry)
    await accept(database, poor, limit=1)
    await database.fetch("DELETE FROM task WHERE user_id = $1", poor)
    of_fresh, again, of_busy, of_stranger, replayed, of_poor = await asyncio.gather(
        tasks.accept(a_request(fresh, keys[fresh])),
        tasks.accept(a_request(fresh, keys[fresh])),
        tasks.accept(a_request(busy, keys[busy])),
        tasks.accept(a_request(stranger, keys[fresh])),
        tasks.accept(retry),
        tasks_on(database, limit=1).accept(a_request(poor, None)),
    )
    assert (of_fresh.outcome, again.outcome) == (Outcome.CREATED, Outcome.ACTIVE)
    assert of_fresh.task == again.task
    assert (of_busy.outcome, of_busy.task) == (Outcome.ACTIVE, running.task)
    assert (of_stranger.outcome, of_stranger.task) == (Outcome.UNKNOWN_SOURCE, None)
    assert (replayed.outcome, replayed.task) == (Outcome.REPLAYED, first.task)
    assert (of_poor.outcome, of_poor.task) == (Outcome.QUOTA_EXCEEDED, None)
    assert [await used(database, one) for one in (fresh, busy, poor, stranger, retrying)] == [
        *(1, 1, 1, 0, 1)
    ]


async def test_requests_that_come_together_keep_what_each_of_them_says(database: Database) -> None:
    users = [uuid4() for _ in range(60)]
    said = [
        replace(
            a_request(user, None),
            prompt=f"{place}, 'quoted' {{\"and\"}} \\ \N{WAVING HAND SIGN}",
            logo_description=None if place % 2 else f"logo {place}",
            preserve_aspects=("colors", "layout")[: place % 3],
            request_id=f"r{place}",
        )
        for place, user in enumerate(users)
    ]
    answers = await asyncio.gather(*map(tasks_on(database).accept, said))
    kept = [answer.task for answer in answers if answer.task]
    assert [
        (task.user_id, task.prompt, task.logo_description, task.preserve_aspects, task.request_id)
        for task in kept
    ] == [
        (new.user_id, new.prompt, new.logo_description, new.preserve_aspects, new.request_id)
        for new in said
    ]


async def test_tasks_that_are_read_together_are_told_to_their_owners_only(
    database: Database,
) -> None:
    tasks = tasks_on(database)
    mine, others = uuid4(), uuid4()
    task = (await accept(database, mine)).task
    assert task is not None
    read = await asyncio.gather(
        tasks.get(mine, task.id),
        tasks.get(others, task.id),
        tasks.get(mine, uuid4()),
        tasks.get(mine, task.id),
    )
    assert list(read) == [task, None, None, task]
