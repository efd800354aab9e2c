"""What a deployment lives through: workers killed again and again, a broker that is long away, a
task that outlasts its acknowledgement deadline. Each ends with the rules checked in SQL."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from storage.database import open_database
from tests.bench.parts import bench_folder, fresh_database
from tests.bench.table import Row
from tests.chaos.deployment import Deployment, deployment, ensure_rules
from tests.emulators import PubSubEmulator, pubsub_emulator
from tests.processes import Process

KILLS = 200
WORKERS = 2
KILLED_WORK_S = 0.2
LEASE_S = 2
AWAY_S = 60
LONG_WORK_S = 60
ACK_DEADLINE_S = 10


async def kills() -> list[Row]:
    """Kill workers that work, 200 times, under requests that never cease."""
    async with on_pubsub({"MONTHLY_REFINEMENTS": "100000"}) as (made, _):
        await made.add_users(20)
        api = await made.start("api")
        async with asking(made, api) as answers:
            await asyncio.gather(*(_kill(made, KILLS // WORKERS) for _ in range(WORKERS)))
        await made.launch("worker")
        begin_s = time.perf_counter()
        await made.all_ended(within_s=60)
        took_s = time.perf_counter() - begin_s
        await ensure_rules(made)
        assert await made.count("status = 'failed'") == 0
        assert await made.count("true") == answers[202]
        cut_off = await made.count("attempt > 1")
    return [
        Row("workers killed", KILLS, ""),
        Row("tasks accepted, each completed and charged once", answers[202], ""),
        Row("of them begun again after a kill", cut_off, ""),
        Row("the last ended after", took_s, "s", took_s / LEASE_S, "lease", "(goal lease + 5 s)"),
    ]


async def _kill(made: Deployment, times: int) -> None:
    """Start a worker and kill it while it works on something."""
    for _ in range(times):
        worker = await made.start("worker", CHAOS_WORK_S=str(KILLED_WORK_S))
        await asyncio.sleep(random.uniform(0, 2 * KILLED_WORK_S))
        await made.kill(worker)
        made.running.remove(worker)


async def broker() -> list[Row]:
    """Take the broker away for a minute under load; it comes back without topics."""
    async with on_pubsub({"MONTHLY_REFINEMENTS": "100000"}) as (made, emulator):
        await made.add_users(400)
        api = await made.start("api")
        await made.start("worker")
        emulator.kill()
        begin_s = time.perf_counter()
        for number, user in enumerate(made.users):
            await made.accepted(api, user)
            await asyncio.sleep(begin_s + number * AWAY_S / len(made.users) - time.perf_counter())
        emulator.start()
        back_s = time.perf_counter()
        await made.all_ended(within_s=60)
        took_s = time.perf_counter() - back_s
        await ensure_rules(made)
        assert await made.count("status = 'completed'") == len(made.users)
    return [
        Row("accepted while the broker was away", len(made.users), "of 400"),
        Row("all completed after its return", took_s, "s", took_s / AWAY_S, "outage", "(goal 30)"),
    ]


async def long_task() -> list[Row]:
    """Run a task of a minute under the shortest acknowledgement deadline there is."""
    async with on_pubsub({"PUBSUB_ACK_DEADLINE_SECONDS": str(ACK_DEADLINE_S)}) as (made, _):
        await made.add_users(1)
        api = await made.start("api")
        for _ in range(2):
            await made.start("worker", CHAOS_WORK_S=str(LONG_WORK_S))
        await made.accepted(api, made.users[0])
        await made.all_ended(within_s=LONG_WORK_S + 30)
        await ensure_rules(made)
        assert await made.count("status = 'completed' AND attempt = 1") == 1
        begun = sum(process.log.read_text().count('"attempt_ended"') for process in made.running)
    name = f"begun, a task of {LONG_WORK_S} s under a deadline of {ACK_DEADLINE_S} s"
    return [Row(name, begun, "times", LONG_WORK_S / ACK_DEADLINE_S, "deadline", "(goal once)")]


@asynccontextmanager
async def on_pubsub(settings: dict[str, str]) -> AsyncIterator[tuple[Deployment, PubSubEmulator]]:
    """A deployment without processes, and its broker."""
    name = uuid4().hex
    folder = bench_folder()
    with pubsub_emulator() as emulator:
        queue = {
            "QUEUE_URL": f"pubsub://bench/t{name}/s{name}",
            "PUBSUB_EMULATOR_HOST": emulator.host,
        }
        async with (
            fresh_database(folder) as dsn,
            open_database(dsn) as database,
            deployment(folder, dsn, database, queue | settings) as made,
        ):
            yield made, emulator


@asynccontextmanager
async def asking(made: Deployment, api: Process) -> AsyncIterator[Counter[int]]:
    """Requests of every user in turn, until left; the answers are counted by status."""
    answers: Counter[int] = Counter()
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            for user in made.users:
                response = await made.ask(api, user)
                answers[response.status] += 1
                await asyncio.sleep(0.05)

    asker = asyncio.create_task(ask())
    try:
        yield answers
    finally:
        stop.set()
        await asker
