"""Give each test a fresh queue of every backend, and see that it leaves nothing running."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.emulators import EmulatorMissing, PubSubEmulator, pubsub_emulator
from tests.queueing.backends import Backend, MemoryBackend, PubSubBackend
from tests.queueing.fake_pubsub import FakePubSub, fake_pubsub


@pytest.fixture(scope="session")
def emulator() -> Iterator[PubSubEmulator]:
    """Google's own Pub/Sub emulator. Where it is missing its tests are skipped, but not in CI."""
    try:
        with pubsub_emulator() as running:
            yield running
    except EmulatorMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test on the real emulator: {error}")
        pytest.skip(f"NOT TESTED ON THE OFFICIAL PUB/SUB EMULATOR: {error}")


@pytest.fixture
async def fake() -> AsyncIterator[FakePubSub]:
    """A fake Pub/Sub of this test's own, working until told otherwise."""
    async with fake_pubsub() as server:
        yield server


@pytest.fixture
async def on_fake(fake: FakePubSub) -> AsyncIterator[PubSubBackend]:
    """A fresh queue on that fake."""
    async with _leaving_nothing(PubSubBackend(fake.host)) as opened:
        yield opened


@pytest.fixture
async def on_emulator(emulator: PubSubEmulator) -> AsyncIterator[PubSubBackend]:
    """A fresh queue on the official emulator."""
    async with _leaving_nothing(PubSubBackend(emulator.host)) as opened:
        yield opened


@pytest.fixture(params=["emulator", "fake"])
async def on_pubsub(request: pytest.FixtureRequest) -> AsyncIterator[PubSubBackend]:
    """A fresh queue on each Pub/Sub in turn."""
    async with _pubsub_backend(request) as opened:
        yield opened


@pytest.fixture(params=["memory", "emulator", "fake"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """A fresh queue, of each backend in turn."""
    if request.param == "memory":
        async with _leaving_nothing(MemoryBackend()) as in_memory:
            yield in_memory
    else:
        async with _pubsub_backend(request) as on_pubsub:
            yield on_pubsub


@asynccontextmanager
async def _pubsub_backend(request: pytest.FixtureRequest) -> AsyncIterator[PubSubBackend]:
    async with AsyncExitStack() as stack:
        if request.param == "fake":
            host = (await stack.enter_async_context(fake_pubsub())).host
        else:
            host = request.getfixturevalue("emulator").host
        yield await stack.enter_async_context(_leaving_nothing(PubSubBackend(host)))


@asynccontextmanager
async def _leaving_nothing[B: Backend](backend: B) -> AsyncIterator[B]:
    """Close the backend after the test, and look for tasks of ours that outlive it."""
    before = asyncio.all_tasks()
    yield backend
    await backend.close()
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    ours = [task for task in left if "queueing" in repr(task.get_coro())]
    assert not ours, "a closed queue leaves no task behind"
