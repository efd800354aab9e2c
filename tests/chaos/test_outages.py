"""Killed and frozen workers, a broker and a database that go away: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from storage.database import open_database
from storage.embedded import embedded_postgres
from storage.schema import migrate
from tests.chaos.deployment import Deployment, deployment, ensure_rules
from tests.emulators import PubSubEmulator, pubsub_emulator
from tests.processes import Process, Start, postmasters

LEASE_S = 2


async def keep_asking(made: Deployment, api: Process, stop: asyncio.Event) -> Counter[int]:
    """Ask for refinements of every user in turn until told to stop; count the answers."""
    answers: Counter[int] = Counter()
    while not stop.is_set():
        for user in made.users:
            if stop.is_set():
                break
            begin_s = asyncio.get_running_loop().time()
            response = await made.ask(api, user)
            assert asyncio.get_running_loop().time() - begin_s < 10
            if response.status >= 500:
                assert response.content_type == "application/problem+json"
            answers[response.status] += 1
    return answers


async def test_workers_killed_in_a_loop_lose_and_double_nothing(on_pubsub: Deployment) -> None:
    """`KILLS` of the bench runs this 200 times; here are enough to see a fault in the rules."""
    await on_pubsub.add_users(30)
    api = await on_pubsub.start("api")
    for _ in range(5):
        worker = await on_pubsub.start("worker", CHAOS_WORK_S="0.3")
        for user in on_pubsub.users:
            assert (await on_pubsub.ask(api, user)).status in (202, 409, 429)
        await on_pubsub.kill(worker)
    await on_pubsub.launch("worker")
    await on_pubsub.all_ended(within_s=60)
    await ensure_rules(on_pubsub)
    assert await on_pubsub.count("status = 'failed'") == 0


async def test_the_tasks_of_a_killed_worker_complete_within_its_lease_and_5_seconds(
    on_pubsub: Deployment,
) -> None:
    await on_pubsub.add_users(8)
    api = await on_pubsub.start("api")
    doomed = await on_pubsub.start("worker", CHAOS_WORK_S="600")
    for user in on_pubsub.users:
        await on_pubsub.accepted(api, user)
    await on_pubsub.reached("status = 'processing'", 8)
    await on_pubsub.start("worker")
    await on_pubsub.kill(doomed)
    await on_pubsub.all_ended(within_s=LEASE_S + 5)
    await ensure_rules(on_pubsub)


async def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(
    on_pubsub: Deployment,
) -> None:
    await on_pubsub.add_users(4)
    api = await on_pubsub.start("api")
    zombie = await on_pubsub.start("worker", CHAOS_WORK_S="1")
    for user in on_pubsub.users:
        await on_pubsub.accepted(api, user)
    await on_pubsub.reached("status = 'processing'", 4)
    zombie.process.send_signal(signal.SIGSTOP)
    await on_pubsub.start("worker")
    await on_pubsub.all_ended(within_s=60)
    before = await on_pubsub.database.fetch("SELECT t::text FROM task t ORDER BY id")
    zombie.process.send_signal(signal.SIGCONT)
    assert await zombie.stop() == 0
    assert await on_pubsub.database.fetch("SELECT t::text FROM task t ORDER BY id") == before
    await ensure_rules(on_pubsub)
    assert "lease_lost" in zombie.log.read_text()


async def test_a_stopped_worker_hands_back_what_it_cannot_finish_and_exits_0(
    on_pubsub: Deployment,
) -> None:
    await on_pubsub.add_users(4)
    api = await on_pubsub.start("api")
    slow = await on_pubsub.start("worker", CHAOS_WORK_S="600")
    for user in on_pubsub.users:
        await on_pubsub.accepted(api, user)
    await on_pubsub.reached("status = 'processing'", 4)
    slow.process.send_signal(signal.SIGTERM)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await slow.process.wait()
    assert await slow.stop(within_s=30) == 0, "a second signal stops at once"
    assert await on_pubsub.count("status = 'pending'") == 4
    await on_pubsub.start("worker")
    await on_pubsub.all_ended(within_s=60)
    await ensure_rules(on_pubsub)


async def test_a_broker_that_comes_back_empty_fails_no_request(
    tmp_path: Path, database_url: str, fork: Start
) -> None:
    name = uuid4().hex[:12]
    with pubsub_emulator() as broker:
        queue = {"QUEUE_URL": f"pubsub://test/t{name}/s{name}", "PUBSUB_EMULATOR_HOST": broker.host}
        async with (
            open_database(database_url) as database,
            deployment(tmp_path, database_url, database, queue, fork) as made,
        ):
            await made.add_users(60)
            api = await made.start("api")
            await made.start("worker")
            for user in made.users[:20]:
                await made.accepted(api, user)
            broker.kill()
            for user in made.users[20:]:
                await made.accepted(api, user)
            assert await made.count("status = 'pending'") >= 40
            broker.start()
            await made.all_ended(within_s=60)
            await ensure_rules(made)
            assert await made.count("status = 'completed'") == 60


async def test_a_database_that_restarts_under_load_answers_503_and_loses_nothing(
    tmp_path: Path, broker: PubSubEmulator, fork: Start
) -> None:
    name = uuid4().hex[:12]
    queue = {
        "QUEUE_URL": f"pubsub://test/t{name}/s{name}",
        "PUBSUB_EMULATOR_HOST": broker.host,
        "MONTHLY_REFINEMENTS": "100000",
    }
    async with embedded_postgres(tmp_path / "database") as dsn:
        await migrate(dsn)
        async with (
            open_database(dsn) as database,
            deployment(tmp_path, dsn, database, queue, fork) as made,
        ):
            await made.add_users(20)
            api = await made.start("api")
            await made.start("worker")
            stop = asyncio.Event()
            asking = asyncio.create_task(keep_asking(made, api, stop))
            for number in (signal.SIGQUIT, signal.SIGINT, signal.SIGKILL):
                async with asyncio.timeout(60):
                    while await completed(dsn) == 0:
                        await asyncio.sleep(0.05)
                [killed] = postmasters(tmp_path / "database")
                os.kill(killed, number)
                async with asyncio.timeout(60):
                    # what the old one had begun may still answer for a moment
                    while postmasters(tmp_path / "database") in ([], [killed]):
                        await asyncio.sleep(0.05)
                    while not await answers(api):
                        await asyncio.sleep(0.05)
            stop.set()
            seen = await asking
            assert set(seen) <= {202, 409, 503}
            assert seen[202] > 0
            await made.all_ended(within_s=60)
            await ensure_rules(made)


async def test_a_worker_whose_clock_is_an_hour_off_works_like_any_other(
    on_pubsub: Deployment,
) -> None:
    await on_pubsub.add_users(10)
    api = await on_pubsub.start("api")
    for hours in (1, -1):
        await on_pubsub.start("worker", CHAOS_CLOCK_S=str(3600 * hours), CHAOS_WORK_S="0.5")
    for user in on_pubsub.users:
        await on_pubsub.accepted(api, user)
    await on_pubsub.all_ended(within_s=60)
    await ensure_rules(on_pubsub)
    assert await on_pubsub.count("attempt = 1") == 10, "no lease looked expired to anyone"


async def test_killed_database_connections_cost_no_request_more_than_a_503(
    on_pubsub: Deployment,
) -> None:
    await on_pubsub.add_users(20)
    api = await on_pubsub.start("api")
    await on_pubsub.start("worker")
    stop = asyncio.Event()
    asking = asyncio.create_task(keep_asking(on_pubsub, api, stop))
    for _ in range(10):
        await on_pubsub.database.fetch(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        )
        await asyncio.wait({asking}, timeout=0.2)
    stop.set()
    seen = await asking
    assert set(seen) <= {202, 409, 429, 503}
    await on_pubsub.all_ended(within_s=60)
    await ensure_rules(on_pubsub)


async def test_an_exhausted_pool_answers_503_in_time_and_recovers(on_pubsub: Deployment) -> None:
    await on_pubsub.add_users(30)
    api = await on_pubsub.start("api")
    holder = await asyncpg.connect(on_pubsub.settings["DATABASE_URL"])
    async with asyncio.timeout(60), holder.transaction():
        await holder.execute("LOCK TABLE task")
        begin_s = asyncio.get_running_loop().time()
        refused = await asyncio.gather(*(on_pubsub.ask(api, user) for user in on_pubsub.users))
        assert asyncio.get_running_loop().time() - begin_s < 20
    await holder.close()
    assert {response.status for response in refused} == {503}
    assert all("Retry-After" in response.headers for response in refused)
    await on_pubsub.start("worker")
    for user in on_pubsub.users:
        assert (await on_pubsub.ask(api, user)).status in (202, 409), "those cut off may be kept"
    await on_pubsub.all_ended(within_s=60)
    await ensure_rules(on_pubsub)


async def completed(dsn: str) -> int:
    """How many tasks have completed; 0 while the database is away."""
    try:
        connection = await asyncpg.connect(dsn, timeout=2)
        try:
            return int(
                await connection.fetchval("SELECT count(*) FROM task WHERE status = 'completed'")
            )
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return 0


async def answers(api: Process) -> bool:
    """Whether the API is ready."""
    async with aiohttp.ClientSession() as session, session.get(f"{api.base}/readyz") as response:
        return response.status == 200
