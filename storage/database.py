"""Run single statements on a pool of PostgreSQL connections, with bounded waits and one error for
a database that is away. What the statements say is for its users."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

type Pool = asyncpg.Pool[asyncpg.Record]

ACQUIRE_TIMEOUT_S = 4.0
CONNECT_TIMEOUT_S = 4.0
STATEMENT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 5.0

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutdown, crash, "starting up", cancelled by an operator
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.DeadlockDetectedError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # "got result for unknown protocol state" when a backend dies
)


class DatabaseUnavailable(OSError):
    """The database cannot be reached at the moment."""


class DatabaseRefused(Exception):
    """The database does not let this process in; the message is the database's own."""


class Database:
    """Statements on a pool. Every method raises `DatabaseUnavailable` within about 10 s when the
    database is away, and PostgreSQL's own errors otherwise.

    A statement that was cut off may have been committed all the same.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """All rows."""
        rows: list[asyncpg.Record] = await self._run("fetch", sql, args)
        return rows

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        """The first row, if any."""
        row: asyncpg.Record | None = await self._run("fetchrow", sql, args)
        return row

    async def check(self) -> None:
        """Raise `DatabaseUnavailable` unless a statement works now."""
        await self.fetchrow("SELECT 1")

    @property
    def in_use(self) -> tuple[int, int]:
        """Connections at work, and the most there can be."""
        return self._pool.get_size() - self._pool.get_idle_size(), self._pool.get_max_size()

    async def _run(self, call: str, sql: str, args: tuple[object, ...]) -> Any:
        try:
            connection = await self._connection()
            try:
                return await getattr(connection, call)(sql, *args)
            finally:
                await self._pool.release(connection)
        except asyncpg.DataError:
            raise
        except _AWAY as error:
            raise DatabaseUnavailable(DatabaseUnavailable.__doc__) from error

    async def _connection(self) -> Any:
        # where one is free there is no wait to be bounded, and a timer has its price
        timeout_s = None if self._pool.get_idle_size() else ACQUIRE_TIMEOUT_S
        try:
            return await self._pool.acquire(timeout=timeout_s)
        except asyncpg.PostgresError as error:
            # it let this process in before: whatever it says now, it is a matter of its operators
            raise DatabaseUnavailable(DatabaseUnavailable.__doc__) from error


@asynccontextmanager
async def open_database(dsn: str, *, max_size: int = 10) -> AsyncIterator[Database]:
    """A database whose `jsonb` values are Python objects and whose times are in UTC.

    Raises `DatabaseUnavailable` when it cannot be reached now, `DatabaseRefused` when it says no.
    """
    pool = await _connect(dsn, max_size)
    try:
        yield Database(pool)
    finally:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await pool.close()
        except TimeoutError:
            pool.terminate()


async def _connect(dsn: str, max_size: int) -> Pool:
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=max_size,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=STATEMENT_TIMEOUT_S,
            init=_speak_json,
            # No statement here leaves session state behind (no SET, LISTEN, advisory lock or
            # cursor), so a reset between two users of a connection would be a round trip wasted.
            reset=_keep_session,
            server_settings={
                "application_name": "concept-refiner",
                "timezone": "UTC",
                # Every statement finds few rows by an index whatever its arguments are; planning
                # the accepting one anew each time would cost more than running it. A plan that is
                # kept from when the tables were small must not read them whole once they are not,
                # nor lay aside all that is active to look for a few in it.
                "plan_cache_mode": "force_generic_plan",
                "enable_seqscan": "off",
                "enable_hashjoin": "off",
                "enable_mergejoin": "off",
                "enable_material": "off",
            },
        )
    except _AWAY as error:
        raise DatabaseUnavailable(DatabaseUnavailable.__doc__) from error
    except ValueError as error:
        # the error may quote the address, and with it a password
        raise DatabaseRefused("it is not a valid address") from error
    except asyncpg.PostgresError as error:
        raise DatabaseRefused(str(error)) from error


async def _speak_json(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
    )


async def _keep_session(_connection: Any) -> None:
    return None
