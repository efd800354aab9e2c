"""Give each test a database with the schema and no rows, for a twentieth of what making one costs.

What made it dear are its 300 files: a test gives its database back, and the next one gets it empty.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg

# more than that takes longer to empty, and leaves more behind, than a new database
MOST_BYTES = 4 << 20


@asynccontextmanager
async def a_database(server: str, template: str) -> AsyncIterator[str]:
    """The DSN of a new database, which goes away with everything in it."""
    name = f"test_{uuid4().hex}"
    await _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server.replace("@/postgres?", f"@/{name}?")
    finally:
        await _drop(server, name)


class Databases:
    """Databases made of one template, each for one test at a time."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._empty: list[str] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[str]:
        """The DSN of a database as good as new."""
        name = self._empty.pop() if self._empty else await self._make()
        dsn = self._server.replace("@/postgres?", f"@/{name}?")
        try:
            yield dsn
        finally:
            if await _is_emptied(dsn):
                self._empty.append(name)
            else:
                await _drop(self._server, name)

    async def _make(self) -> str:
        name = f"test_{uuid4().hex}"
        await _execute(self._server, f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return name


def name_of(dsn: str) -> str:
    """The name of the database."""
    return dsn.partition("@/")[2].partition("?")[0]


async def _is_emptied(dsn: str) -> bool:
    """Whether it could be made as it was: without rows, and nobody is connected any more."""
    connection = await asyncpg.connect(dsn)
    try:
        # whoever a failed test left, or a killed process
        await connection.fetch(
            """
            SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
              AND backend_type = 'client backend'
            """
        )
        tables = await connection.fetch(
            r"""
            SELECT relname, pg_table_size(oid) AS bytes FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
              AND relname NOT LIKE '\_pogo%'
            """
        )
        if sum(table["bytes"] for table in tables) > MOST_BYTES:
            return False
        deletes = "; ".join(f"DELETE FROM {table['relname']}" for table in tables)
        # neither triggers nor references matter where everything goes
        await connection.execute(f"SET session_replication_role = replica; {deletes}")
        return True
    finally:
        await connection.close()


async def _drop(server: str, name: str) -> None:
    # FORCE cuts off what a failed test left open
    await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
