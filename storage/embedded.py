"""Keep a PostgreSQL of our own running in DATA_DIR; how one is started is for `postgres_server`.

Every process that uses the data runs the same loop: whoever gets the lock starts the server, the
others use it and wait for the lock. A server never outlives the process that started it: when that
is killed the kernel stops the server, and one of the others, or the next start, brings it back
under the same address. To those who use the address it is a database that restarts.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from storage.postgres_home import Home
from storage.postgres_programs import EmbeddedPostgresError
from storage.postgres_server import is_answering, start_server, stop, wait_until_ready

LOOK_AGAIN_S = 0.05
OTHERS_START_S = 120.0
LOOK_FOR_LOCK_S = 0.5
LOOK_AT_LOG_S = 60.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0

_log = logging.getLogger(__name__)


class PostgresHeldByOther(EmbeddedPostgresError):
    """Another process has held DATA_DIR for long, and its PostgreSQL does not answer."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class DataDirUnusable(EmbeddedPostgresError):
    """DATA_DIR cannot be used; the message says which file or folder and why."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"DATA_DIR cannot be used: {error.strerror}: {error.filename}")


@asynccontextmanager
async def embedded_postgres(
    data_dir: Path, settings: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[str]:
    """The DSN of a running PostgreSQL whose data are in `data_dir`, for as long as this is open.

    `settings` are the server's, should it be us who start it. Raises `EmbeddedPostgresError`. Later
    failures do not end it: the server is started again, with growing pauses.
    """
    try:
        home = Home(data_dir)
        server, address = await _attach(home, settings)
    except OSError as error:
        raise DataDirUnusable(error) from error
    keeping = asyncio.create_task(_keep(home, settings, server))
    try:
        yield address
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def _attach(home: Home, settings: Mapping[str, str]) -> tuple[Process | None, str]:
    """The server, or None when it is another process's, and the address at which it answers."""
    for _ in range(round(OTHERS_START_S / LOOK_AGAIN_S)):
        with home.lock() as lock:
            server = None if lock is None else await start_server(home, lock, settings)
        # from here on the server alone holds the lock: no child of ours can inherit it and keep it
        if server is not None:
            try:
                # without a limit: recovery after a crash takes as long as it takes
                return server, await wait_until_ready(home, server)
            except BaseException:
                await stop(server)
                raise
        address = home.address()
        if address is not None and await is_answering(address):
            return None, address
        await asyncio.sleep(LOOK_AGAIN_S)
    raise PostgresHeldByOther


async def _keep(home: Home, settings: Mapping[str, str], server: Process | None) -> None:
    """See to it that there is a server, until cancelled; then stop it if it is ours."""
    try:
        while True:
            await (_others_end(home) if server is None else _ours_ends(home, server))
            _log.warning("The embedded PostgreSQL has ended; starting it again")
            server = await _attach_again(home, settings)
    finally:
        if server is not None:
            await stop(server)
            with suppress(OSError), home.lock() as lock:
                if lock is not None:
                    home.remove_room()


async def _attach_again(home: Home, settings: Mapping[str, str]) -> Process | None:
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            server, _ = await _attach(home, settings)
        except (EmbeddedPostgresError, OSError) as error:
            _log.error("The embedded PostgreSQL is away: %s", error)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        else:
            return server


async def _others_end(home: Home) -> None:
    while True:
        with suppress(OSError), home.lock() as lock:
            if lock is not None:
                return
        await asyncio.sleep(LOOK_FOR_LOCK_S)


async def _ours_ends(home: Home, server: Process) -> None:
    while server.returncode is None:
        with suppress(OSError):
            home.trim_log()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AT_LOG_S):
                await server.wait()
