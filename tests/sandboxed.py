"""Work for the sandbox's tests: functions that a child process can import by name."""

from __future__ import annotations

import collections
import ctypes
import itertools
import os
import re
import signal
import time
from pathlib import Path
from typing import Any, NoReturn

from service.sandbox import report


class Awkward(Exception):
    """An exception that can be pickled and not be read again."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} {second}")


class AbortsWhenPickled:
    def __reduce__(self) -> NoReturn:
        os.abort()


class AbortsWhenRead:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.abort, ()


def add(first: int, second: int) -> int:
    return first + second


def own_pid() -> int:
    return os.getpid()


def write_through_null() -> None:
    ctypes.memset(0, 1, 1)


def die_of(number: int) -> None:
    os.kill(os.getpid(), number)
    signal.pause()


def loop_in_c_forever() -> None:
    """Holds the interpreter, so that no Python signal handler could run."""
    collections.deque(itertools.repeat(0), maxlen=0)


def backtrack_forever() -> None:
    re.match(r"(a+)+$", "a" * 64 + "b")


def announce_and_sleep(path: str) -> None:
    """Write the process id to the named pipe, then sleep for as long as any test runs."""
    Path(path).write_text(f"{os.getpid()}\n")
    time.sleep(3600)


def take_memory(amount_bytes: int) -> int:
    """How many bytes were taken and written to."""
    return len(bytearray(b"x") * amount_bytes)


def hoard_memory() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(b"x") * (8 << 20))


def opencv_memory(side_px: int) -> None:
    import cv2
    import numpy

    cv2.resize(numpy.zeros((64, 64, 4), numpy.uint8), (side_px, side_px))


def raise_awkward() -> None:
    raise Awkward(1, 2)


def raise_timeout() -> None:
    raise TimeoutError("the function's own")


def return_poison() -> AbortsWhenPickled:
    return AbortsWhenPickled()


def environment() -> tuple[dict[str, str], bytes]:
    return dict(os.environ), Path("/proc/self/environ").read_bytes()


def signal_ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN


def session_id() -> int:
    return os.getsid(0)


def loaded(*modules: str) -> list[bool]:
    import sys

    return [module in sys.modules for module in modules]


def native_threads() -> int:
    """How many threads there are after work that OpenCV and BLAS would like to share out."""
    import cv2
    import numpy

    image = numpy.ones((2048, 2048), numpy.float32)
    cv2.GaussianBlur(image, (9, 9), 2)
    image[:512, :512] @ image[:512, :512]
    return len(list(Path("/proc/self/task").iterdir()))


def report_steps(steps: int) -> str:
    for step in range(steps):
        report((step + 1) / steps, f"step {step + 1}")
    return "done"
