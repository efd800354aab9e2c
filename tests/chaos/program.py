"""The real entry points with an engine that a test can time, and a point at which to die.

`python -m tests.chaos.program api|worker`, told by the environment: CHAOS_WORK_S is how long the
engine works; CHAOS_DIE_AT names an effect as `complete:after`, at which the process is gone without
a word, as after a power cut; CHAOS_CLOCK_S sets the process's clock off by so much.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from service.app import make_app, make_worker_app
from service.engines.contract import Attempt, Instruction, Refined
from service.logs import configure_logs
from service.resources import Resources, open_resources
from service.serving import serve
from service.settings import read_settings
from service.stopping import Stopping
from tests.scripted import a_report

EXIT_CODE = 86
Deadly = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class TimedEngine:
    """Gives the image back after a while."""

    work_s: float
    name: str = "timed/1"

    async def refine(self, source: bytes, _said: Instruction, attempt: Attempt) -> Refined:
        """Work for the set time."""
        attempt.progress(0.5, "Working")
        await asyncio.sleep(self.work_s)
        return Refined(source, "image/png", 32, 32, a_report())

    async def close(self) -> None:
        """Nothing is open."""


class Mortal:
    """Whatever it wraps, with one method at which the process dies."""

    def __init__(self, inner: Any, die_at: str) -> None:
        self._inner = inner
        self._method, _, self._when = die_at.partition(":")

    def __getattr__(self, name: str) -> Any:
        """The inner attribute, deadly if it is the one."""
        found = getattr(self._inner, name)
        return self._deadly(found) if name == self._method else found

    def _deadly(self, method: Deadly) -> Deadly:
        async def call(*args: Any, **options: Any) -> Any:
            if self._when == "before":
                os._exit(EXIT_CODE)
            result = await method(*args, **options)
            if self._when == "after":
                os._exit(EXIT_CODE)
            return result

        return call


def mortal(resources: Resources, die_at: str, work_s: float) -> Resources:
    """The same resources with the timed engine, dying at one effect."""

    def wrap[T](inner: T) -> T:
        return cast("T", Mortal(inner, die_at)) if die_at else inner

    engine = TimedEngine(work_s)
    announcer = resources.announcer
    if die_at.startswith("publish"):
        announcer = type(announcer)(wrap(resources.queue))
    return replace(
        resources,
        tasks=wrap(resources.tasks),
        announcer=announcer,
        refinery=replace(
            resources.refinery,
            work=wrap(resources.refinery.work),
            images=wrap(resources.refinery.images),
            engine=wrap(engine),
        ),
    )


def set_clock_off(by_s: float) -> None:
    """Make this process believe that it is earlier or later than it is."""
    true_time = time.time
    time.time = lambda: true_time() + by_s


async def main(role: str) -> int:
    """Run one of the two processes."""
    set_clock_off(float(os.environ.get("CHAOS_CLOCK_S", "0")))
    settings = read_settings()
    configure_logs("info")
    stopping = Stopping()
    stopping.listen()
    async with open_resources(settings, warm=False) as opened:
        work_s = float(os.environ.get("CHAOS_WORK_S", "0"))
        resources = mortal(opened, os.environ.get("CHAOS_DIE_AT", ""), work_s)
        make, port = (
            (make_app, settings.port) if role == "api" else (make_worker_app, settings.worker_port)
        )
        app = make(resources, stopping)
        await serve(
            app,
            settings.host,
            port,
            stopping,
            grace_s=settings.shutdown_grace_seconds,
            on_start=lambda: None,
        )
    return stopping.exit_code


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
