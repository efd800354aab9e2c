"""Following a task: reading, waiting, streaming, listing, cancelling, deleting."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from service.engines.contract import EngineFailed
from tests.api.harness import User
from tests.scripted import Flaky, ScriptedEngine

Event = tuple[str, dict[str, Any]]


async def read_events(user: User, task_id: str, last_event_id: str | None = None) -> list[Event]:
    """Every event of a stream until it ends."""
    headers = {"Authorization": f"Bearer {user.token}"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    events: list[Event] = []
    async with user.session.get(
        f"{user.base}/api/tasks/{task_id}/events", headers=headers
    ) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        text = await response.text()
    for block in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
        )
        if "data" in fields:
            assert fields["event"] == "task"
            events.append((fields["id"], json.loads(fields["data"])))
    return events


async def test_both_addresses_are_the_same_resource(user: User) -> None:
    task = await user.begin()
    await user.ended(task["task_id"])
    one = await user.request("GET", f"/api/tasks/{task['task_id']}")
    other = await user.request("GET", f"/api/concepts/task/{task['task_id']}")
    assert await one.json() == await other.json()
    assert one.headers["ETag"] == other.headers["ETag"]


async def test_an_unchanged_task_is_304_for_its_tag_in_every_form(user: User) -> None:
    task = await user.begin()
    await user.ended(task["task_id"])
    path = f"/api/tasks/{task['task_id']}"
    etag = (await user.request("GET", path)).headers["ETag"]
    for form in (etag, f"W/{etag}", "*", f'"other", {etag}', f'W/"other",W/{etag}'):
        response = await user.request("GET", path, headers={"If-None-Match": form})
        assert response.status == 304, form
        assert response.headers["ETag"] == etag
        assert await response.read() == b""
    response = await user.request("GET", path, headers={"If-None-Match": '"other"'})
    assert response.status == 200


async def test_the_tag_changes_with_the_task(user: User, engine: ScriptedEngine) -> None:
    gate = engine.hold()
    task = await user.begin()
    path = f"/api/tasks/{task['task_id']}"
    before = (await user.request("GET", path)).headers["ETag"]
    gate.set()
    await user.ended(task["task_id"])
    assert (await user.request("GET", path)).headers["ETag"] != before


async def test_waiting_with_a_tag_holds_until_the_task_changes(
    user: User, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    task = await user.begin()
    path = f"/api/tasks/{task['task_id']}"
    seen: list[str] = []
    etag = '"none"'
    while True:
        response = await user.request(
            "GET", path, headers={"If-None-Match": etag, "Prefer": "wait=20"}
        )
        assert response.status == 200
        assert response.headers["Preference-Applied"] == "wait=20"
        etag = response.headers["ETag"]
        status = (await response.json())["status"]
        seen.append(status)
        if status == "processing":
            gate.set()
        if status == "completed":
            break
    assert seen[-1] == "completed"


async def test_waiting_with_the_tag_of_an_unchanged_task_ends_in_304(
    user: User, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    task = await user.begin()
    path = f"/api/tasks/{task['task_id']}"
    async with asyncio.timeout(60):
        while (await user.get(path))["progress"] < 0.5:
            etag = (await user.request("GET", path)).headers["ETag"]
            await user.request("GET", path, headers={"If-None-Match": etag, "Prefer": "wait=5"})
    etag = (await user.request("GET", path)).headers["ETag"]
    response = await user.request("GET", path, headers={"If-None-Match": etag, "Prefer": "wait=1"})
    assert response.status == 304
    gate.set()


async def test_a_stream_tells_every_change_once_and_ends_with_the_last(
    user: User, engine: ScriptedEngine
) -> None:
    engine.fail(Flaky())
    task = await user.begin()
    events = await read_events(user, task["task_id"])
    assert events[0][1]["status"] == "pending"
    assert events[0][1]["attempt"] == 0
    assert events[-1][1]["status"] == "completed"
    assert events[-1][1]["image_url"]
    ids = [int(number) for number, _ in events]
    assert ids == sorted(set(ids))
    assert {"pending", "processing", "completed"} == {data["status"] for _, data in events}
    late = await read_events(user, task["task_id"])
    assert [number for number, _ in late] == [number for number, _ in events]
    assert [data["status"] for _, data in late] == [data["status"] for _, data in events]


async def test_a_stream_resumes_after_every_event_without_loss_or_repeat(user: User) -> None:
    task = await user.begin()
    events = await read_events(user, task["task_id"])
    ids = [number for number, _ in events]
    for index, number in enumerate(ids[:-1]):
        rest = await read_events(user, task["task_id"], number)
        assert [n for n, _ in rest] == ids[index + 1 :]


async def test_a_stream_with_nothing_left_says_so_with_204(user: User) -> None:
    task = await user.begin()
    events = await read_events(user, task["task_id"])
    response = await user.request(
        "GET", f"/api/tasks/{task['task_id']}/events", headers={"Last-Event-ID": events[-1][0]}
    )
    assert response.status == 204


async def test_a_last_event_id_that_is_not_ours_begins_at_the_beginning(user: User) -> None:
    task = await user.begin()
    events = await read_events(user, task["task_id"])
    for strange in ("x", "-1", "9" * 40, "٣"):
        assert len(await read_events(user, task["task_id"], strange)) == len(events)


async def test_progress_moves_while_the_engine_works(user: User, engine: ScriptedEngine) -> None:
    gate = engine.hold()
    task = await user.begin()
    following = asyncio.create_task(read_events(user, task["task_id"]))
    async with asyncio.timeout(60):
        while (await user.get(f"/api/tasks/{task['task_id']}"))["progress"] < 0.5:
            await user.get("/api/quota")
    gate.set()
    events = await following
    halfway = [data for _, data in events if data["status"] == "processing" and data["progress"]]
    assert halfway[-1]["message"] == "Working on it"


async def test_a_running_task_is_canceled_at_once_and_its_worker_stops(
    user: User, engine: ScriptedEngine
) -> None:
    engine.hold()
    task = await user.begin()
    async with asyncio.timeout(60):
        while not engine.calls:
            await user.get("/api/quota")
    canceled = await (await user.request("POST", f"/api/tasks/{task['task_id']}/cancel")).json()
    assert (canceled["status"], canceled["error_code"]) == ("failed", "canceled")
    again = await user.request("POST", f"/api/tasks/{task['task_id']}/cancel")
    assert again.status == 200
    assert await again.json() == canceled
    async with asyncio.timeout(3):
        while not engine.canceled:
            await user.get("/api/quota")
    assert (await user.get("/api/quota"))["refinements"]["used"] == 1
    engine.fail()
    assert (await user.ended((await user.begin())["task_id"]))["status"] == "completed"


async def test_cancelling_a_finished_task_returns_it_as_it_is(user: User) -> None:
    done = await user.ended((await user.begin())["task_id"])
    response = await user.request("POST", f"/api/tasks/{done['task_id']}/cancel")
    assert response.status == 200
    assert await response.json() == done


async def test_an_active_task_cannot_be_deleted_and_an_ended_one_can(
    user: User, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    task = await user.begin()
    path = f"/api/tasks/{task['task_id']}"
    response = await user.request("DELETE", path)
    assert response.status == 409
    assert (await response.json())["code"] == "task_active"
    gate.set()
    done = await user.ended(task["task_id"])
    assert (await user.request("DELETE", path)).status == 204
    assert (await user.request("GET", path)).status == 404
    concept = await user.get(f"/api/concepts/{done['result_id']}")
    assert concept["task_id"] is None


async def test_the_list_is_newest_first_and_pages_without_gap_or_repeat(
    user: User, engine: ScriptedEngine
) -> None:
    made = []
    for number in range(7):
        if number % 2:
            engine.fail(EngineFailed())
        made.append((await user.ended((await user.begin())["task_id"]))["task_id"])
    seen = []
    path: str | None = "/api/tasks?limit=3"
    while path:
        response = await user.request("GET", path)
        seen += [task["task_id"] for task in await response.json()]
        link = response.headers.get("Link")
        path = None
        if link:
            address, _, relation = link.partition(">; ")
            assert relation == 'rel="next"'
            parts = urlsplit(address[1:])
            path = f"{parts.path}?{parts.query}"
    assert seen == made[::-1]
    failed = await user.get("/api/tasks?status=failed")
    assert [task["task_id"] for task in failed] == made[1::2][::-1]


@pytest.mark.parametrize("path", ["/api/tasks/{}", "/api/concepts/task/{}"])
async def test_head_answers_like_get_without_a_body(user: User, path: str) -> None:
    task = await user.begin()
    await user.ended(task["task_id"])
    response = await user.request("HEAD", path.format(task["task_id"]))
    assert response.status == 200
    assert response.headers["ETag"]
    assert await response.read() == b""
