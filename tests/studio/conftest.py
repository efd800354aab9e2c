"""A browser for the run, the real service beside it, and a fresh visitor for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from service.sandbox import Sandbox
from tests.api.harness import Service, running_service
from tests.processes import Process, service_process
from tests.scripted import ScriptedEngine
from tests.studio.browser import RESULT_MS, Visitor, running_browser, visiting

# what cannot be seen by then never will be, however busy the machine is
expect.set_options(timeout=RESULT_MS)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests; every visitor has a profile of their own in it."""
    async with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
async def studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Process]:
    """`python -m service` as anybody starts it, with nothing set but a place for its data."""
    async with service_process(tmp_path_factory.mktemp("studio"), {}) as process:
        await process.ready()
        yield process


@pytest.fixture
async def visitor(browser: Browser, studio: Process) -> AsyncIterator[Visitor]:
    """A newcomer at a desk."""
    async with visiting(browser, studio.base, viewport={"width": 1280, "height": 800}) as visitor:
        yield visitor


@pytest.fixture
def engine() -> ScriptedEngine:
    """An engine that can be held, for what happens in mid-task."""
    return ScriptedEngine()


@pytest.fixture
async def service(
    database_url: str, tmp_path: Path, engine: ScriptedEngine, sandbox: Sandbox
) -> AsyncIterator[Service]:
    """The service on real parts in this process, with `engine` in the engine's place."""
    async with running_service(database_url, tmp_path, engine, sandbox) as service:
        yield service


@pytest.fixture
async def guest(browser: Browser, service: Service) -> AsyncIterator[Visitor]:
    """A visitor of `service`."""
    async with visiting(browser, service.base, viewport={"width": 1280, "height": 800}) as visitor:
        yield visitor
