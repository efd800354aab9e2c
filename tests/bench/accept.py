"""The accept path and the poll: all that the contract asks, against those that ask less."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from aiohttp.test_utils import unused_port

from service.auth import TokenRules, make_token
from storage.postgres_programs import find_programs
from tests.bench.floors import SCHEMA
from tests.bench.load import Outcome, request_bytes, send
from tests.bench.parts import bench_folder, fresh_database, listening
from tests.bench.table import Row

SECRET = "a secret for the benchmarks' tokens"
CONNECTIONS = 16
REQUESTS = 4_000
TURNS = 3
POLLERS = 200
PUBLIC_URL = "http://refiner.test"
PROMPT = "Make the logo more minimalist and use lighter shades of brown"

Measure = Callable[[], Awaitable[Outcome]]


@dataclass(frozen=True)
class Ground:
    """Where everything is measured: one database, one folder."""

    dsn: str
    folder: Path


async def run() -> list[Row]:
    """Each is measured in turns with the others, and the best of its turns counts."""
    folder = bench_folder()
    async with fresh_database(folder) as dsn:
        ground = Ground(dsn, folder)
        bare, floor, peer, ours, conflicts = await best_of(
            lambda: pgbench(ground),
            lambda: floor_of(ground, "aiohttp", "POST"),
            lambda: floor_of(ground, "peer", "POST"),
            lambda: accept(ground),
            lambda: conflict(ground),
        )
        select, poll = await best_of(
            lambda: floor_of(ground, "aiohttp", "GET"), lambda: poll_of(ground)
        )
    return [
        Row("pgbench: one INSERT", bare.rate, "/s"),
        Row("floor: aiohttp + one INSERT", floor.rate, "req/s", floor.rate / bare.rate, "pgbench"),
        Row("peer: FastAPI + procrastinate, which does less", peer.rate, "req/s"),
        Row("accept", ours.rate, "req/s", ours.rate / floor.rate, "floor", "(goal 0.5, then 0.7)"),
        Row("accept", ours.rate, "req/s", ours.rate / peer.rate, "peer", "(goal 2)"),
        Row("accept, median", ours.p50_ms, "ms", ours.p50_ms / floor.p50_ms, "floor"),
        Row("409", conflicts.rate, "req/s", conflicts.rate / floor.rate, "floor"),
        Row("floor: aiohttp + one SELECT", select.rate, "req/s"),
        Row("poll", poll.rate, "req/s", poll.rate / select.rate, "floor", "(goal 0.7)"),
        Row("poll, median", poll.p50_ms, "ms", poll.p50_ms / select.p50_ms, "floor"),
    ]


async def best_of(*measures: Measure) -> list[Outcome]:
    """The outcome with the highest rate of each, measured in turns."""
    found = [[await measure() for measure in measures] for _ in range(TURNS)]
    return [
        max(outcomes, key=lambda outcome: outcome.rate) for outcomes in zip(*found, strict=True)
    ]


async def floor_of(ground: Ground, kind: str, method: str) -> Outcome:
    """The rate of a floor."""
    port = unused_port()
    body = json.dumps({"original_image_url": f"{PUBLIC_URL}/x", "refinement_prompt": PROMPT})
    sent = body.encode() if method == "POST" else b""
    request = request_bytes(method, "/floor", sent, {"Content-Type": "application/json"})
    async with listening(port, "tests.bench.floors", kind, str(port), ground.dsn):
        await send(port, [request] * 200, connections=CONNECTIONS)
        outcome = await send(port, [request] * REQUESTS, connections=CONNECTIONS)
    assert set(outcome.statuses) <= {200, 202}, outcome.statuses
    return outcome


async def accept(ground: Ground) -> Outcome:
    """The rate of requests that are all accepted, each of another user for an own concept."""
    users = await add_users(ground.dsn, REQUESTS + 200)
    requests = [refine_request(user_id, key) for user_id, key in users]
    async with serving(ground) as port:
        await send(port, requests[REQUESTS:], connections=CONNECTIONS)
        # whoever refines a concept has uploaded it, so their token has been seen
        seen = [request_bytes("GET", "/api/quota", headers=bearer(user_id)) for user_id, _ in users]
        await send(port, seen[:REQUESTS], connections=CONNECTIONS)
        outcome = await send(port, requests[:REQUESTS], connections=CONNECTIONS)
    assert set(outcome.statuses) == {202}, outcome.statuses
    return outcome


async def conflict(ground: Ground) -> Outcome:
    """The rate of requests of a user who has an active refinement already."""
    [(user_id, key)] = await add_users(ground.dsn, 1)
    request = refine_request(user_id, key)
    async with serving(ground) as port:
        await send(port, [request] * 200, connections=CONNECTIONS)
        outcome = await send(port, [request] * REQUESTS, connections=CONNECTIONS)
    assert set(outcome.statuses) == {409}, outcome.statuses
    return outcome


async def pgbench(ground: Ground) -> Outcome:
    """The rate of the floor's INSERT by PostgreSQL's own load generator."""
    script = ground.folder / "insert.sql"
    script.write_text(
        f"INSERT INTO floor VALUES (gen_random_uuid(), gen_random_uuid(), '{PROMPT}')"
    )
    connection = await asyncpg.connect(ground.dsn)
    await connection.execute(SCHEMA)
    await connection.close()
    each = REQUESTS // CONNECTIONS
    process = await asyncio.create_subprocess_exec(
        find_programs(None) / "pgbench",
        *("--no-vacuum", "--protocol=prepared", f"--file={script}"),
        *(f"--client={CONNECTIONS}", f"--transactions={each}", ground.dsn),
        cwd=ground.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    tps = re.search(r"tps = ([\d.]+)", said.decode())
    assert process.returncode == 0, said.decode()
    assert tps is not None
    done = each * CONNECTIONS
    return Outcome(done / float(tps[1]), [CONNECTIONS / float(tps[1])] * done)


async def poll_of(ground: Ground) -> Outcome:
    """The rate of reading pending tasks, each by its owner."""
    users = await add_users(ground.dsn, POLLERS)
    async with serving(ground) as port:
        requests = [refine_request(user_id, key) for user_id, key in users]
        await send(port, requests, connections=CONNECTIONS)
        connection = await asyncpg.connect(ground.dsn)
        rows = await connection.fetch(
            "SELECT id, user_id FROM task WHERE user_id = ANY ($1)", [user for user, _ in users]
        )
        await connection.close()
        polls = [
            request_bytes("GET", f"/api/tasks/{row['id']}", headers=bearer(row["user_id"]))
            for row in rows
        ]
        await send(port, polls, connections=CONNECTIONS)
        outcome = await send(port, polls * (REQUESTS // POLLERS), connections=CONNECTIONS)
    assert set(outcome.statuses) == {200}, outcome.statuses
    return outcome


@asynccontextmanager
async def serving(ground: Ground) -> AsyncIterator[int]:
    """The port of our API alone."""
    port = unused_port()
    async with listening(port, "tests.bench.api_only", settings=api_settings(ground, port)):
        yield port


def api_settings(ground: Ground, port: int) -> dict[str, str]:
    """What our API is told."""
    return {
        "PORT": str(port),
        "DATA_DIR": str(ground.folder),
        "DATABASE_URL": ground.dsn,
        "AUTH_JWT_SECRET": SECRET,
        "PUBLIC_URL": PUBLIC_URL,
    }


@cache
def bearer(user_id: UUID) -> dict[str, str]:
    """The header that names a user, the same each time."""
    token = make_token(user_id, TokenRules(SECRET.encode()), ttl_s=3_600)
    return {"Authorization": f"Bearer {token}"}


def refine_request(user_id: UUID, key: str) -> bytes:
    """A request of a user to refine the image of that key."""
    body = json.dumps(
        {"original_image_url": f"{PUBLIC_URL}/images/{key}", "refinement_prompt": PROMPT}
    )
    headers = {"Content-Type": "application/json", **bearer(user_id)}
    return request_bytes("POST", "/api/concepts/refine", body.encode(), headers)


async def add_users(dsn: str, number: int) -> list[tuple[UUID, str]]:
    """Users with one concept each: their ids and image keys."""
    users = [(user_id := uuid4(), f"{user_id}/{uuid4()}.png") for _ in range(number)]
    connection = await asyncpg.connect(dsn)
    await connection.executemany(
        """
        INSERT INTO concept (id, user_id, root_id, image_key, content_type, width, height)
        SELECT id, $1, id, $2, 'image/png', 32, 32 FROM (SELECT gen_random_uuid() AS id) AS new
        """,
        users,
    )
    await connection.execute("VACUUM ANALYZE concept")
    await connection.close()
    return users
