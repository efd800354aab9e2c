"""Give tests a real PostgreSQL: one server for the run, a database for each test."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from service.resources import INTAKE_BYTES
from service.sandbox import Sandbox
from storage.database import Database, Pool, open_database
from storage.embedded import embedded_postgres
from storage.schema import migrate
from tests.databases import Databases, a_database, name_of
from tests.processes import Start, fork_server

# a run in the background is deaf to Ctrl-C, and so were the programs that tests start and stop
signal.signal(signal.SIGINT, signal.default_int_handler)

# a test's database need not survive a power cut
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
async def postgres_server() -> AsyncIterator[str]:
    """The DSN of a server of this run; under xdist every worker has its own."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        async with embedded_postgres(Path(folder), NOT_DURABLE) as dsn:
            yield dsn


@pytest.fixture(scope="session")
async def fork() -> AsyncIterator[Start]:
    """Starts processes of the service from one that has imported it."""
    async with fork_server() as fork:
        yield fork


@pytest.fixture(scope="session")
async def migrated_template(postgres_server: str) -> AsyncIterator[str]:
    """The name of a database with the schema and no rows."""
    async with a_database(postgres_server, "template0") as dsn:
        await migrate(dsn)
        yield name_of(dsn)


@pytest.fixture(scope="session")
async def databases(postgres_server: str, migrated_template: str) -> Databases:
    """Databases with the schema and no rows."""
    return Databases(postgres_server, migrated_template)


@pytest.fixture
async def empty_database_url(postgres_server: str) -> AsyncIterator[str]:
    """A new database without a schema."""
    async with a_database(postgres_server, "template0") as dsn:
        yield dsn


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """A database with the schema and no rows, for nobody else."""
    async with databases.one() as dsn:
        yield dsn


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Plain connections to the database of the test."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=10) as pool:
        yield pool


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database of the test, as the service opens it."""
    async with open_database(database_url) as database:
        yield database


@pytest.fixture(scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    """A warm sandbox for the pictures of all tests; it keeps nothing from one to the next."""
    sandbox = Sandbox(processes=1, memory_bytes=INTAKE_BYTES, preload=("service.intake",))
    yield sandbox
    await sandbox.close()
