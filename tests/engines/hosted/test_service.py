"""The service itself, set up as an operator would: it keeps through a kill what it has paid for,
stops what nobody wants, and shows which engine is out of order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.api.harness import User, running_service
from tests.engines.hosted.harness import Bench, assert_tells_nothing_of, environment_for
from tests.engines.hosted.pictures import a_logo
from tests.engines.hosted.scenarios import CANCELS, JOBS, told
from tests.engines.hosted.stub import Stub
from tests.processes import Start, service_process


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def a_guest(session: aiohttp.ClientSession, base: str) -> User:
    async with session.post(f"{base}/api/auth/guest") as response:
        signed_in = await response.json()
    return User(session, base, signed_in["access_token"], signed_in["user_id"])


async def begun(user: User, scenario: str) -> str:
    """The id of the task that the user has begun."""
    concept = await user.upload(a_logo())
    response = await user.refine(concept["image_url"], refinement_prompt=told(scenario))
    assert response.status == 202
    return str((await response.json())["task_id"])


async def test_a_service_killed_while_providers_work_pays_each_of_them_once(
    stub: Stub, session: aiohttp.ClientSession, tmp_path: Path, database_url: str, fork: Start
) -> None:
    environment = {
        **environment_for(stub, ",".join(JOBS)),
        "DATABASE_URL": database_url,
        "TASK_LEASE_SECONDS": "2",
        "LOG_LEVEL": "info",
    }
    tasks: dict[str, tuple[User, str]] = {}
    async with service_process(tmp_path, environment, start=fork) as first:
        await first.ready()
        for provider in JOBS:
            user = await a_guest(session, first.base)
            tasks[provider] = user, await begun(user, "never")
            await stub.is_polled(provider)
            # the next task falls through to the next provider
            stub.closed.add(provider)
        assert await first.stop(signal.SIGKILL) == -signal.SIGKILL
    for job in stub.jobs.values():
        job.scenario = "ok"
    async with service_process(tmp_path, environment, start=fork) as second:
        await second.ready()
        for provider, (user, task_id) in tasks.items():
            task = await User(session, second.base, user.token, user.user_id).ended(task_id)
            assert task["status"] == "completed", task
            assert task["attempt"] == 2
            assert task["metadata"]["report"]["engine"].startswith(f"{provider}/")
        assert await second.stop() == 0
    assert stub.paid == dict.fromkeys(JOBS, 1)
    assert_tells_nothing_of(stub, first.log.read_text() + second.log.read_text())


@pytest.mark.parametrize("provider", CANCELS)
async def test_a_canceled_task_stops_the_job_at_the_provider(
    bench: Bench, provider: str, database_url: str, tmp_path: Path
) -> None:
    engines = bench.engines(provider)
    async with running_service(database_url, tmp_path, engines, bench.sandbox) as service:
        user = await service.guest()
        task_id = await begun(user, "never")
        await bench.stub.is_polled(provider)
        await user.request("POST", f"/api/tasks/{task_id}/cancel")
        async with asyncio.timeout(60):
            await bench.stub.stopped.wait()
        assert (await user.ended(task_id))["error_code"] == "canceled"
    (job,) = bench.stub.jobs.values()
    assert job.canceled


async def test_an_engine_out_of_order_is_left_alone_and_operators_see_it(
    stub: Stub, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.closed.add("bfl")
    for name, value in environment_for(stub, "bfl,openai,embedded").items():
        monkeypatch.setenv(name, value)
    async with running_service(database_url, tmp_path) as service:
        users = [await service.guest() for _ in range(4)]
        for user in users:
            task = await user.ended(await begun(user, "ok"))
            concept = await user.get(f"/api/concepts/{task['result_id']}")
            assert concept["engine"] == concept["report"]["engine"] == "openai/gpt-image-1.5"
        ready = await users[0].get("/readyz")
        metrics = await (await users[0].request("GET", "/metrics")).text()
    assert ready["engines"] == {"bfl": "open", "openai": "closed", "embedded": "closed"}
    for line in (
        'engine_circuit_state{engine="bfl"} 2.0',
        'engine_circuit_state{engine="openai"} 0.0',
        # once it was open, the fourth task did not ask it
        'engine_refinements_total{engine="bfl",outcome="engine_unavailable"} 3.0',
        'engine_refinements_total{engine="openai",outcome="image"} 4.0',
        f'engine_usage_total{{engine="openai",unit="output_tokens"}} {4.0 * 4160}',
    ):
        assert line in metrics.splitlines()
    assert_tells_nothing_of(stub, f"{ready} {metrics}")


async def test_a_missing_key_stops_the_start_with_one_line_before_anything_is_opened(
    tmp_path: Path, fork: Start
) -> None:
    async with service_process(tmp_path, {"ENGINE": "embedded,fal"}, start=fork) as service:
        async with asyncio.timeout(60):
            assert await service.process.wait() == 2
        assert service.log.read_text() == "FAL_KEY: is needed for ENGINE=fal\n"
    assert not (tmp_path / "postgres").exists()
