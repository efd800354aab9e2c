"""Start the service as its operators do: as processes of its own, on settings from outside."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp.test_utils import unused_port

ROOT = Path(__file__).parents[1]


@dataclass
class Process:
    """One process of the service. `log` is where its output goes."""

    process: asyncio.subprocess.Process
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
    folder: Path, settings: Mapping[str, str], *, module: str = "service", port: int | None = None
) -> AsyncIterator[Process]:
    """`python -m service` (or another entry point) with these settings and nothing else."""
    port = port or unused_port()
    log = folder / f"{module}-{port}.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module),
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PORT": str(port),
                "DATA_DIR": str(folder),
                **settings,
            },
            stdout=output,
            stderr=output,
        )
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
