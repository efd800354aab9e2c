"""What several benchmarks need: a folder, a database, a process that listens."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from storage.embedded import embedded_postgres
from storage.schema import migrate

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 60


def bench_folder() -> Path:
    """A folder for one benchmark."""
    return Path(tempfile.mkdtemp(prefix="one-"))


@contextmanager
def all_folders() -> Iterator[None]:
    """Have all folders gone at the end, and none before: for some minutes ext4 hands out the inodes
    of what was removed only after a long look at each (`recently_deleted` in fs/ext4/ialloc.c), and
    files are then made at half the speed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = None


@asynccontextmanager
async def fresh_database(folder: Path) -> AsyncIterator[str]:
    """The DSN of a durable PostgreSQL with our schema."""
    async with embedded_postgres(folder / "database") as dsn:
        await migrate(dsn)
        yield dsn


@asynccontextmanager
async def listening(
    port: int, *arguments: str, settings: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m` these arguments, once it listens on the port."""
    async with module_process(*arguments, settings=settings) as process:
        await _until_listening(port, process)
        yield process


@asynccontextmanager
async def module_process(
    *arguments: str, settings: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m` these arguments. A time-out inside tells what the process has said."""
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", *arguments),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **(settings or {})},
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        except TimeoutError:
            log.seek(0)
            raise RuntimeError(log.read().decode()[-2000:]) from None
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _until_listening(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_LIMIT_S):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return
    raise TimeoutError
