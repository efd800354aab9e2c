"""The service itself, set up as an operator would, keeps through a kill what it has paid for."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.api.harness import User
from tests.engines.hosted.harness import assert_tells_nothing_of
from tests.engines.hosted.pictures import a_logo
from tests.engines.hosted.scenarios import told
from tests.engines.hosted.stub import Stub
from tests.processes import service_process


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def environment(stub: Stub) -> dict[str, str]:
    return {
        "ENGINE": "replicate",
        "REPLICATE_API_TOKEN": stub.key("replicate"),
        "REPLICATE_BASE_URL": stub.base,
        "TASK_LEASE_SECONDS": "2",
        "LOG_LEVEL": "info",
    }


async def begun(session: aiohttp.ClientSession, base: str, scenario: str) -> tuple[User, str]:
    """A guest and the id of the task that it has begun."""
    async with session.post(f"{base}/api/auth/guest") as response:
        signed_in = await response.json()
    user = User(session, base, signed_in["access_token"], signed_in["user_id"])
    concept = await user.upload(a_logo())
    response = await user.refine(concept["image_url"], refinement_prompt=told(scenario))
    assert response.status == 202
    return user, (await response.json())["task_id"]


async def test_a_service_killed_while_the_provider_works_pays_once(
    stub: Stub, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with service_process(tmp_path, environment(stub)) as first:
        await first.ready()
        user, task_id = await begun(session, first.base, "slow")
        async with asyncio.timeout(60):
            await stub.polled.wait()
        assert await first.stop(signal.SIGKILL) == -signal.SIGKILL
    async with service_process(tmp_path, environment(stub)) as second:
        await second.ready()
        user = User(session, second.base, user.token, user.user_id)
        task = await user.ended(task_id)
        assert task["status"] == "completed", task
        assert task["attempt"] == 2
        report = task["metadata"]["report"]
        assert report["engine"] == "replicate/black-forest-labs/flux-kontext-pro"
        assert await second.stop() == 0
    assert stub.paid == {"replicate": 1}
    assert_tells_nothing_of(stub, first.log.read_text() + second.log.read_text())


async def test_a_canceled_task_stops_the_job_at_the_provider(
    stub: Stub, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with service_process(tmp_path, environment(stub)) as service:
        await service.ready()
        user, task_id = await begun(session, service.base, "never")
        async with asyncio.timeout(60):
            await stub.polled.wait()
        await user.request("POST", f"/api/tasks/{task_id}/cancel")
        async with asyncio.timeout(10):
            await stub.stopped.wait()
        assert (await user.ended(task_id))["error_code"] == "canceled"
        assert await service.stop() == 0
    (job,) = stub.jobs.values()
    assert job.canceled
