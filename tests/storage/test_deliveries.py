"""What webhooks are owed: nothing more and nothing less than what happened."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from storage.database import Database, Pool
from storage.deliveries import Claimed, Deliveries, Trouble
from storage.tasks import Tasks
from storage.webhooks import Webhook, Webhooks
from tests.storage.rows import a_claimed_task, an_image, work_on

BOTH = ("task.completed", "task.failed")
LEASE_S = 30.0


async def a_webhook(database: Database, user_id: UUID, events: tuple[str, ...] = BOTH) -> Webhook:
    webhook = await Webhooks(database).add(user_id, "https://x.test/", events, b"s" * 32)
    assert webhook is not None
    return webhook


async def a_claim(database: Database) -> Claimed:
    """A claimed delivery of a test."""
    user_id = uuid4()
    webhook = await a_webhook(database, user_id)
    await Deliveries(database).owe_test(user_id, webhook.id)
    [claimed] = await Deliveries(database).claim(limit=1, lease_s=LEASE_S)
    return claimed


async def state(database: Database, claimed: Claimed) -> tuple[str, str | None]:
    row = await database.fetchrow(
        "SELECT status, error FROM webhook_delivery WHERE id = $1", claimed.id
    )
    assert row is not None
    return row["status"], row["error"]


async def count(database: Database) -> int:
    row = await database.fetchrow("SELECT count(*) AS n FROM webhook_delivery")
    assert row is not None
    return int(row["n"])


async def test_an_end_that_is_rolled_back_owes_nothing(database: Database, pool: Pool) -> None:
    task = await a_claimed_task(database)
    await a_webhook(database, task.user_id)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            """
            UPDATE task SET status = 'failed', completed_at = now(), lease_until = NULL,
                error_code = 'engine_failed', error_message = 'x', charged_month = NULL
            WHERE id = $1
            """,
            task.id,
        )
        assert await connection.fetchval("SELECT count(*) FROM webhook_delivery") == 1
        await transaction.rollback()
    assert await count(database) == 0


async def test_each_way_to_end_owes_each_webhook_that_asked_once(database: Database) -> None:
    user_id = uuid4()
    await a_webhook(database, user_id)
    await a_webhook(database, user_id, ("task.completed",))
    await a_webhook(database, uuid4())
    work = work_on(database)
    completed = await a_claimed_task(database, user_id=user_id)
    assert await work.complete(completed, an_image(completed), {}, None)
    assert not await work.complete(completed, an_image(completed), {}, None)
    assert await count(database) == 2
    failed = await a_claimed_task(database, user_id=user_id)
    assert await work.fail(failed, "engine_failed", "x", None)
    assert await count(database) == 3
    canceled = await a_claimed_task(database, user_id=user_id)
    assert await Tasks(database, monthly_limit=10).cancel(user_id, canceled.id, "x")
    assert await count(database) == 4


async def test_a_retry_owes_nothing(database: Database) -> None:
    task = await a_claimed_task(database)
    await a_webhook(database, task.user_id)
    assert await work_on(database).retry(task, wait_s=0, jitter_s=0)
    assert await count(database) == 0


async def test_a_webhook_that_is_deleted_meanwhile_does_not_keep_a_task_from_ending(
    database: Database, pool: Pool
) -> None:
    task = await a_claimed_task(database)
    webhook = await a_webhook(database, task.user_id)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM webhook WHERE id = $1", webhook.id)
        ending = asyncio.create_task(work_on(database).fail(task, "engine_failed", "x", None))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        async with asyncio.timeout(20):
            while not await pool.fetchval(waiting):
                pass
    assert await ending
    assert await count(database) == 0


async def test_a_claimed_delivery_is_nobody_elses_until_its_lease_ends(database: Database) -> None:
    deliveries = Deliveries(database)
    user_id = uuid4()
    webhook = await a_webhook(database, user_id)
    await deliveries.owe_test(user_id, webhook.id)
    [first] = await deliveries.claim(limit=5, lease_s=0)
    [second] = await deliveries.claim(limit=5, lease_s=LEASE_S)
    assert await deliveries.claim(limit=5, lease_s=LEASE_S) == []
    assert (first.id, first.attempt, second.attempt) == (second.id, 1, 2)


async def test_claimers_at_once_never_get_the_same(database: Database) -> None:
    deliveries = Deliveries(database)
    for _ in range(20):
        user_id = uuid4()
        await deliveries.owe_test(user_id, (await a_webhook(database, user_id)).id)
    claims = await asyncio.gather(*(deliveries.claim(limit=3, lease_s=LEASE_S) for _ in range(20)))
    claimed = [one.id for some in claims for one in some]
    assert len(claimed) == len(set(claimed)) == 20


@pytest.mark.parametrize("late", ["delivered", "failed", "gone"])
async def test_who_lost_the_lease_changes_nothing(database: Database, late: str) -> None:
    deliveries = Deliveries(database)
    user_id = uuid4()
    webhook = await a_webhook(database, user_id)
    await deliveries.owe_test(user_id, webhook.id)
    [stale] = await deliveries.claim(limit=1, lease_s=0)
    [fresh] = await deliveries.claim(limit=1, lease_s=LEASE_S)
    match late:
        case "delivered":
            await deliveries.delivered(stale, 200)
        case "failed":
            await deliveries.failed(stale, Trouble.REFUSED, 500, retry_after_s=None)
        case _:
            await deliveries.gone(stale, 410)
    assert await state(database, fresh) == ("pending", None)
    found = await Webhooks(database).get(user_id, webhook.id)
    assert found is not None
    assert found.disabled_at is None
    await deliveries.delivered(fresh, 200)
    assert await state(database, fresh) == ("delivered", None)
    await deliveries.failed(fresh, Trouble.REFUSED, 500, retry_after_s=0)
    assert await state(database, fresh) == ("delivered", None)


async def test_one_that_is_gone_takes_all_that_it_was_owed(database: Database) -> None:
    task = await a_claimed_task(database)
    webhook = await a_webhook(database, task.user_id)
    deliveries = Deliveries(database)
    await work_on(database).fail(task, "engine_failed", "x", None)
    await deliveries.owe_test(task.user_id, webhook.id)
    [claimed] = await deliveries.claim(limit=1, lease_s=LEASE_S)
    await deliveries.gone(claimed, 410)
    owed = await deliveries.page(webhook.id, after=None, limit=10)
    assert {(one.status, one.trouble) for one in owed} == {("failed", Trouble.GONE)}
    assert sorted(one.response_status or 0 for one in owed) == [0, 410]
    assert await deliveries.owe_test(task.user_id, webhook.id) is None


async def test_settled_deliveries_are_forgotten_after_their_time_and_pending_ones_never(
    database: Database,
) -> None:
    deliveries = Deliveries(database)
    old, young, pending = [await a_claim(database) for _ in range(3)]
    await deliveries.delivered(old, 200)
    await deliveries.delivered(young, 200)
    await database.fetch(
        "UPDATE webhook_delivery SET created_at = now() - interval '31 days' WHERE id <> $1",
        young.id,
    )
    await deliveries.forget_old()
    rows = await database.fetch("SELECT id FROM webhook_delivery")
    assert {row["id"] for row in rows} == {young.id, pending.id}
