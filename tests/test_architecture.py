"""The source keeps the house rules that import-linter, mypy and ruff cannot see."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path.relative_to(ROOT)
    for folder in ("service", "queueing", "storage", "migrations")
    for path in (ROOT / folder).rglob("*.py")
)
SERVES_HTTP = (
    *("service/__main__.py", "service/worker.py", "service/serving.py"),
    *("service/app.py", "service/api/"),
)
READS_ENVIRONMENT = ("service/settings.py",)
# what is signed expires, so whoever signs, and whoever says how long that holds, asks the clock
KNOWS_THE_TIME = (
    "service/auth.py",
    "service/token.py",
    "service/api/present.py",
    "storage/images/",
    "queueing/pubsub/credentials.py",
)


@cache
def uses(path: Path) -> tuple[str, ...]:
    """Every dotted name that a module imports or spells out, `os.environ` in whatever way."""
    return tuple(_uses(path))


def _uses(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Attribute():
                yield ast.unparse(node)


def breaches(allowed: tuple[str, ...], *forbidden: str) -> list[str]:
    """Where a forbidden name, or one below it, is used outside the allowed files and folders."""
    return [
        f"{path}: {name}"
        for path in SOURCES
        if not str(path).startswith(allowed)
        for name in uses(path)
        if any(name == one or name.startswith(f"{one}.") for one in forbidden)
    ]


def test_every_module_opens_with_a_sentence() -> None:
    trees = {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in SOURCES}
    assert not [path for path, tree in trees.items() if tree.body and not ast.get_docstring(tree)]


def test_only_the_edge_knows_the_http_server() -> None:
    assert not breaches(SERVES_HTTP, "aiohttp.web")


def test_only_the_settings_read_the_environment() -> None:
    assert not breaches(READS_ENVIRONMENT, "os.environ", "os.environb", "os.getenv", "os.putenv")


def test_times_come_from_the_database_and_not_from_a_client_clock() -> None:
    assert not breaches(
        KNOWS_THE_TIME,
        *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.clock_gettime"),
        *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
        *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today"),
    )


def test_the_client_can_be_lifted_out() -> None:
    allowed = {*sys.stdlib_module_names, "aiohttp"}
    found = {
        name.partition(".")[0]
        for path in SOURCES
        if path.is_relative_to("service/client")
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        for name in imported(node)
    }
    assert "aiohttp" in found
    assert found <= allowed, found - allowed


def imported(node: ast.AST) -> Iterator[str]:
    """What a statement imports, except from its own package."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module


def test_the_rules_are_looked_for_where_there_is_something_to_find() -> None:
    assert breaches((), "aiohttp.web")
    assert Path("storage/schema.py") in SOURCES
