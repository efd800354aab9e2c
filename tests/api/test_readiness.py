"""Readiness asks the real parts in bounded time; being alive depends on none of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from aiohttp.test_utils import unused_port

from service.resources import POOL_CONNECTIONS
from tests.api.harness import Service, running_service
from tests.databases import a_database, name_of
from tests.scripted import ScriptedEngine

LIMIT_S = 60


async def readiness(service: Service) -> tuple[int, dict[str, str], str]:
    """The status, the checks and the whole text of `/readyz`."""
    async with service.session.get(f"{service.base}/readyz") as response:
        checks: dict[str, str] = (await response.json())["checks"]
        return response.status, checks, await response.text()


async def status_of(service: Service, path: str) -> int:
    """The status of an address."""
    async with service.session.get(f"{service.base}{path}") as response:
        return response.status


async def shut_off(server: str, name: str) -> None:
    """Let nobody into a database any more, and throw out who is in it."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
    finally:
        await connection.close()


async def test_it_says_what_is_away_and_nothing_of_the_inside(
    postgres_server: str, migrated_template: str, tmp_path: Path
) -> None:
    broker = f"127.0.0.1:{unused_port()}"
    async with (
        asyncio.timeout(LIMIT_S),
        a_database(postgres_server, migrated_template) as database_url,
        running_service(
            database_url,
            tmp_path,
            ScriptedEngine(),
            queue_url="pubsub://project/topic/subscription",
            pubsub_emulator_host=broker,
        ) as service,
    ):
        status, checks, text = await readiness(service)
        assert status == 503
        assert checks == {"database": "ok", "queue": "unavailable", "storage": "ok"}
        assert broker not in text
        name = name_of(database_url)
        await shut_off(postgres_server, name)
        status, checks, text = await readiness(service)
        assert status == 503
        assert checks["database"] != "ok"
        assert checks["storage"] == "ok"
        for secret in (name, broker, "postgres", str(tmp_path)):
            assert secret not in text
        assert await status_of(service, "/healthz") == 200
        assert await status_of(service, "/metrics") == 200


async def test_a_part_that_does_not_answer_is_not_waited_for(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.health.CHECK_TIMEOUT_S", 0.3)
    database = service.resources.database
    # to open a connection may take long; from here on they are there
    await asyncio.gather(*(database.fetch("SELECT pg_sleep(1)") for _ in range(POOL_CONNECTIONS)))
    holder = await asyncpg.connect(database_url)
    await holder.execute("SELECT pg_advisory_lock(1)")
    # some more than there are connections, for chores have theirs and give them back
    stuck = [
        asyncio.create_task(database.fetch("SELECT pg_advisory_xact_lock(1)"))
        for _ in range(POOL_CONNECTIONS + 4)
    ]
    async with asyncio.timeout(LIMIT_S):
        while database.in_use[0] < POOL_CONNECTIONS:
            await status_of(service, "/healthz")
        status, checks, _ = await readiness(service)
        assert (status, checks["database"]) == (503, "timeout")
        assert await status_of(service, "/healthz") == 200
        await holder.close()
        await asyncio.gather(*stuck, return_exceptions=True)
        monkeypatch.setattr("service.health.CHECK_TIMEOUT_S", LIMIT_S)
        assert (await readiness(service))[0] == 200
