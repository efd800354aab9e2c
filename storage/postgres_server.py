"""Start and stop one PostgreSQL server in its home; whether there should be one is for others."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import asyncpg

from storage import postgres_launcher
from storage.postgres_home import Home
from storage.postgres_programs import (
    EmbeddedPostgresError,
    copy_programs,
    find_programs,
    is_open_to_all,
)

ASK_AGAIN_S = 0.02
CONNECT_TIMEOUT_S = 5.0
# fast, immediate and kill: https://www.postgresql.org/docs/18/server-shutdown.html
STOP_SIGNALS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
SETTINGS = MappingProxyType(
    {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # a statement's errors are told to its client, and the log must not fill with its words
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
    }
)


class PostgresDidNotStart(EmbeddedPostgresError):
    """The embedded PostgreSQL did not start; the message has the last line of its log."""

    def __init__(self, home: Home) -> None:
        super().__init__(
            f"The embedded PostgreSQL did not start: {home.last_words()} (more is in {home.log})"
        )


async def start_server(home: Home, lock: int, settings: Mapping[str, str]) -> Process:
    """Start a server, on new data if there are none, without waiting until it answers.

    It lives at most as long as this thread, and holds the lock as long as it lives.
    """
    room = home.open_room()
    # not in a thread: it would go on when we are cancelled, and it is quick but for the first time
    programs = _usable_programs(home, room)
    if not home.data.exists():
        await _make_data(home, lock, programs)
    home.give_data()
    # whose lock we hold, nobody serves these data: the number in this file may be another's by now
    (home.data / "postmaster.pid").unlink(missing_ok=True)
    options = [f"--{name}={value}" for name, value in {**SETTINGS, **settings}.items()]
    socket = ("-k", str(room / "s"))
    return await _launch(home, lock, home.data, programs / "postgres", *socket, *options)


async def wait_until_ready(home: Home, server: Process) -> str:
    """The address of the server, once it answers. Raises `PostgresDidNotStart`."""
    while True:
        address = home.address()
        if address is not None and await is_answering(address):
            return address
        if server.returncode is not None:
            raise PostgresDidNotStart(home)
        await asyncio.sleep(ASK_AGAIN_S)


async def is_answering(address: str) -> bool:
    """Whether somebody serves the address now."""
    try:
        connection = await asyncpg.connect(address, timeout=CONNECT_TIMEOUT_S)
    except asyncpg.TooManyConnectionsError:
        return True
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True


async def stop(process: Process) -> None:
    """End a server, losing nothing that was committed; safe when it has ended already."""
    for number, patience_s in STOP_SIGNALS:
        if process.returncode is not None:
            return
        process.send_signal(number)
        try:
            async with asyncio.timeout(patience_s):
                await process.wait()
        except TimeoutError:
            continue


def _usable_programs(home: Home, room: Path) -> Path:
    """The folder of the programs, or that of a copy where the server's account can run them."""
    version = home.data / "PG_VERSION"
    programs = find_programs(version.read_text().strip() if version.exists() else None)
    if not home.drops_root or is_open_to_all(programs / "postgres"):
        return programs
    return copy_programs(programs, room / "programs")


async def _make_data(home: Home, lock: int, programs: Path) -> None:
    """Make an empty database cluster; a half-made one never gets the name of a whole one."""
    draft = home.data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    home.give(draft)
    options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    process = await _launch(home, lock, draft, programs / "initdb", *options)
    try:
        if await process.wait() != 0:
            raise PostgresDidNotStart(home)
    finally:
        await stop(process)
    home.adopt(draft)


async def _launch(home: Home, lock: int, data: Path, program: Path, *arguments: str) -> Process:
    """Run a program of PostgreSQL on a data folder, as the account that owns it."""
    log = home.open_log()
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", postgres_launcher.__file__),
            *(str(os.getpid()), str(home.account.uid), str(home.account.gid)),
            *(str(program), "-D", _name_of(data, home), *arguments),
            cwd=data,
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in a terminal is for the service alone
            pass_fds=(lock,),
        )
    finally:
        os.close(log)


def _name_of(data: Path, home: Home) -> str:
    """How the server calls its working directory, which its account may not reach by its path."""
    return "/proc/self/cwd" if home.drops_root and sys.platform == "linux" else str(data)
