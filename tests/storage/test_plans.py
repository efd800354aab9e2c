"""Every statement finds its rows by an index, also in the plans that are kept from when the tables
were empty."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from storage.database import Database, open_database
from tests.databases import a_database
from tests.storage.rows import a_claimed_task, accept

STORAGE = Path(__file__).parents[2] / "storage"
GROWING = {"task", "concept", "quota", "task_event", "webhook", "webhook_delivery"}
READS = {"Index Scan", "Index Only Scan", "Bitmap Index Scan", "Seq Scan"}
# these hold only what is unfinished: little, until workers are away
SHORT = {"task_active_of_user", "task_to_publish", "task_leased", "webhook_delivery_due"}
# what is asked a hundred times a second may not read even those
BUSY = {"accepting", "tasks", "work"}


@pytest.fixture
async def database_url(postgres_server: str, migrated_template: str) -> AsyncIterator[str]:
    """A new database: tables that were emptied are not planned for as those that never had rows."""
    async with a_database(postgres_server, migrated_template) as dsn:
        yield dsn


def statements() -> Iterator[tuple[str, str]]:
    """Every SQL literal that goes to the database, with the method that sends it."""
    for path in sorted(STORAGE.glob("*.py")):
        module = ast.parse(path.read_text())
        named = {
            node.targets[0].id: node.value.value
            for node in module.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for scope in ast.walk(module):
            if isinstance(scope, ast.AsyncFunctionDef):
                for sql in filter(None, (sent_by(node, named) for node in ast.walk(scope))):
                    yield f"{path.stem}.{scope.name}", sql


def sent_by(node: ast.AST, named: Mapping[str, object]) -> str | None:
    """The SQL of a call that goes to a table that grows."""
    match node:
        case ast.Call(func=ast.Attribute(attr="fetch" | "fetchrow"), args=[ast.Constant(sql), *_]):
            said: object = sql
        case ast.Call(func=ast.Attribute(attr="fetch" | "fetchrow"), args=[ast.Name(name), *_]):
            said = named.get(name)
        case _:
            return None
    return said if isinstance(said, str) and any(table in said for table in GROWING) else None


def whole_reads(plan: dict[str, Any], *, but: set[str]) -> Iterator[str]:
    """The growing tables that a plan reads from one end to the other, but by some indexes."""
    table, index = plan.get("Relation Name"), plan.get("Index Name")
    is_whole = plan["Node Type"] in READS and "Index Cond" not in plan
    if is_whole and table in {*GROWING, None} and index not in but:
        yield f"{plan['Node Type']} on {table} by {index}"
    for part in plan.get("Plans", []):
        yield from whole_reads(part, but=but)


async def whole_reads_of_all(database: Database) -> dict[str, list[str]]:
    """What each statement reads whole, in the plan that is kept whatever its arguments are."""
    found = {}
    for number, (name, sql) in enumerate(statements()):
        parameters = max((int(one) for one in re.findall(r"\$(\d+)", sql)), default=0)
        nulls = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
        await database.fetch(f"PREPARE s{number} AS {sql}")
        [row] = await database.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE s{number} {nulls}")
        [explained] = json.loads(row[0])
        but: set[str] = set() if name.partition(".")[0] in BUSY else SHORT
        found[name] = list(whole_reads(explained["Plan"], but=but))
    return {name: reads for name, reads in found.items() if reads}


async def test_no_statement_reads_a_whole_table_that_was_new_when_it_was_planned(
    database_url: str,
) -> None:
    async with open_database(database_url, max_size=1) as database:
        assert await whole_reads_of_all(database) == {}


async def test_no_statement_reads_a_whole_table_that_was_small_when_it_was_planned(
    database_url: str,
) -> None:
    async with open_database(database_url, max_size=1) as database:
        for _ in range(30):
            await a_claimed_task(database)
            await accept(database, uuid4())
        await database.fetch("VACUUM ANALYZE task, task_event, concept, quota")
        assert await whole_reads_of_all(database) == {}


async def test_every_statement_is_looked_at() -> None:
    looked_at = {name for name, _ in statements()}
    assert {"accepting.decide", "tasks._get_all", "work._claim_all"} <= looked_at
    assert len(looked_at) > 30
