"""Run functions in child processes with a deadline and a memory limit.

For work on hostile bytes in native code, which may hang, abort or ask for all memory. It guards
the service against accidents of that code, not against an intruder who has taken a child over.
Not built on a process pool: those share one locked pipe among their workers, so that a worker
that dies while it holds the lock stops all the others, deadlines included. Here every child has
a socket of its own, and killing one touches nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any, cast

from service.sandbox_child import (
    HEADER,
    Frame,
    OutOfMemory,
    Progress,
    Raised,
    Returned,
    Setup,
    report,
)

__all__ = [
    "Sandbox",
    "SandboxClosed",
    "SandboxCrashed",
    "SandboxError",
    "SandboxTimedOut",
    "report",
]

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
_TRIES = 3


class SandboxError(Exception):
    """The work in the sandbox did not come to an end of its own."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class SandboxTimedOut(SandboxError):
    """The work took longer than its deadline and was stopped."""


class SandboxClosed(SandboxError):
    """The sandbox has been closed."""


class SandboxCrashed(SandboxError):
    """The child process died of the work, or the work asked for more memory than allowed.

    `exit_code` is negative for a signal, as in subprocess; None when memory was refused politely.
    """

    def __init__(self, exit_code: int | None) -> None:
        Exception.__init__(self, _cause_of_death(exit_code))
        self.exit_code = exit_code


def _cause_of_death(exit_code: int | None) -> str:
    if exit_code is None:
        return "The work asked for more memory than allowed."
    if exit_code >= 0:
        return f"The child process ended with code {exit_code}."
    return f"The child process died of signal {-exit_code} ({signal.strsignal(-exit_code)})."


class _DiedIdle(SandboxCrashed):
    """The child was gone before the call began."""


class _Child:
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
    async def start(cls, memory_bytes: int, preload: tuple[str, ...]) -> _Child:
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
            raise _DiedIdle(error.exit_code) from error
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


class Sandbox:
    """A fixed number of child processes, each for one call at a time.

    `memory_bytes` is the address space that a call may take beyond what the `preload` modules
    take; `preload` names modules that every child imports before its first call. Belongs to one
    event loop, whose thread must outlive it: the children die with that thread.
    """

    def __init__(self, *, processes: int, memory_bytes: int, preload: tuple[str, ...] = ()) -> None:
        self._memory_bytes = memory_bytes
        self._preload = preload
        self._free = asyncio.Semaphore(processes)
        # One entry a free process: its start, done or under way, or None while there is none.
        self._slots: list[asyncio.Task[_Child] | None] = [None] * processes
        self._children: set[_Child] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def run[*Ts, T](
        self,
        function: Callable[[*Ts], T],
        /,
        *args: *Ts,
        deadline_s: float,
        progress: Callable[[float, str], None] | None = None,
    ) -> T:
        """The value of `function(*args)`, or the exception that it raised.

        The deadline counts from when a process takes the work, not while it waits for a free one.
        `progress` is called with what the work passes to `report`. Cancelling kills the process
        at once. Function, arguments and value must pickle; the function by name from a module.
        Raises `SandboxTimedOut`, `SandboxCrashed` or `SandboxClosed`.
        """
        call = pickle.dumps((function, args), protocol=5)
        async with self._free:
            last = await self._try(call, deadline_s, progress)
        match last:
            case Returned(value):
                return cast("T", value)
            case Raised(error):
                raise error
            case OutOfMemory():
                raise SandboxCrashed(None)

    async def warm(self) -> None:
        """Start every free process that is not there yet, and wait until all are ready."""
        if self._closed:
            raise SandboxClosed
        slots = [slot or self._spawn(self._start()) for slot in self._slots]
        self._slots[:] = slots
        await asyncio.gather(*map(_ready, slots))

    async def close(self) -> None:
        """Kill every process and wait until all are gone; calls under way end as crashed."""
        self._closed = True
        for task in self._tasks:
            task.cancel()  # a start undoes itself, a stop is done again below
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*map(self._stop, tuple(self._children)))
        await asyncio.gather(*self._tasks)  # what calls that ended just now have left to do

    async def _try(
        self, call: bytes, deadline_s: float, progress: Callable[[float, str], None] | None
    ) -> Returned | Raised | OutOfMemory:
        """How the call ended. A process that died before it took the call is replaced unseen."""
        for _ in range(_TRIES - 1):
            with contextlib.suppress(_DiedIdle):
                return await self._try_once(call, deadline_s, progress)
        return await self._try_once(call, deadline_s, progress)

    async def _try_once(
        self, call: bytes, deadline_s: float, progress: Callable[[float, str], None] | None
    ) -> Returned | Raised | OutOfMemory:
        if self._closed:
            raise SandboxClosed
        slot = self._take_slot()
        try:
            child = await _ready(slot)
            try:
                async with asyncio.timeout(deadline_s) as limit:
                    last = await child.call(call, progress)
            except BaseException as error:
                self._discard(child)
                if isinstance(error, TimeoutError) and limit.expired():
                    raise SandboxTimedOut from error
                raise
            if isinstance(last, OutOfMemory):
                self._discard(child)  # what it holds now is held for good
            return last
        finally:
            self._return_slot(slot)

    def _take_slot(self) -> asyncio.Task[_Child]:
        """A free process, warm and lately used if there is one, else under way or new."""
        self._slots.sort(key=lambda slot: slot is not None and slot.done())
        slot = self._slots.pop()
        return self._spawn(self._start()) if slot is None or _is_spent(slot) else slot

    def _return_slot(self, slot: asyncio.Task[_Child]) -> None:
        """Put the process back, or start its successor now, so that the next call finds it warm."""
        if not _is_spent(slot):
            self._slots.append(slot)
        elif self._closed or slot.cancelled() or slot.exception():
            self._slots.append(None)
        else:
            self._slots.append(self._spawn(self._start()))

    def _discard(self, child: _Child) -> None:
        child.kill()
        self._spawn(self._stop(child))

    async def _start(self) -> _Child:
        child = await _Child.start(self._memory_bytes, self._preload)
        self._children.add(child)
        return child

    async def _stop(self, child: _Child) -> None:
        await child.stop()
        self._children.discard(child)

    def _spawn[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _ready(slot: asyncio.Task[_Child]) -> _Child:
    """The child, once it is ready. Cancelling the wait leaves the start alone."""
    try:
        return await asyncio.shield(slot)
    except asyncio.CancelledError:
        if slot.cancelled():
            raise SandboxClosed from None
        raise


def _is_spent(slot: asyncio.Task[_Child]) -> bool:
    """Whether a start has failed, or its process is gone."""
    return slot.done() and (slot.cancelled() or bool(slot.exception()) or not slot.result().alive)
