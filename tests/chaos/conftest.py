"""Deployments on a broker of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from storage.database import Database
from tests.chaos.deployment import Deployment, deployment
from tests.emulators import EmulatorMissing, PubSubEmulator, pubsub_emulator
from tests.processes import Start


@pytest.fixture(scope="session")
def broker() -> Iterator[PubSubEmulator]:
    """Google's Pub/Sub emulator, for all tests here."""
    try:
        with pubsub_emulator() as running:
            yield running
    except EmulatorMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
async def on_pubsub(
    tmp_path: Path, database_url: str, database: Database, broker: PubSubEmulator, fork: Start
) -> AsyncIterator[Deployment]:
    """A deployment on Pub/Sub with topics of its own."""
    name = uuid4().hex[:12]
    queue = {"QUEUE_URL": f"pubsub://test/t{name}/s{name}", "PUBSUB_EMULATOR_HOST": broker.host}
    async with deployment(tmp_path, database_url, database, queue, fork) as made:
        yield made
