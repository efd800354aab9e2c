"""Give each test a fresh queue of every backend, and see that it leaves nothing running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.queueing.backends import Backend, MemoryBackend


@pytest.fixture(params=["memory"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """A fresh queue, of each backend in turn."""
    before = asyncio.all_tasks()
    opened: Backend = MemoryBackend()
    yield opened
    await opened.close()
    assert asyncio.all_tasks() - {asyncio.current_task()} <= before, (
        "a closed queue leaves no task behind"
    )
