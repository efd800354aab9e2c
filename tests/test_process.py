"""`python -m service` as a process: it starts again, stops cleanly, and killed it loses nothing."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from tests.api.harness import User, a_png
from tests.processes import Start, postmasters, processes_naming, service_process

SAMPLE = Path(__file__).parents[1] / "service" / "studio" / "samples" / "coffee.png"


def a_sample() -> bytes:
    """A logo that is refined in little time."""
    file = io.BytesIO()
    with Image.open(SAMPLE) as image:
        image.reduce(4).save(file, "PNG")
    return file.getvalue()


async def guest(session: aiohttp.ClientSession, base: str) -> User:
    async with session.post(f"{base}/api/auth/guest") as response:
        signed_in = await response.json()
    return User(session, base, signed_in["access_token"], signed_in["user_id"])


async def gone(text: str) -> None:
    """Return once no process names the text any more."""
    async with asyncio.timeout(60):
        while processes_naming(text):
            # the kernel tells nobody about another's grandchildren
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stopped_service_leaves_no_process_and_keeps_its_data(
    tmp_path: Path, number: signal.Signals, fork: Start
) -> None:
    async with aiohttp.ClientSession() as session:
        async with service_process(tmp_path, {}) as first:
            await first.ready()
            user = await guest(session, first.base)
            concept = await user.upload(a_sample())
            assert await first.stop(number) == 0
        await gone(str(tmp_path))
        async with service_process(tmp_path, {}, start=fork) as second:
            await second.ready()
            again = User(session, second.base, user.token, user.user_id)
            [kept] = await again.get("/api/concepts")
            assert kept["concept_id"] == concept["concept_id"]
            response = await again.refine(concept["image_url"], headers={"Prefer": "wait=60"})
            assert response.status == 200, "an address handed out before under another port works"
            assert await second.stop() == 0
    await gone(str(tmp_path))


async def test_a_service_killed_with_30_tasks_under_way_ends_each_of_them_once(
    tmp_path: Path, fork: Start
) -> None:
    settings = {"TASK_LEASE_SECONDS": "2", "WORKER_CONCURRENCY": "8"}
    async with aiohttp.ClientSession() as session:
        async with service_process(tmp_path, settings, start=fork) as first:
            await first.ready()
            users = [await guest(session, first.base) for _ in range(30)]
            concepts = [await user.upload(a_sample()) for user in users]
            # all at once, so that few have ended by the time of the kill
            responses = await asyncio.gather(
                *(
                    user.refine(concept["image_url"])
                    for user, concept in zip(users, concepts, strict=True)
                )
            )
            assert [response.status for response in responses] == [202] * 30
            tasks = [(await response.json())["task_id"] for response in responses]
            assert await first.stop(signal.SIGKILL) == -signal.SIGKILL
        await gone(str(tmp_path))
        async with service_process(tmp_path, settings, start=fork) as second:
            await second.ready()
            for user, task_id in zip(users, tasks, strict=True):
                again = User(session, second.base, user.token, user.user_id)
                task = await again.get(f"/api/tasks/{task_id}", headers={"Prefer": "wait=60"})
                assert task["status"] == "completed", task
                kept = await again.get("/api/concepts")
                assert [concept["task_id"] for concept in kept].count(task_id) == 1
                assert len(kept) == 2
                quota = await again.get("/api/quota")
                assert quota["refinements"]["used"] == 1
            assert await second.stop() == 0
    await gone(str(tmp_path))


async def test_a_database_that_is_killed_comes_back_without_a_restart(
    tmp_path: Path, fork: Start
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        service_process(tmp_path, {}, start=fork) as service,
    ):
        await service.ready()
        user = await guest(session, service.base)
        await user.upload(a_png())
        [killed] = postmasters(tmp_path)
        os.kill(killed, signal.SIGKILL)
        statuses = [0]
        async with asyncio.timeout(60):
            # what it had begun may still answer for a moment
            while postmasters(tmp_path) in ([], [killed]) or statuses[-1] != 200:
                response = await user.request("GET", "/api/concepts")
                statuses.append(response.status)
        assert set(statuses[1:]) <= {200, 503}
        assert len(await user.get("/api/concepts")) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("AUTH_JWT_SECRET", "too short"),
        ("QUEUE_URL", "amqp://x"),
        ("STORAGE_URL", "s3://bucket"),
        ("ENGINE", "psychic"),
        ("TASK_LEASE_SECONDS", "nan"),
        ("MONTHLY_REFINEMENTS", "-1"),
        ("GUEST_SIGN_IN", "perhaps"),
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/x"),
        ("PUBLIC_URL", "ftp://x"),
    ],
)
async def test_a_wrong_setting_stops_the_start_with_one_line_that_names_it(
    tmp_path: Path, name: str, value: str, fork: Start
) -> None:
    async with service_process(tmp_path, {name: value}, start=fork) as service:
        async with asyncio.timeout(60):
            assert await service.process.wait() != 0
        said = [line for line in service.log.read_text().splitlines() if not line.startswith("{")]
        assert len(said) == 1, said
        assert said[0].startswith(name)
        assert value not in said[0] or name != "AUTH_JWT_SECRET"
