"""From an accepted request to its result, with an engine that does nothing and nobody in the way.

`accepted to completed` is by the database's clock, `asked to answered` by the client's: from
sending a request that prefers to wait to having its answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from uuid import uuid4

import aiohttp
from aiohttp.test_utils import unused_port

from storage.database import Database, open_database
from tests.bench.load import request_bytes, send
from tests.bench.parts import bench_folder, fresh_database, listening
from tests.bench.table import Row
from tests.chaos.deployment import Deployment, deployment
from tests.emulators import pubsub_emulator

REQUESTS = 200
WARMING = 10
TURNS = 2


@dataclass(frozen=True)
class Seen:
    """Medians in ms."""

    completed: float
    answered: float


async def run() -> list[Row]:
    """Each in turns with the others, and the best of its turns counts."""
    folder = bench_folder()
    with pubsub_emulator() as broker:
        async with (
            fresh_database(folder) as dsn,
            open_database(dsn) as database,
            deployment(folder, dsn, database, {"MONTHLY_REFINEMENTS": "100000"}) as made,
        ):
            await made.add_users(REQUESTS + WARMING)
            insert = await _best(partial(insert_floor, dsn))
            message = await _best(partial(message_floor, broker.host))
            found = [
                [await in_memory(made), await over_emulator(made, broker.host)]
                for _ in range(TURNS)
            ]
    memory, emulator = zip(*found, strict=True)
    return [
        Row("floor: aiohttp + one INSERT, one client, median", insert, "ms"),
        *_rows("in memory", memory, insert, "(goal 20 ms)"),
        Row("floor: a message through the emulator by plain HTTP, median", message, "ms"),
        *_rows("over the emulator", emulator, message, "(goal 100 ms)"),
    ]


def _rows(where: str, turns: tuple[Seen, ...], floor_ms: float, goal: str) -> list[Row]:
    completed = min(seen.completed for seen in turns)
    answered = min(seen.answered for seen in turns)
    return [
        Row(
            f"accepted to completed {where}, median",
            completed,
            "ms",
            completed / floor_ms,
            "floor",
            goal,
        ),
        Row(f"asked to answered {where}, median", answered, "ms", answered / floor_ms, "floor"),
    ]


async def _best(measure: Callable[[], Awaitable[float]]) -> float:
    return min([await measure() for _ in range(TURNS)])


async def in_memory(made: Deployment) -> Seen:
    """The API with the worker inside."""
    made.settings["QUEUE_URL"] = "memory:"
    api = await made.start("api")
    async with _ending(made):
        return await _ask_in_turn(made, api.base)


async def over_emulator(made: Deployment, broker_host: str) -> Seen:
    """The API and a worker, with topics of their own."""
    name = uuid4().hex
    made.settings |= {
        "QUEUE_URL": f"pubsub://bench/t{name}/s{name}",
        "PUBSUB_EMULATOR_HOST": broker_host,
    }
    api = await made.start("api")
    await made.start("worker")
    async with _ending(made):
        return await _ask_in_turn(made, api.base)


@asynccontextmanager
async def _ending(made: Deployment) -> AsyncIterator[None]:
    yield
    for process in made.running:
        assert await process.stop() == 0
    made.running.clear()


async def _ask_in_turn(made: Deployment, base: str) -> Seen:
    answered_ms = []
    for user in made.users:
        begin_s = time.perf_counter()
        response = await made.session.post(
            f"{base}/api/concepts/refine",
            json={"original_image_url": made.sources[user.user_id], "refinement_prompt": "x"},
            headers={"Authorization": f"Bearer {user.token}", "Prefer": "wait=30"},
        )
        await response.read()
        assert response.status == 200, await response.text()
        answered_ms.append((time.perf_counter() - begin_s) * 1000)
    completed_ms = await _completed_ms(made.database)
    assert len(completed_ms) == len(answered_ms)
    return Seen(median(completed_ms[WARMING:]), median(answered_ms[WARMING:]))


async def _completed_ms(database: Database) -> list[float]:
    """How long each task took by the database's clock, in their order; forgets them."""
    rows = await database.fetch(
        """
        SELECT extract(epoch FROM max(event.updated_at) - task.created_at)::float8 * 1000 AS took
        FROM task JOIN task_event AS event ON event.task_id = task.id
        WHERE task.status = 'completed' GROUP BY task.id ORDER BY task.created_at
        """
    )
    await database.fetch("DELETE FROM task")
    return [row["took"] for row in rows]


async def insert_floor(dsn: str) -> float:
    """The median of plain aiohttp with one INSERT, for one client."""
    port = unused_port()
    request = request_bytes(
        "POST", "/floor", b'{"refinement_prompt": "x"}', {"Content-Type": "application/json"}
    )
    async with listening(port, "tests.bench.floors", "aiohttp", str(port), dsn):
        await send(port, [request] * WARMING, connections=1)
        return (await send(port, [request] * REQUESTS, connections=1)).p50_ms


async def message_floor(broker_host: str) -> float:
    """The median of publishing a message for which a pull waits already."""
    name = uuid4().hex
    root = f"http://{broker_host}/v1/projects/bench"
    topic, subscription = f"{root}/topics/t{name}", f"{root}/subscriptions/s{name}"
    took_ms = []
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        await session.put(topic, json={})
        await session.put(subscription, json={"topic": f"projects/bench/topics/t{name}"})

        async def pull() -> float:
            async with session.post(f"{subscription}:pull", json={"maxMessages": 1}) as response:
                [received] = (await response.json())["receivedMessages"]
            received_s = time.perf_counter()
            await session.post(f"{subscription}:acknowledge", json={"ackIds": [received["ackId"]]})
            return received_s

        for _ in range(WARMING + REQUESTS):
            pulling = asyncio.create_task(pull())
            begin_s = time.perf_counter()
            await session.post(f"{topic}:publish", json={"messages": [{"data": "eA=="}]})
            took_ms.append((await pulling - begin_s) * 1000)
    return median(took_ms[WARMING:])
