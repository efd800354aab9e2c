"""A receiver, and a service that is let through to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.resources import Resources
from service.sandbox import Sandbox
from service.webhooks import Courier
from tests.api.harness import Service, User, running_service
from tests.fetching.outside import Names, anywhere
from tests.scripted import ScriptedEngine
from tests.webhooks.receiver import HOST, Receiver, running_receiver

Serve = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for what is owed all the time, so that tests need not wait."""
    monkeypatch.setattr("service.webhooks.POLL_S", 0.02)


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    """A user's server."""
    async with running_receiver(tmp_path) as receiver:
        yield receiver


@pytest.fixture
def engine() -> ScriptedEngine:
    """The engine of the services."""
    return ScriptedEngine()


@pytest.fixture
def serve(
    database_url: str, tmp_path: Path, engine: ScriptedEngine, sandbox: Sandbox, receiver: Receiver
) -> Serve:
    """Starts a service for whom the receiver is the world; options are the courier's."""

    @asynccontextmanager
    async def start(**options: Any) -> AsyncIterator[Service]:
        given = {
            "retry_after_s": (0.05, 0.05),
            "resolver": Names(receiver.port, {HOST: [["127.0.0.1"]]}),
            "may_connect": anywhere,
            "tls": receiver.trust(),
            **options,
        }
        async with AsyncExitStack() as stack:

            def let_through(resources: Resources) -> Resources:
                courier = Courier(resources.deliveries, resources.tasks, resources.metrics, **given)
                stack.push_async_callback(courier.close)
                return replace(resources, courier=courier)

            yield await stack.enter_async_context(
                running_service(database_url, tmp_path, engine, sandbox, adapt=let_through)
            )

    return start


@pytest.fixture
async def service(serve: Serve) -> AsyncIterator[Service]:
    """A service for whom the receiver is the world."""
    async with serve() as service:
        yield service


@pytest.fixture
async def user(service: Service) -> User:
    """A guest of `service`."""
    return await service.guest()
