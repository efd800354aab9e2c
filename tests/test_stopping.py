"""A process told to stop: nobody is sent to it, and what it has begun it brings to its end."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.api.harness import User, a_png
from tests.processes import Process, Start, service_process

LIMIT_S = 60
UPLOAD = b"".join(
    (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n',
        b"Content-Type: image/png\r\n\r\n",
        a_png(),
        b"\r\n--b--\r\n",
    )
)


@asynccontextmanager
async def slow_service(
    folder: Path, database_url: str, settings: Mapping[str, str], fork: Start
) -> AsyncIterator[Process]:
    """The whole service as a process, whose engine takes `CHAOS_WORK_S`."""
    async with service_process(
        folder,
        {"DATABASE_URL": database_url, **settings},
        module="tests.chaos.program",
        arguments=("api",),
        start=fork,
    ) as process:
        await process.ready()
        yield process


async def guest(session: aiohttp.ClientSession, base: str) -> User:
    """A fresh user."""
    async with session.post(f"{base}/api/auth/guest") as response:
        signed_in = await response.json()
    return User(session, base, signed_in["access_token"], signed_in["user_id"])


async def is_listening(process: Process) -> bool:
    """Whether a new connection is taken."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", int(process.base.rpartition(":")[2]))
    except ConnectionError:
        return False
    writer.close()
    return True


async def until_deaf(process: Process) -> None:
    """Return once the process takes no new connections."""
    async with asyncio.timeout(LIMIT_S):
        while await is_listening(process):
            # nothing tells from outside when a port is closed
            await asyncio.sleep(0.02)


async def test_what_is_under_way_comes_to_its_end(
    tmp_path: Path, database_url: str, fork: Start
) -> None:
    async with (
        asyncio.timeout(LIMIT_S),
        slow_service(tmp_path, database_url, {"CHAOS_WORK_S": "2"}, fork) as process,
        aiohttp.ClientSession() as session,
    ):
        user, uploader = await guest(session, process.base), await guest(session, process.base)
        task = await user.begin()
        path = f"/api/tasks/{task['task_id']}"
        headers = {"Authorization": f"Bearer {user.token}"}
        stream = await session.get(f"{process.base}{path}/events", headers=headers)
        await stream.content.readuntil(b'"processing"')
        poll = asyncio.create_task(user.request("GET", path, headers={"Prefer": "wait=50"}))
        told_to_finish = asyncio.Event()

        async def half_and_half() -> AsyncIterator[bytes]:
            yield UPLOAD[:100]
            await told_to_finish.wait()
            yield UPLOAD[100:]

        upload = asyncio.create_task(
            uploader.request(
                "POST",
                "/api/concepts",
                data=half_and_half(),
                headers={"Content-Type": "multipart/form-data; boundary=b"},
            )
        )
        # the poll and the upload have arrived once a later request has been answered
        await user.get("/api/quota")
        process.process.send_signal(signal.SIGTERM)
        await until_deaf(process)
        assert (await poll).status == 200
        farewell = (await stream.content.read()).decode()
        assert farewell.endswith("\n\n")
        assert "retry: " in farewell.rpartition(": stopping")[2]
        told_to_finish.set()
        uploaded = await upload
        assert uploaded.status == 201
        assert uploaded.headers["Connection"] == "close"
        assert await process.process.wait() == 0
        said = process.log.read_text()
        events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        outcomes = [event["outcome"] for event in events if "outcome" in event]
        assert outcomes == ["completed"], "the task was finished and not handed back"
        assert "Traceback" not in said


async def test_it_is_not_ready_for_as_long_as_the_grace_and_still_answers(
    tmp_path: Path, database_url: str, fork: Start
) -> None:
    settings = {"SHUTDOWN_GRACE_SECONDS": "500"}
    async with (
        asyncio.timeout(LIMIT_S),
        slow_service(tmp_path, database_url, settings, fork) as process,
        aiohttp.ClientSession() as session,
    ):
        process.process.send_signal(signal.SIGTERM)
        while True:
            async with session.get(f"{process.base}/readyz") as response:
                if response.status == 503:
                    assert (await response.json())["status"] == "unavailable"
                    break
        user = await guest(session, process.base)
        assert (await user.request("GET", "/api/quota")).status == 200
        assert (await session.get(f"{process.base}/healthz")).status == 200
        # the second signal ends the grace, too
        assert await process.stop(signal.SIGINT, within_s=LIMIT_S) == 0


async def test_the_second_signal_stops_at_once_and_hands_the_task_back(
    tmp_path: Path, database_url: str, fork: Start
) -> None:
    async with (
        asyncio.timeout(LIMIT_S),
        slow_service(tmp_path, database_url, {"CHAOS_WORK_S": "250"}, fork) as process,
        aiohttp.ClientSession() as session,
    ):
        user = await guest(session, process.base)
        task = await user.begin()
        headers = {"Authorization": f"Bearer {user.token}"}
        stream = await session.get(
            f"{process.base}/api/tasks/{task['task_id']}/events", headers=headers
        )
        await stream.content.readuntil(b'"processing"')
        process.process.send_signal(signal.SIGTERM)
        await until_deaf(process)
        assert await process.stop(within_s=LIMIT_S) == 0
        assert "tasks_handed_back" in process.log.read_text()
