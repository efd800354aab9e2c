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
        keeper = _Keeper(Home(data_dir), settings)
        address = await keeper.attach()
    except OSError as error:
        raise DataDirUnusable(error) from error
    keeping = asyncio.create_task(keeper.keep())
    try:
        yield address
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await keeper.leave()


class _Keeper:
    """One process's part in keeping a server on its data."""

    def __init__(self, home: Home, settings: Mapping[str, str]) -> None:
        self._home = home
        self._settings = settings
        # None: it is another process's
        self._server: Process | None = None

    async def attach(self) -> str:
        """The address of the server, once it answers; it is started if there is none."""
        for _ in range(round(OTHERS_START_S / LOOK_AGAIN_S)):
            with self._home.lock() as lock:
                if lock is not None:
                    self._server = await self._start(lock)
            # from here on the server alone holds the lock: no child of ours can inherit and keep it
            if self._server is not None:
                return await self._started(self._server)
            address = self._home.address()
            if address is not None and await is_answering(address):
                return address
            await asyncio.sleep(LOOK_AGAIN_S)
        raise PostgresHeldByOther

    async def keep(self) -> None:
        """Attach anew whenever the server ends, until cancelled."""
        while True:
            await (self._others_end() if self._server is None else self._ours_ends(self._server))
            self._server = None
            _log.warning("The embedded PostgreSQL has ended; starting it again")
            await self._attach_again()

    async def leave(self) -> None:
        """Stop the server if it is ours, and leave no folder behind that nobody uses."""
        if self._server is not None:
            await stop(self._server)
            with suppress(OSError), self._home.lock() as lock:
                if lock is not None:
                    self._home.remove_room()

    async def _start(self, lock: int) -> Process:
        try:
            return await start_server(self._home, lock, self._settings)
        except BaseException:
            self._home.remove_room()
            raise

    async def _started(self, server: Process) -> str:
        try:
            # without a limit: recovery after a crash takes as long as it takes
            return await wait_until_ready(self._home, server)
        except BaseException:
            await self.leave()
            self._server = None
            raise

    async def _attach_again(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self.attach()
            except (EmbeddedPostgresError, OSError) as error:
                _log.error("The embedded PostgreSQL is away: %s", error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                return

    async def _others_end(self) -> None:
        while True:
            with suppress(OSError), self._home.lock() as lock:
                if lock is not None:
                    return
            await asyncio.sleep(LOOK_FOR_LOCK_S)

    async def _ours_ends(self, server: Process) -> None:
        while server.returncode is None:
            with suppress(OSError):
                self._home.trim_log()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AT_LOG_S):
                    await server.wait()
