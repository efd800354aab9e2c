"""Run processes that hold an embedded PostgreSQL, to be killed by tests."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

LIMIT_S = 60
HOLDER = """
import asyncio, sys
from pathlib import Path
from storage.embedded import EmbeddedPostgresError, embedded_postgres

async def main():
    async with embedded_postgres(Path(sys.argv[1])) as dsn:
        print(dsn, flush=True)
        await asyncio.to_thread(sys.stdin.read)

try:
    asyncio.run(main())
except EmbeddedPostgresError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""
# An ordinary user whose interpreter may lie where only root can go: it may pass every folder, and
# that is all it has of root. The last bit is for access(2), which would not count that otherwise.
AS_ORDINARY_USER = (
    *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
    "--securebits=+no_setuid_fixup",
)


@dataclass(frozen=True)
class Holder:
    """A process with an embedded PostgreSQL, its own or another holder's."""

    process: Process

    async def dsn(self) -> str:
        """Wait until it has one."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LIMIT_S):
            line = await self.process.stdout.readline()
        assert line, await self.complaint()
        return line.decode().strip()

    async def complaint(self) -> str:
        """What it says on stderr until its end."""
        assert self.process.stderr is not None
        async with asyncio.timeout(LIMIT_S):
            return (await self.process.stderr.read()).decode().strip()

    async def leave(self) -> None:
        """End it as a service that is asked to."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(LIMIT_S):
            assert await self.process.wait() == 0, await self.complaint()

    async def kill(self) -> None:
        """End it without a chance to do anything."""
        self.process.kill()
        async with asyncio.timeout(LIMIT_S):
            await self.process.wait()


@asynccontextmanager
async def holder(data_dir: Path, *prefix: str) -> AsyncIterator[Holder]:
    """A holder on that folder, which the prefix may run as somebody else."""
    process = await asyncio.create_subprocess_exec(
        *(*prefix, sys.executable, "-c", HOLDER, str(data_dir)),
        cwd=Path(__file__).parents[2],
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    held = Holder(process)
    try:
        yield held
    finally:
        if process.returncode is None:
            await held.kill()


async def server_gone(data_dir: Path) -> None:
    """Wait until no process of the server on that folder lives: they hold its lock."""
    with (data_dir / "postgres.lock").open() as file:
        async with asyncio.timeout(LIMIT_S):
            await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)


def processes_in(folder: Path) -> list[int]:
    """The processes that work in a folder or below it, whoever started them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            working = (process / "cwd").readlink()
        except OSError:
            continue
        if working.is_relative_to(folder.resolve()):
            found.append(int(process.name))
    return found


def servers_in(data_dir: Path) -> int:
    """How many servers serve the data: their first processes are nobody's children here."""
    processes = processes_in(data_dir)
    return sum(_parent_of(one) not in (None, *processes) for one in processes)


def _parent_of(process: int) -> int | None:
    """None for one that has ended since."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().split()[3])
    except (FileNotFoundError, ProcessLookupError):
        return None


def kill_server(data_dir: Path) -> None:
    """Kill the server's first process, as the kernel does when memory runs out."""
    number = int((data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0])
    os.kill(number, signal.SIGKILL)


async def persistent(dsn: str, statement: str) -> object:
    """The value of a statement, asked for again as long as the database is away."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                connection = await asyncpg.connect(dsn)
                try:
                    return await connection.fetchval(statement)
                finally:
                    await connection.close()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.01)  # a database that is away tells nobody when it is back
