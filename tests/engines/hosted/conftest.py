"""Engines as an operator would configure them, pointed at the stub."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.sandbox import Sandbox
from tests.engines.hosted.harness import Bench, open_bench
from tests.engines.hosted.stub import Stub, running_stub


@pytest.fixture(scope="session")
async def painting_sandbox() -> AsyncIterator[Sandbox]:
    """A warm sandbox for the pixels of all tests."""
    sandbox = Sandbox(
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
