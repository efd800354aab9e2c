"""A thousand followers of live streams on one process: what they cost, and how soon they hear."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from uuid import UUID

import asyncpg
from aiohttp.test_utils import unused_port

from tests.bench.accept import (
    CONNECTIONS,
    Ground,
    add_users,
    api_settings,
    bearer,
    refine_request,
)
from tests.bench.cpu import resident_mb
from tests.bench.idle import until_at_rest
from tests.bench.load import Outcome, request_bytes, send
from tests.bench.parts import bench_folder, fresh_database, listening, module_process
from tests.bench.table import Row

FOLLOWERS = 1_000
CHANGES = 60
CHANGE_EVERY_S = 0.1
LOOK_EVERY_S = 0.005
REQUESTS = 1_500
PAIRS = 8
WARMING = 500
LIMIT_S = 120


@dataclass
class Followers:
    """Open streams of events. `arrived_s` has the times at which each event came to its readers."""

    arrived_s: defaultdict[tuple[UUID, int], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    begun: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def follow(self, port: int, user_id: UUID, task_id: UUID) -> None:
        """Read a stream until it is cut."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_bytes("GET", f"/api/tasks/{task_id}/events", headers=bearer(user_id)))
        is_first = True
        try:
            while line := await reader.readline():
                if line.startswith(b"id: "):
                    self.arrived_s[task_id, int(line[4:])].append(time.perf_counter())
                    self.begun += is_first
                    is_first = False
        finally:
            writer.close()


async def run() -> list[Row]:
    """The accept rate alone and beside followers is measured in pairs on one process each: one
    process or minute differs more from another than the followers cost."""
    folder = bench_folder()
    async with fresh_database(folder) as dsn:
        ground = Ground(dsn, folder)
        followed = await add_tasks(ground, FOLLOWERS)
        settings = api_settings(ground, unused_port())
        async with module_process("tests.bench.relay", settings=settings) as relay:
            await until_at_rest(relay.pid)
            related = await accept_beside(ground, followed[:1], relay)
        loaded = await accept_beside(ground, followed)
        memory_mb, apart_ms = await cost_of(ground, followed)
        _, together_ms = await cost_of(ground, [followed[0]] * FOLLOWERS)
    return [
        Row(f"memory for {FOLLOWERS:,} followers", memory_mb, "MB", goal="(goal 250)"),
        Row("change → event, a task each, median", apart_ms, "ms", goal="(goal 100)"),
        Row("change → event, all on one task, median", together_ms, "ms"),
        _beside("a relay and a follower", related),
        _beside(f"{FOLLOWERS:,} followers", loaded),
    ]


def _beside(what: str, pairs: list[tuple[float, float]]) -> Row:
    rate = median(beside for _, beside in pairs)
    ratio = median(beside / alone for alone, beside in pairs)
    return Row(f"accept beside {what}, median", rate, "req/s", ratio, "without", "(goal 0.95)")


async def add_tasks(ground: Ground, number: int) -> list[tuple[UUID, UUID]]:
    """Users with a pending task each."""
    users = await add_users(ground.dsn, number)
    async with process(ground) as (port, _):
        requests = [refine_request(user_id, key) for user_id, key in users]
        await send(port, requests, connections=CONNECTIONS)
    connection = await asyncpg.connect(ground.dsn)
    rows = await connection.fetch("SELECT user_id, id FROM task")
    await connection.close()
    assert len(rows) == number
    return [(row["user_id"], row["id"]) for row in rows]


async def accept_beside(
    ground: Ground,
    followed: Sequence[tuple[UUID, UUID]],
    relay: asyncio.subprocess.Process | None = None,
) -> list[tuple[float, float]]:
    """Pairs of rates of accepted requests, in requests a second: without and with followers.

    The relay stands still without them. Nothing is ever worked off here, so it announces
    every task again and again: it costs more than one beside a worker.
    """
    users = await add_users(ground.dsn, 2 * PAIRS * REQUESTS + WARMING)
    requests = [refine_request(user_id, key) for user_id, key in users]
    left = iter(requests)
    pairs = []
    async with process(ground) as (port, _):
        await _rate(port, islice(left, WARMING))
        for turn in range(PAIRS):
            rates = {}
            # by turns in both orders, for the later one finds larger tables
            for beside in (turn % 2 == 1, turn % 2 == 0):
                with nullcontext() if beside or relay is None else _standing_still(relay):
                    async with following(port, followed if beside else []):
                        rates[beside] = await _rate(port, islice(left, REQUESTS))
            pairs.append((rates[False], rates[True]))
    return pairs


@contextmanager
def _standing_still(process: asyncio.subprocess.Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


async def _rate(port: int, requests: Iterable[bytes]) -> float:
    outcome: Outcome = await send(port, list(requests), connections=CONNECTIONS)
    assert set(outcome.statuses) == {202}, outcome.statuses
    return outcome.rate


async def cost_of(ground: Ground, followed: Sequence[tuple[UUID, UUID]]) -> tuple[float, float]:
    """The memory that the followers take, in MB, and the median time in ms in which they hear."""
    connection = await asyncpg.connect(ground.dsn)
    latencies_s: list[float] = []
    async with process(ground) as (port, pid):
        await send(port, [request_bytes("GET", "/healthz")] * 200, connections=CONNECTIONS)
        before_mb = resident_mb(pid)
        async with following(port, followed) as followers:
            memory_mb = resident_mb(pid) - before_mb
            for _ in range(CHANGES):
                _, task_id = random.choice(followed)
                begin_s = time.perf_counter()
                event = (task_id, await change(connection, task_id))
                expected = len(followed) if followed[0] == followed[-1] else 1
                while len(followers.arrived_s[event]) < expected:
                    await asyncio.sleep(LOOK_EVERY_S)
                latencies_s += [at_s - begin_s for at_s in followers.arrived_s[event]]
                await asyncio.sleep(random.uniform(0, CHANGE_EVERY_S))
    await connection.close()
    return memory_mb, median(latencies_s) * 1000


async def change(connection: asyncpg.Connection[asyncpg.Record], task_id: UUID) -> int:
    """Let a task get on, as its worker's heartbeat would; the version that it has then."""
    version = await connection.fetchval(
        "UPDATE task SET progress = random() WHERE id = $1 RETURNING version", task_id
    )
    return int(version)


@asynccontextmanager
async def following(port: int, followed: Sequence[tuple[UUID, UUID]]) -> AsyncIterator[Followers]:
    """Streams of these tasks, once each has had its first event."""
    followers = Followers()
    async with asyncio.timeout(LIMIT_S):
        for begin in range(0, len(followed), CONNECTIONS):
            for user_id, task_id in followed[begin : begin + CONNECTIONS]:
                followers.tasks.append(
                    asyncio.create_task(followers.follow(port, user_id, task_id))
                )
            while followers.begun < len(followers.tasks):
                await asyncio.sleep(LOOK_EVERY_S)
    try:
        yield followers
    finally:
        for task in followers.tasks:
            task.cancel()
        await asyncio.gather(*followers.tasks, return_exceptions=True)


@asynccontextmanager
async def process(ground: Ground) -> AsyncIterator[tuple[int, int]]:
    """The port and the process id of our API alone."""
    port = unused_port()
    async with listening(
        port, "tests.bench.api_only", settings=api_settings(ground, port)
    ) as running:
        yield port, running.pid
