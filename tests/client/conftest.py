"""One service for all tests of the client, a user each, and a proxy between them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.client import Client
from service.sandbox import Sandbox
from tests.api.harness import Service, a_png, running_service
from tests.client.between import Between, running_between
from tests.databases import a_database
from tests.scripted import ScriptedEngine, echo

QUOTA = 3
PICTURE = a_png(40, 30)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests is no proxy that keeps streams back."""
    monkeypatch.setattr("service.client.following.FIRST_BYTE_S", 60.0)
    monkeypatch.setattr("service.client.client.CANCEL_TIMEOUT_S", 60.0)


@pytest.fixture(scope="session")
def engine_of_all() -> ScriptedEngine:
    """The engine of the service of all tests."""
    return ScriptedEngine()


@pytest.fixture(scope="session")
async def service(
    postgres_server: str,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    engine_of_all: ScriptedEngine,
    sandbox: Sandbox,
) -> AsyncIterator[Service]:
    """A service with a small quota."""
    folder = tmp_path_factory.mktemp("client")
    async with (
        a_database(postgres_server, migrated_template) as dsn,
        running_service(dsn, folder, engine_of_all, sandbox, monthly_refinements=QUOTA) as service,
    ):
        yield service


@pytest.fixture(autouse=True)
def engine(engine_of_all: ScriptedEngine) -> ScriptedEngine:
    """The engine of the service; it gives images back as they came unless told otherwise."""
    engine_of_all.behaviour = echo
    engine_of_all.calls.clear()
    engine_of_all.canceled = 0
    return engine_of_all


@pytest.fixture
async def between(service: Service) -> AsyncIterator[Between]:
    """A proxy before the service."""
    async with running_between(service.base) as between:
        yield between


@pytest.fixture
async def client(between: Between) -> AsyncIterator[Client]:
    """A guest who reaches the service through the proxy."""
    async with Client(between.url) as client:
        yield client
