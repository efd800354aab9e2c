"""How fast one worker process works off tasks that wait, beside procrastinate with as many jobs.

Both do nothing in a task; ours reads the image and stores a new one all the same. Both are timed by
what they wrote into the database: from the first beginning to the last end.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import batched
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from queueing.pubsub import PubSubQueue
from service.announcing import message_for
from storage.accepting import NewTask
from storage.database import open_database
from storage.tasks import Tasks
from tests.bench.cpu import cpu_s
from tests.bench.parts import bench_folder, fresh_database, module_process
from tests.bench.peer import jobs_on
from tests.bench.table import Row
from tests.chaos.deployment import Deployment, deployment, ensure_rules
from tests.emulators import pubsub_emulator
from tests.processes import Started, postmasters

TASKS = 2_000
CONCURRENCIES = (4, 50, 100)
TURNS = 3
AT_ONCE = 8
END_LIMIT_S = 120


@dataclass(frozen=True)
class Ground:
    """Where everything is measured."""

    folder: Path
    dsn: str
    made: Deployment
    broker_host: str


@dataclass(frozen=True)
class Drained:
    """Tasks a second by the clock; processor time a task, of the worker and of the database."""

    rate: float
    worker_ms: float
    database_ms: float

    @property
    def cpu_ms(self) -> float:
        """What a task costs, wherever."""
        return self.worker_ms + self.database_ms


async def run() -> list[Row]:
    """Each in turns with the others, and the best of its turns counts."""
    async with ground() as given:
        return [row for at in CONCURRENCIES for row in await _rows(given, at)]


@asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    """A database, an emulator, and a user with a concept for each task."""
    folder = bench_folder()
    with pubsub_emulator() as broker:
        async with (
            fresh_database(folder) as dsn,
            open_database(dsn) as database,
            deployment(folder, dsn, database, {"TASK_LEASE_SECONDS": "30"}) as made,
        ):
            await made.add_users(TASKS)
            yield Ground(folder, dsn, made, broker.host)


async def _rows(ground: Ground, concurrency: int) -> list[Row]:
    measures: list[Callable[[], Awaitable[Drained]]] = [
        partial(drain_peer, ground, concurrency),
        partial(drain_memory, ground, concurrency),
        partial(drain_pubsub, ground, concurrency),
    ]
    found = [[await measure() for measure in measures] for _ in range(TURNS)]
    peer, *ours = (max(turns, key=lambda turn: turn.rate) for turns in zip(*found, strict=True))
    names = ("in memory", "over the emulator")
    size = f"{concurrency} at once"
    return [
        Row(f"peer: procrastinate, {size}", peer.rate, "jobs/s"),
        *(
            Row(f"drain {where}, {size}", drained.rate, "/s", drained.rate / peer.rate, "peer", "3")
            for where, drained in zip(names, ours, strict=True)
        ),
        Row(f"peer: processor time a job, {size}", peer.cpu_ms, "ms"),
        *(
            Row(
                f"processor time a task {where}, {size}",
                drained.cpu_ms,
                "ms",
                drained.cpu_ms / peer.cpu_ms,
                "peer",
            )
            for where, drained in zip(names, ours, strict=True)
        ),
    ]


async def drain_memory(ground: Ground, concurrency: int) -> Drained:
    """The API with its own worker; the relay tells it of the tasks."""
    return await _drain(ground, "api", concurrency, {"QUEUE_URL": "memory:"}, _make_due)


async def drain_pubsub(ground: Ground, concurrency: int) -> Drained:
    """A worker on messages that wait in the emulator."""
    name = uuid4().hex
    queue = {
        "QUEUE_URL": f"pubsub://bench/t{name}/s{name}",
        "PUBSUB_EMULATOR_HOST": ground.broker_host,
    }

    async def publish(_made: Deployment, ids: list[UUID]) -> None:
        queue = PubSubQueue("bench", f"t{name}", f"s{name}", emulator_host=ground.broker_host)
        try:
            await queue.publish([message_for(task_id) for task_id in ids])
        finally:
            await queue.close()

    return await _drain(ground, "worker", concurrency, queue, publish)


async def _drain(
    ground: Ground,
    role: str,
    concurrency: int,
    queue: dict[str, str],
    announce: Callable[[Deployment, list[UUID]], Awaitable[None]],
) -> Drained:
    """Let a worker that is ready stand still while the work piles up."""
    made = ground.made
    worker = await made.start(role, WORKER_CONCURRENCY=str(concurrency), **queue)
    worker.process.send_signal(signal.SIGSTOP)
    await announce(made, await accept_all(made))
    async with _spending(ground, worker.process) as spent:
        worker.process.send_signal(signal.SIGCONT)
        await made.all_ended(END_LIMIT_S)
    assert await worker.stop() == 0
    made.running.remove(worker)
    return Drained(await _rate(made), *spent)


async def accept_all(made: Deployment) -> list[UUID]:
    """A request of every user, accepted as the API would."""
    tasks = Tasks(made.database, monthly_limit=1_000_000)

    async def accept(user_id: str) -> UUID:
        url = made.sources[user_id]
        key = url.removeprefix(f"{made.public_url}/images/")
        request = NewTask(UUID(user_id), url, key, "x", None, None, (), "r", None, b"")
        accepted = await tasks.accept(request)
        assert accepted.task is not None
        return accepted.task.id

    found: list[UUID] = []
    for some in batched(made.users, AT_ONCE):
        found += await asyncio.gather(*(accept(user.user_id) for user in some))
    return found


async def _make_due(made: Deployment, _ids: list[UUID]) -> None:
    await made.database.fetch("UPDATE task SET publish_at = now() WHERE status = 'pending'")


@asynccontextmanager
async def _spending(ground: Ground, worker: Started) -> AsyncIterator[list[float]]:
    """What a task costs the worker and the database, in ms; known afterwards."""
    pids = (worker.pid, *postmasters(ground.folder))
    before = [cpu_s(pid) for pid in pids]
    spent: list[float] = []
    yield spent
    spent += [(cpu_s(pid) - was) / TASKS * 1000 for pid, was in zip(pids, before, strict=True)]


async def _rate(made: Deployment) -> float:
    """Tasks a second, once all have ended as they should; forgets them."""
    row = await made.database.fetchrow(
        """
        SELECT count(*) AS tasks, extract(epoch FROM max(ended) - min(begun))::float8 AS took_s
        FROM (SELECT min(updated_at) AS begun, max(updated_at) AS ended
              FROM task_event GROUP BY task_id) AS spans
        """
    )
    assert row is not None
    assert row["tasks"] == await made.count("status = 'completed' AND attempt = 1") == TASKS
    await ensure_rules(made)
    for forgotten in ("task", "quota", "concept WHERE parent_id IS NOT NULL"):
        await made.database.fetch(f"DELETE FROM {forgotten}")
    return float(TASKS / row["took_s"])


async def drain_peer(ground: Ground, concurrency: int) -> Drained:
    """procrastinate's worker, in the same way."""
    jobs = jobs_on(ground.dsn)
    connection = await asyncpg.connect(ground.dsn)
    async with jobs.open_async():
        if not await jobs.check_connection_async():
            await jobs.schema_manager.apply_schema_async()
        await connection.execute("TRUNCATE procrastinate_jobs CASCADE")
        async with module_process("tests.bench.peer", ground.dsn, str(concurrency)) as worker:
            await jobs.tasks["refine"].defer_async()
            await _until_peer_has_done(connection, 1)
            worker.send_signal(signal.SIGSTOP)
            await jobs.tasks["refine"].batch_defer_async(*[{} for _ in range(TASKS)])
            async with _spending(ground, worker) as spent:
                worker.send_signal(signal.SIGCONT)
                await _until_peer_has_done(connection, TASKS + 1)
    took_s = await connection.fetchval(
        """
        SELECT extract(epoch FROM max(at) FILTER (WHERE type = 'succeeded')
                                - min(at) FILTER (WHERE type = 'started'))::float8
        FROM procrastinate_events WHERE job_id > (SELECT min(id) FROM procrastinate_jobs)
        """
    )
    await connection.close()
    return Drained(TASKS / took_s, *spent)


async def _until_peer_has_done(connection: asyncpg.Connection[asyncpg.Record], jobs: int) -> None:
    async with asyncio.timeout(END_LIMIT_S):
        while (
            await connection.fetchval(
                "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"
            )
            < jobs
        ):
            # polled because the worker tells nobody
            await asyncio.sleep(0.1)
