"""Give each test a fresh queue of every backend, and see that it leaves nothing running."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.emulators import EmulatorMissing, PubSubEmulator, pubsub_emulator
from tests.queueing.backends import Backend, MemoryBackend, PubSubBackend


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


@pytest.fixture(params=["memory", "emulator"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """A fresh queue, of each backend in turn."""
    before = asyncio.all_tasks()
    opened: Backend
    match request.param:
        case "memory":
            opened = MemoryBackend()
        case "emulator":
            opened = PubSubBackend(request.getfixturevalue("emulator").host)
    yield opened
    await opened.close()
    assert asyncio.all_tasks() - {asyncio.current_task()} <= before, "no task is left behind"
