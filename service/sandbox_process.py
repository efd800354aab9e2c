"""Hold one child process of a sandbox: start it, have it do one call at a time, end it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable
from typing import cast

from service.sandbox_child import HEADER, Frame, OutOfMemory, Progress, Raised, Returned, Setup

# The whole environment of a child: nothing is inherited, for it may hold secrets, and one thread
# everywhere, for the same input has to give the same bytes.
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}
_BOOT = (
    "import sys; fd = int(sys.argv[1]); sys.path[:] = sys.argv[2:];"
    "from service.sandbox_child import main; main(fd)"
)
_START_LIMIT_S = 60.0
_EXIT_LIMIT_S = 1.0


class SandboxError(Exception):
    """The work in the sandbox did not come to an end of its own."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class SandboxCrashed(SandboxError):
    """The child process died of the work, or the work asked for more memory than allowed.

    `exit_code` is negative for a signal, as in subprocess; None when memory was refused politely.
    """

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(_cause_of_death(exit_code))
        self.exit_code = exit_code


def _cause_of_death(exit_code: int | None) -> str:
    if exit_code is None:
        return "The work asked for more memory than allowed."
    if exit_code >= 0:
        return f"The child process ended with code {exit_code}."
    return f"The child process died of signal {-exit_code} ({signal.strsignal(-exit_code)})."


class DiedIdle(SandboxCrashed):
    """The child was gone before the call began."""


class Child:
    """One process and the socket to it. It runs one call at a time."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._killed = False

    @classmethod
    async def start(cls, memory_bytes: int, preload: tuple[str, ...]) -> Child:
        """A child that is ready. Raises what its modules raised at import."""
        async with contextlib.AsyncExitStack() as undo:
            ours, theirs = socket.socketpair()
            undo.callback(ours.close)
            with theirs:
                process = await _execute(theirs.fileno())
            undo.push_async_callback(_end, process)
            reader, writer = await asyncio.open_connection(sock=ours)
            undo.callback(writer.close)
            child = cls(process, reader, writer)
            async with asyncio.timeout(_START_LIMIT_S):
                child._send(pickle.dumps(Setup(os.getpid(), memory_bytes, preload)))
                match await child._receive():
                    case Raised(error):
                        raise error
                    case _:
                        undo.pop_all()
                        return child

    @property
    def alive(self) -> bool:
        return not self._killed and self._process.returncode is None

    async def call(
        self, call: bytes, progress: Callable[[float, str], None] | None
    ) -> Returned | Raised | OutOfMemory:
        """How the pickled call ended; `SandboxCrashed` when the process did not live to say so."""
        self._send(call)
        try:
            await self._receive()
        except SandboxCrashed as error:
            raise DiedIdle(error.exit_code) from error
        while True:
            match await self._receive():
                case Progress(fraction, stage):
                    if progress is not None:
                        progress(fraction, stage)
                case Returned() | Raised() | OutOfMemory() as last:
                    return last

    def kill(self) -> None:
        """Stop the process at once, whatever it does."""
        self._killed = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self) -> None:
        """Kill the process and wait until it is gone."""
        self.kill()
        self._writer.close()
        await self._process.wait()

    async def _exit_code(self) -> int:
        """How the process ended, whose socket is closed already."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EXIT_LIMIT_S):
                return await self._process.wait()
        self.kill()
        return await self._process.wait()

    def _send(self, body: bytes) -> None:
        self._writer.write(HEADER.pack(len(body)))
        self._writer.write(body)

    async def _receive(self) -> Frame:
        try:
            (body_bytes,) = HEADER.unpack(await self._reader.readexactly(HEADER.size))
            body = await self._reader.readexactly(body_bytes)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise SandboxCrashed(await self._exit_code()) from error
        return cast("Frame", pickle.loads(body))  # noqa: S301 - from our own child


async def _execute(channel_fd: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", _BOOT, str(channel_fd)),
        *(entry or os.getcwd() for entry in sys.path),  # noqa: PTH109 - entries are plain strings
        pass_fds=(channel_fd,),
        env=_ENVIRONMENT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # the terminal's Ctrl-C is not for it
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
