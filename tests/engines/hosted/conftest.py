"""Engines as an operator would configure them, pointed at the stub."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from service.sandbox import Sandbox
from tests.engines.hosted.harness import Bench, open_bench
from tests.engines.hosted.stub import Stub, running_stub


class RememberingSandbox(Sandbox):
    """Does the same work on the same pictures once: nothing else has a part in what comes of it.

    Hundreds of tasks are played with one logo, and its pixels were most of what they cost.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._known: dict[bytes, asyncio.Task[Any]] = {}

    async def run[*Ts, T](
        self,
        function: Callable[[*Ts], T],
        /,
        *args: *Ts,
        deadline_s: float,
        progress: Callable[[float, str], None] | None = None,
    ) -> T:
        """The value of `function(*args)`, or the exception that it raised."""
        key = hashlib.sha256(pickle.dumps((function, args))).digest()
        if key not in self._known:
            work = super().run(function, *args, deadline_s=deadline_s, progress=progress)
            self._known[key] = asyncio.create_task(work)
        # whoever gives up waits no longer, and the next one has the value
        value: T = await asyncio.shield(self._known[key])
        return value


@pytest.fixture(scope="session")
async def painting_sandbox() -> AsyncIterator[Sandbox]:
    """A warm sandbox for the pixels of all tests."""
    sandbox = RememberingSandbox(
        processes=2,
        memory_bytes=1024 * 1024 * 1024,
        preload=("service.engines.painting.canvas",),
    )
    await sandbox.warm()
    yield sandbox
    await sandbox.close()


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """All providers, as good as new."""
    async with running_stub() as stub:
        yield stub


@pytest.fixture
async def bench(stub: Stub, painting_sandbox: Sandbox) -> AsyncIterator[Bench]:
    """Makes engines that use the stub, and closes them."""
    async with open_bench(stub, painting_sandbox) as bench:
        yield bench
