"""A running service for each test of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.resources import INTAKE_BYTES
from service.sandbox import Sandbox
from tests.api.harness import Service, User, running_service
from tests.api.provider import Provider, running_provider
from tests.scripted import ScriptedEngine


@pytest.fixture
def engine() -> ScriptedEngine:
    """The engine of `service`; it gives images back as they came unless told otherwise."""
    return ScriptedEngine()


@pytest.fixture(scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    """A warm sandbox for all tests of the run; it keeps nothing from one to the next."""
    sandbox = Sandbox(processes=1, memory_bytes=INTAKE_BYTES, preload=("service.intake",))
    yield sandbox
    await sandbox.close()


@pytest.fixture
async def service(
    database_url: str, tmp_path: Path, engine: ScriptedEngine, sandbox: Sandbox
) -> AsyncIterator[Service]:
    """A service of its own for the test."""
    async with running_service(database_url, tmp_path, engine, sandbox) as service:
        yield service


@pytest.fixture
async def user(service: Service) -> User:
    """A guest of `service`."""
    return await service.guest()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """An identity provider that publishes its keys."""
    async with running_provider() as provider:
        yield provider
