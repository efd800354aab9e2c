"""Start the service as its operators do: as processes of its own, on settings from outside."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
from aiohttp.test_utils import unused_port

ROOT = Path(__file__).parents[1]


class Started(Protocol):
    """A process of the system, as asyncio's own."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...
    def send_signal(self, signal: int) -> None: ...
    def kill(self) -> None: ...


type Start = Callable[[str, tuple[str, ...], Mapping[str, str], int], Awaitable[Started]]
"""Starts a module with arguments and an environment; its output goes to the open file."""


async def python(
    module: str, arguments: tuple[str, ...], environment: Mapping[str, str], output_fd: int
) -> Started:
    """`python -m module`, as an operator does it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT,
        env=environment,
        stdout=output_fd,
        stderr=output_fd,
    )


class Forked:
    """A child of the fork server."""

    def __init__(self, pid: int, end: asyncio.Task[int]) -> None:
        self.pid = pid
        self._end = end

    @property
    def returncode(self) -> int | None:
        """How it ended: negative for a signal; None before it did."""
        return self._end.result() if self._end.done() else None

    async def wait(self) -> int:
        """The same, once it has."""
        return await asyncio.shield(self._end)

    def send_signal(self, signal: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, signal)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)


@asynccontextmanager
async def fork_server() -> AsyncIterator[Start]:
    """Starts the same processes for a tenth of the processor time; see `tests.fork_server`."""
    control, theirs = socket.socketpair()
    with control, theirs:
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fork_server", str(theirs.fileno())),
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            # no threads, which a fork would not take along
            env={"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1"},
        )
        theirs.close()

        async def fork(
            module: str, arguments: tuple[str, ...], environment: Mapping[str, str], output_fd: int
        ) -> Started:
            request = {"module": module, "arguments": arguments, "environment": environment}
            ours, teller = socket.socketpair()
            with teller:
                fds = [output_fd, teller.fileno()]
                socket.send_fds(control, [json.dumps(request).encode()], fds)
            reader, writer = await asyncio.open_connection(sock=ours)
            pid = int(await reader.readline())

            async def end() -> int:
                try:
                    return int(await reader.readline())
                finally:
                    writer.close()

            return Forked(pid, asyncio.create_task(end()))

        yield fork
        control.close()
        await server.wait()


@dataclass
class Process:
    """One process of the service. `log` is where its output goes."""

    process: Started
    base: str
    log: Path

    async def ready(self, within_s: float = 60) -> None:
        """Return once `/readyz` answers 200."""
        async with asyncio.timeout(within_s), aiohttp.ClientSession() as session:
            while True:
                assert self.process.returncode is None, self.log.read_text()[-4000:]
                try:
                    async with session.get(f"{self.base}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    pass
                # nothing tells from outside when a port begins to listen
                await asyncio.sleep(0.05)

    async def stop(self, number: signal.Signals = signal.SIGTERM, within_s: float = 30) -> int:
        """Send a signal and return the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(within_s):
            return await self.process.wait()


@asynccontextmanager
async def service_process(
    folder: Path,
    settings: Mapping[str, str],
    *,
    module: str = "service",
    arguments: tuple[str, ...] = (),
    port: int | None = None,
    start: Start = python,
) -> AsyncIterator[Process]:
    """`python -m service` (or another entry point) with these settings and nothing else."""
    port = port or unused_port()
    log = folder / f"{module}-{port}.log"
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "DATA_DIR": str(folder),
        **settings,
    }
    with log.open("ab") as output:
        process = await start(module, arguments, environment, output.fileno())
    running = Process(process, f"http://127.0.0.1:{port}", log)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def processes_naming(text: str) -> list[str]:
    """The command lines of running processes that contain a text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


def postmasters(folder: Path) -> list[int]:
    """The first processes of the PostgreSQLs below a folder, as far as they have said."""
    lines = [file.read_text().splitlines() for file in folder.rglob("postmaster.pid")]
    return [int(line[0]) for line in lines if line]
