"""Bring a database up to the schema that this code needs; what changes is in `migrations/`."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import asyncpg
from pogo_core.error import BadMigrationError
from pogo_core.util.migrate import apply
from pogo_core.util.sql import ensure_pogo_sync, get_applied_migrations

# a folder without __init__.py, for pogo takes every .py there for a migration
MIGRATIONS = Path(__file__).parents[1] / "migrations"
SCHEMA = "public"
# any number will do that all versions of this service share
LOCK_KEY = 5_214_708_309
ASK_AGAIN_S = 0.05
LOCK_LIMIT_S = 300.0
CONNECT_TIMEOUT_S = 10.0


class _Log(logging.LoggerAdapter[logging.Logger]):
    """What pogo does as told, it reports as a warning."""

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.info(msg, *args, **kwargs)


_log = _Log(logging.getLogger(__name__))


class SchemaError(Exception):
    """The schema cannot be brought up to date; the message says why, in one line."""


class SchemaTooNew(SchemaError):
    """The database was migrated by a newer version of this code; the message names by what."""

    def __init__(self, unknown: set[str]) -> None:
        names = ", ".join(sorted(unknown))
        super().__init__(f"The database is newer than this code, which does not know {names}")


class SchemaLocked(SchemaError):
    """Another process has been changing the database's schema for too long."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class MigrationFailed(SchemaError):
    """A migration could not be applied; the message names it and the database's reason."""

    def __init__(self, error: BadMigrationError) -> None:
        super().__init__(f"{error}: {error.__cause__}" if error.__cause__ else str(error))


async def migrate(dsn: str, folder: Path = MIGRATIONS) -> None:
    """Apply the migrations that the database lacks; any number of processes may, all at once.

    Raises `SchemaError`, and what asyncpg raises for a database that is away.
    """
    known = _names(folder)
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    try:
        await _take_turn(connection)
        await ensure_pogo_sync(connection)
        applied = await get_applied_migrations(connection, schema_name=SCHEMA)
        if applied - known:
            raise SchemaTooNew(applied - known)
        # reading the files costs more than all the rest, and at most starts nothing is new
        if known - applied:
            await apply(connection, folder, schema_name=SCHEMA, logger=_log)
    except BadMigrationError as error:
        raise MigrationFailed(error) from error
    finally:
        await connection.close()


def _names(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.sql")}


async def _take_turn(connection: Any) -> None:
    """Be the only one who migrates this database, for as long as the connection is open.

    Asked for again and again: a statement that waits for the lock holds a snapshot, and a CREATE
    INDEX CONCURRENTLY of the one who has the lock would wait for that in turn.
    """
    try:
        async with asyncio.timeout(LOCK_LIMIT_S):
            while True:
                if await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY):
                    return
                await asyncio.sleep(ASK_AGAIN_S)
    except TimeoutError as error:
        raise SchemaLocked from error
