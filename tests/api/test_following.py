"""Followers of a task hear of each change exactly once, however often they have to come back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientSession

import storage.events
from service.api import stream
from service.auth import TokenRules, make_token
from service.resources import Resources
from service.sandbox import Sandbox
from storage.database import Database
from storage.events import Events
from tests.api.harness import Json, Service, User, running_service
from tests.chaos.deployment import SECRET
from tests.processes import Process, Start, service_process
from tests.scripted import Flaky, ScriptedEngine
from tests.storage.rows import a_claimed_task, an_image, work_on

LIMIT_S = 60
type Event = tuple[int, Json]


async def events_of(
    user: User, task_id: str, after: int | None = None, *, base: str | None = None
) -> AsyncGenerator[Event]:
    """The events of a stream as they come."""
    headers = {"Authorization": f"Bearer {user.token}"}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    address = f"{base or user.base}/api/tasks/{task_id}/events"
    async with asyncio.timeout(LIMIT_S), user.session.get(address, headers=headers) as response:
        assert response.status == 200, await response.text()
        number = 0
        async for line in response.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                number = int(value)
            if name == "data":
                yield number, json.loads(value)


async def next_event(user: User, task_id: str, after: int | None, base: str) -> Event:
    """The first event of a stream; after it the connection is cut."""
    stream_of = events_of(user, task_id, after, base=base)
    try:
        return await anext(stream_of)
    finally:
        await stream_of.aclose()


async def all_events(user: User, task_id: str, after: int | None = None) -> list[Event]:
    """Every event until the stream ends."""
    return [event async for event in events_of(user, task_id, after)]


async def busy_task(user: User, engine: ScriptedEngine) -> str:
    """The id of a task that has failed twice and then completed."""
    engine.fail(Flaky(), Flaky())
    task_id = str((await user.begin())["task_id"])
    await user.ended(task_id)
    return task_id


async def test_one_that_is_cut_at_every_event_on_two_instances_hears_each_change_once(
    engine: ScriptedEngine, database_url: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    serve = partial(
        running_service, database_url, tmp_path, engine, sandbox, public_url="http://refiner.test"
    )
    async with serve() as one, serve() as other:
        user = await one.guest()
        engine.fail(Flaky(), Flaky())
        task_id = (await user.begin())["task_id"]
        heard: list[Event] = []
        while not heard or heard[-1][1]["status"] not in ("completed", "failed"):
            base = (one, other)[len(heard) % 2].base
            heard.append(await next_event(user, task_id, _last(heard), base))
        assert [number for number, _ in heard] == sorted({number for number, _ in heard})
        assert heard == await all_events(user, task_id)
        there = User(user.session, other.base, user.token, user.user_id)
        assert heard == await all_events(there, task_id)
    statuses = [task["status"] for _, task in heard]
    assert statuses.count("pending") == 3, "created, and twice to be tried again"
    assert statuses[-1] == "completed"


async def test_every_start_in_the_middle_hears_the_rest(user: User, engine: ScriptedEngine) -> None:
    task_id = await busy_task(user, engine)
    whole = await all_events(user, task_id)
    assert len(whole) > 6
    for number in range(len(whole) - 1):
        assert await all_events(user, task_id, whole[number][0]) == whole[number + 1 :]


async def test_one_that_is_cut_by_a_restart_goes_on_where_it_was(
    tmp_path: Path, database_url: str, database: Database, fork: Start
) -> None:
    task = await a_claimed_task(database)
    settings = {"DATABASE_URL": database_url, "AUTH_JWT_SECRET": SECRET}
    work = work_on(database)
    heard: list[Event] = []
    async with ClientSession() as session:
        for progress in (0.25, 0.5):
            assert await work.heartbeat(task, progress, f"At {progress}")
            async with service_process(tmp_path, settings, start=fork) as process:
                await process.ready()
                user = _owner(session, process, task.user_id)
                async for number, shown in events_of(user, str(task.id), _last(heard)):
                    heard.append((number, shown))
                    if shown["progress"] == progress:
                        break
                await process.stop()
        assert await work.complete(task, an_image(task), {}, None)
        async with service_process(tmp_path, settings, start=fork) as process:
            await process.ready()
            user = _owner(session, process, task.user_id)
            heard += await all_events(user, str(task.id), _last(heard))
            whole = await all_events(user, str(task.id))
    assert [number for number, _ in heard] == [number for number, _ in whole]
    assert [shown["progress"] for _, shown in heard] == [0.0, 0.0, 0.25, 0.5, 1.0]


def _last(heard: list[Event]) -> int | None:
    return heard[-1][0] if heard else None


def _owner(session: ClientSession, process: Process, user_id: UUID) -> User:
    token = make_token(user_id, TokenRules(SECRET.encode()), ttl_s=600)
    return User(session, process.base, token, str(user_id))


class Counted:
    """The log of events, with a count of how often it is read."""

    def __init__(self, events: Events) -> None:
        self.readings = 0
        self.changed = events.changed
        self._events = events

    async def since(self, task_id: UUID, version: int) -> list[storage.events.Event]:
        """Read what there is."""
        self.readings += 1
        return await self._events.since(task_id, version)


async def test_many_followers_of_one_task_all_hear_the_same_from_few_readings(
    engine: ScriptedEngine, database_url: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    counted: list[Counted] = []

    def count(resources: Resources) -> Resources:
        counted.append(Counted(resources.events))
        return replace(resources, events=cast("Events", counted[0]))

    async with running_service(database_url, tmp_path, engine, sandbox, adapt=count) as service:
        user = await service.guest()
        gate = engine.hold()
        task_id = (await user.begin())["task_id"]
        following = [asyncio.create_task(all_events(user, task_id)) for _ in range(50)]
        async with asyncio.timeout(LIMIT_S):
            while (await user.get(f"/api/tasks/{task_id}"))["progress"] < 0.5:
                pass
        gate.set()
        heard = await asyncio.gather(*following)
    assert all(events == heard[0] for events in heard)
    assert len(heard[0]) > 2
    assert counted[0].readings <= 2 * len(heard[0])


async def test_a_deleted_task_ends_its_streams(service: Service, engine: ScriptedEngine) -> None:
    user = await service.guest()
    gate = engine.hold()
    task_id = (await user.begin())["task_id"]
    stream_of = events_of(user, task_id)
    await anext(stream_of)
    await service.resources.database.fetch("DELETE FROM task WHERE id = $1", UUID(task_id))
    async with asyncio.timeout(LIMIT_S):
        assert [event async for event in stream_of if event[1]["status"] == "completed"] == []
    gate.set()


async def test_a_quiet_stream_shows_that_it_lives(
    user: User, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.1)
    gate = engine.hold()
    task_id = (await user.begin())["task_id"]
    headers = {"Authorization": f"Bearer {user.token}"}
    address = f"{user.base}/api/tasks/{task_id}/events"
    async with asyncio.timeout(LIMIT_S), user.session.get(address, headers=headers) as response:
        beats = 0
        async for line in response.content:
            beats += line.startswith(b":")
            if beats == 3:
                break
    gate.set()


async def test_a_stream_is_neither_kept_nor_changed_on_its_way(
    user: User, engine: ScriptedEngine
) -> None:
    task_id = await busy_task(user, engine)
    response = await user.request("GET", f"/api/tasks/{task_id}/events")
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert (await response.text()).startswith("retry: ")


async def test_asked_for_its_head_a_stream_does_not_wait_for_its_body(
    user: User, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    task_id = (await user.begin())["task_id"]
    async with asyncio.timeout(LIMIT_S):
        response = await user.request("HEAD", f"/api/tasks/{task_id}/events")
    assert response.status == 200
    assert response.content_type == "text/event-stream"
    gate.set()


async def test_a_stream_of_nobodys_task_is_404(user: User) -> None:
    response = await user.request("GET", f"/api/tasks/{uuid4()}/events")
    assert response.status == 404
