"""A database gets the schema that the code needs, however many processes start at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from storage.schema import LOCK_KEY, MIGRATIONS, MigrationFailed, SchemaTooNew, migrate

RACERS = 8
ROUNDS = 3
ROOT = Path(__file__).parents[2]
# all import first and begin at the same word, or the first would be done before the last is there
RACER = """
import asyncio, sys
from storage.schema import migrate
print(flush=True)
sys.stdin.readline()
asyncio.run(migrate(sys.argv[1]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations of our own, the second of which must run outside a transaction."""
    write_migration(tmp_path, "0001_note", "CREATE TABLE note (number int)")
    write_migration(
        tmp_path,
        "0002_index",
        "CREATE INDEX CONCURRENTLY note_number ON note (number)",
        after="0001_note",
        extra="-- transaction: false",
    )
    return tmp_path


def write_migration(
    folder: Path, name: str, statement: str, after: str = "", extra: str = ""
) -> None:
    text = f"-- {name}\n-- depends: {after}\n{extra}\n-- migrate: apply\n{statement};\n"
    (folder / f"{name}.sql").write_text(f"{text}-- migrate: rollback\n")


async def value(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_an_empty_database_gets_every_migration_once(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    await migrate(empty_database_url)
    applied = await value(empty_database_url, "SELECT count(*) FROM _pogo_migration")
    assert applied == len(list(MIGRATIONS.glob("*.sql")))
    assert await value(empty_database_url, "SELECT count(*) FROM task") == 0


@pytest.mark.parametrize("_round", range(ROUNDS))
async def test_processes_that_start_at_once_all_succeed(
    empty_database_url: str, _round: int
) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, empty_database_url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(RACERS)
    ]
    for racer in racers:
        assert racer.stdout is not None
        racer.stdout.readline()
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write(b"\n")
        racer.stdin.flush()
    failures = [racer.communicate(timeout=60)[1].decode() for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * RACERS, failures


@pytest.mark.parametrize("_round", range(ROUNDS))
async def test_those_who_wait_do_not_block_an_index_made_concurrently(
    empty_database_url: str, folder: Path, _round: int
) -> None:
    async with asyncio.timeout(30):
        await asyncio.gather(*(migrate(empty_database_url, folder) for _ in range(RACERS)))
    assert await value(empty_database_url, "SELECT count(*) FROM _pogo_migration") == 2


async def test_a_start_waits_for_whoever_is_migrating(empty_database_url: str) -> None:
    other = await asyncpg.connect(empty_database_url)
    await other.fetchval("SELECT pg_advisory_lock($1)", LOCK_KEY)
    waiting = asyncio.create_task(migrate(empty_database_url))
    asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%try_advisory%'"
    async with asyncio.timeout(30):
        while await other.fetchval(asked) < 2:  # the other one, and this question itself
            pass
    assert await other.fetchval("SELECT to_regclass('task')") is None
    await other.close()
    async with asyncio.timeout(30):
        await waiting
    assert await value(empty_database_url, "SELECT to_regclass('task')::text") == "task"


async def test_a_database_newer_than_the_code_is_refused_and_left_alone(
    empty_database_url: str, folder: Path
) -> None:
    await migrate(empty_database_url, folder)
    (folder / "0002_index.sql").unlink()
    write_migration(folder, "0002_other", "CREATE TABLE other ()", after="0001_note")
    with pytest.raises(SchemaTooNew, match="does not know 0002_index"):
        await migrate(empty_database_url, folder)
    assert await value(empty_database_url, "SELECT to_regclass('other')") is None


async def test_a_migration_that_fails_changes_nothing_and_is_named(
    empty_database_url: str, folder: Path
) -> None:
    write_migration(folder, "0003_wrong", "CREATE TABLE half (); SELECT 1 / 0", after="0002_index")
    with pytest.raises(MigrationFailed, match="0003_wrong: division by zero"):
        await migrate(empty_database_url, folder)
    assert await value(empty_database_url, "SELECT to_regclass('half')") is None
    assert await value(empty_database_url, "SELECT to_regclass('note')::text") == "note"


def test_every_migration_can_be_taken_back_and_depends_on_the_one_before() -> None:
    names = sorted(path.stem for path in MIGRATIONS.glob("*"))
    assert names
    for before, name in zip(["", *names], names, strict=False):
        text = (MIGRATIONS / f"{name}.sql").read_text()
        assert f"\n-- depends: {before}".rstrip() in text
        assert text.partition("-- migrate: rollback")[2].strip()
