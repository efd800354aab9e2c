"""Be the child process of a sandbox: limit oneself, then run one call after the other.

Standard library only, for whatever is imported here costs every child time and memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import pickle
import resource
import select
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

HEADER = struct.Struct("!Q")  # how many bytes of pickle follow
STAGE_CHARACTERS = 200
NICENESS = 5  # the event loop of the service goes before the work
# https://github.com/torvalds/linux/blob/master/include/uapi/linux/prctl.h
PR_SET_PDEATHSIG = 1
# https://docs.opencv.org/4.x/d1/d0d/namespacecv_1_1Error.html (StsNoMem)
OPENCV_NO_MEMORY = -4


@dataclass(frozen=True, slots=True)
class Setup:
    """The first frame to a child. `memory_bytes` comes on top of what the modules take."""

    parent_pid: int
    memory_bytes: int
    preload: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """The child's first frame: set up, and waiting for calls."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A call's first frame: whatever happens from here on is of the call's making."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call has come, 0–1, with a short phrase for the person."""

    fraction: float
    stage: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A call's last frame: its value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    """A call's last frame: its exception, with the child's traceback as a note."""

    error: Exception


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """A call's last frame: it asked for more than the limit."""


Frame = Ready | Accepted | Progress | Returned | Raised | OutOfMemory

_progress: ContextVar[Callable[[float, str], None] | None] = ContextVar("progress", default=None)


def report(fraction: float, stage: str) -> None:
    """Tell the parent how far the running call is, 0–1; does nothing outside of a sandbox.

    Never waits: a report that the parent is too busy to take is dropped.
    """
    send = _progress.get()
    if send is not None:
        send(fraction, stage)


def main(channel_fd: int) -> None:
    """Serve calls from the socket until the parent closes it."""
    with socket.socket(fileno=channel_fd) as channel, channel.makefile("rb") as incoming:
        setup: Setup = pickle.loads(_read_frame(incoming.read))  # noqa: S301 - from the parent
        try:
            _die_with(setup.parent_pid)
            for module in setup.preload:
                importlib.import_module(module)
            _limit(setup.memory_bytes)
        except Exception as error:  # noqa: BLE001 - the parent raises it
            _send(channel, _raised(error))
            return
        _send(channel, Ready())
        _progress.set(lambda fraction, stage: _send_progress(channel, fraction, stage))
        with contextlib.suppress(EOFError):
            while True:
                call = _read_frame(incoming.read)
                _send(channel, Accepted())
                _send(channel, _serve(call))


def _read_frame(read: Callable[[int], bytes]) -> bytes:
    header = read(HEADER.size)
    if len(header) < HEADER.size:
        raise EOFError
    (body_bytes,) = HEADER.unpack(header)
    return read(body_bytes)


def _serve(call: bytes) -> bytes | Frame:
    """The last frame of one call; encoded already when it holds a value."""
    try:
        function, args = pickle.loads(call)  # noqa: S301 - from the parent
        return pickle.dumps(Returned(function(*args)), protocol=5)
    except MemoryError:
        return OutOfMemory()
    except Exception as error:  # noqa: BLE001 - the parent raises it
        return OutOfMemory() if _is_out_of_memory(error) else _raised(error)


def _is_out_of_memory(error: Exception) -> bool:
    """Whether OpenCV says it: it has an exception of its own for everything."""
    return type(error).__module__ == "cv2" and getattr(error, "code", None) == OPENCV_NO_MEMORY


def _raised(error: Exception) -> Raised:
    """The exception in a form that certainly survives the way to the parent."""
    note = f"in the sandbox:\n{traceback.format_exc()}"
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - made in the line itself
    except Exception:  # noqa: BLE001 - an exception may do anything in its own __reduce__
        error = RuntimeError(f"{type(error).__name__}, which cannot be pickled")
    error.add_note(note)
    return Raised(error)


def _send(channel: socket.socket, frame: bytes | Frame) -> None:
    body = frame if isinstance(frame, bytes) else pickle.dumps(frame, protocol=5)
    channel.sendall(HEADER.pack(len(body)))
    channel.sendall(body)


def _send_progress(channel: socket.socket, fraction: float, stage: str) -> None:
    # A Unix socket counts as writable while three quarters of its buffer are free, so that a
    # frame of this size never blocks.
    if select.select((), (channel,), (), 0)[1]:
        _send(channel, Progress(float(fraction), str(stage)[:STAGE_CHARACTERS]))


def _die_with(parent_pid: int) -> None:
    """Have the kernel end this process with its parent, even inside an endless C loop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it went before the line above
        sys.exit("the parent is gone")


def _limit(memory_bytes: int) -> None:
    """Cap what this process may still take; the modules loaded so far do not count."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold somebody's picture
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - no pathlib here
            pages = int(statm.read().split()[0])
        cap_bytes = pages * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (cap_bytes, cap_bytes))
