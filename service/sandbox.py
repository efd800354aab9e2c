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
import pickle
from collections.abc import Callable, Coroutine
from typing import Any, cast

from service.sandbox_child import OutOfMemory, Raised, Returned, report
from service.sandbox_process import Child, DiedIdle, SandboxCrashed, SandboxError

__all__ = [
    "Sandbox",
    "SandboxClosed",
    "SandboxCrashed",
    "SandboxError",
    "SandboxTimedOut",
    "report",
]

_TRIES = 3


class SandboxTimedOut(SandboxError):
    """The work took longer than its deadline and was stopped."""


class SandboxClosed(SandboxError):
    """The sandbox has been closed."""


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
        self._slots: list[asyncio.Task[Child] | None] = [None] * processes
        self._children: set[Child] = set()
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
            with contextlib.suppress(DiedIdle):
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

    def _take_slot(self) -> asyncio.Task[Child]:
        """A free process, warm and lately used if there is one, else under way or new."""
        self._slots.sort(key=lambda slot: slot is not None and slot.done())
        slot = self._slots.pop()
        return self._spawn(self._start()) if slot is None or _is_spent(slot) else slot

    def _return_slot(self, slot: asyncio.Task[Child]) -> None:
        """Put the process back, or start its successor now, so that the next call finds it warm."""
        if not _is_spent(slot):
            self._slots.append(slot)
        elif self._closed or slot.cancelled() or slot.exception():
            self._slots.append(None)
        else:
            self._slots.append(self._spawn(self._start()))

    def _discard(self, child: Child) -> None:
        child.kill()
        self._spawn(self._stop(child))

    async def _start(self) -> Child:
        child = await Child.start(self._memory_bytes, self._preload)
        self._children.add(child)
        return child

    async def _stop(self, child: Child) -> None:
        await child.stop()
        self._children.discard(child)

    def _spawn[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _ready(slot: asyncio.Task[Child]) -> Child:
    """The child, once it is ready. Cancelling the wait leaves the start alone."""
    try:
        return await asyncio.shield(slot)
    except asyncio.CancelledError:
        if slot.cancelled():
            raise SandboxClosed from None
        raise


def _is_spent(slot: asyncio.Task[Child]) -> bool:
    """Whether a start has failed, or its process is gone."""
    return slot.done() and (slot.cancelled() or bool(slot.exception()) or not slot.result().alive)
