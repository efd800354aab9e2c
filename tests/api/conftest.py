"""A running service for each test of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.sandbox import Sandbox
from tests.api.harness import Service, User, running_service
from tests.api.provider import Provider, running_provider
from tests.databases import a_database
from tests.scripted import ScriptedEngine


@pytest.fixture
def engine() -> ScriptedEngine:
    """The engine of `service`; it gives images back as they came unless told otherwise."""
    return ScriptedEngine()


@pytest.fixture
async def service(
    database_url: str, tmp_path: Path, engine: ScriptedEngine, sandbox: Sandbox
) -> AsyncIterator[Service]:
    """A service of its own for the test."""
    async with running_service(database_url, tmp_path, engine, sandbox) as service:
        yield service


@pytest.fixture(scope="module")
async def shared_service(
    postgres_server: str,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    sandbox: Sandbox,
) -> AsyncIterator[Service]:
    """A service for all tests of a module, which must not mind what the others' users do."""
    async with (
        a_database(postgres_server, migrated_template) as dsn,
        running_service(
            dsn, tmp_path_factory.mktemp("service"), ScriptedEngine(), sandbox
        ) as service,
    ):
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
