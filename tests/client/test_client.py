"""The client refines, follows and fetches, whatever stands between it and the service."""

from __future__ import annotations

import asyncio
import io
from itertools import repeat
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from PIL import Image

from service.client import (
    AlreadyActive,
    Client,
    Missing,
    QuotaExceeded,
    Refused,
    SignInRequired,
    Task,
    TaskFailed,
    Unavailable,
)
from service.client.sse import Event, EventReader
from service.engines.contract import NothingToApply
from tests.api.harness import Service
from tests.client.between import (
    Between,
    Spoiler,
    answered,
    cut_after_one_event,
    kept_back,
    lost,
    not_held,
)
from tests.client.conftest import PICTURE, QUOTA
from tests.scripted import Flaky, ScriptedEngine, a_report

LIMIT_S = 60


async def test_a_file_is_refined_and_the_result_saved(client: Client, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(PICTURE)
    changes: list[Task] = []
    task = await client.refine(
        str(logo), "make it bolder", logo_description="A cup", on_change=changes.append
    )
    await client.save(task, tmp_path / "bolder.png")
    with Image.open(tmp_path / "bolder.png") as image:
        assert image.size == (40, 30)
    assert (task.status, task.prompt, task.progress) == ("completed", "make it bolder", 1)
    assert task.report is not None
    assert task.report.outcome == "complete"
    assert changes[0].status == "pending"
    assert changes[-1] == task
    concepts = [concept async for concept in client.concepts()]
    assert [concept.id for concept in concepts] == [task.result_id, task.concept_id]
    assert await client.concept(task.result_id or "") == concepts[0]
    assert (await client.quota()).used == 1


async def test_a_result_is_refined_again_without_another_upload(
    client: Client, between: Between
) -> None:
    concept = await client.upload(PICTURE)
    first = await client.refine(concept, "bolder")
    second = await client.refine(first.image_url or "", "rounder")
    assert second.concept_id == first.result_id
    assert between.asked.count("POST concepts") == 1


async def test_a_stream_cut_behind_every_event_is_heard_without_loss_or_repeat(
    client: Client, between: Between, engine: ScriptedEngine
) -> None:
    engine.fail(Flaky())
    between.spoilers["events"] = repeat(cut_after_one_event)
    started = await client.start(PICTURE, "bolder")
    heard = [task async for task in client.follow(started.id)]
    del between.spoilers["events"]
    assert heard == [task async for task in client.follow(started.id)]
    assert len(heard) > 4
    assert between.asked.count("GET events") == len(heard) + 1
    assert "GET task" not in between.asked


@pytest.mark.parametrize(
    "spoiler", [answered(404), answered(200), kept_back, lost], ids=["404", "html", "kept", "cut"]
)
async def test_without_streams_the_service_is_asked_to_hold_its_answers(
    client: Client,
    between: Between,
    engine: ScriptedEngine,
    spoiler: Spoiler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.client.following.FIRST_BYTE_S", 0.3)
    monkeypatch.setattr("service.client.following.POLL_S", LIMIT_S)
    between.spoilers["events"] = repeat(spoiler)
    gate = engine.hold()
    started = await client.start(PICTURE, "bolder")
    halfway: list[float] = []
    async with asyncio.timeout(LIMIT_S):
        async for task in client.follow(started.id):
            halfway.append(task.progress)
            if task.progress == 0.5:
                gate.set()
    assert halfway[-1] == 1
    assert 0.5 in halfway


async def test_where_answers_are_not_held_either_it_asks_now_and_then(
    client: Client, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.client.following.POLL_S", 0.01)
    between.spoilers |= {"events": repeat(answered(501)), "task": repeat(not_held)}
    assert (await client.refine(PICTURE, "bolder")).status == "completed"


async def test_a_request_whose_answer_is_lost_is_charged_once(
    client: Client, between: Between
) -> None:
    between.spoilers["refine"] = iter([lost, answered(502), lost])
    task = await client.refine(PICTURE, "bolder")
    assert between.asked.count("POST refine") == 4
    assert [one.id async for one in client.tasks()] == [task.id]
    assert (await client.quota()).used == 1


async def test_an_upload_whose_answer_is_lost_is_not_made_twice(
    client: Client, between: Between
) -> None:
    between.spoilers["concepts"] = iter([lost])
    with pytest.raises(Unavailable):
        await client.upload(PICTURE)
    assert between.asked.count("POST concepts") == 1


async def test_a_service_that_asks_to_be_left_alone_is_left_alone(
    client: Client, between: Between
) -> None:
    between.spoilers["quota"] = iter([answered(503, Retry_After="1"), answered(429)])
    begin_s = asyncio.get_running_loop().time()
    assert (await client.quota()).limit == QUOTA
    assert asyncio.get_running_loop().time() - begin_s >= 1
    between.spoilers["quota"] = iter([answered(503, Retry_After="3600")])
    with pytest.raises(Unavailable) as raised:
        await client.quota()
    assert raised.value.code == "http_503"


async def test_a_conflict_tells_the_active_task_and_can_be_followed(
    client: Client, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    concept = await client.upload(PICTURE)
    active = await client.start(concept, "bolder")
    with pytest.raises(AlreadyActive) as raised:
        await client.refine(concept, "rounder")
    assert raised.value.task.id == active.id
    done = await client.refine(
        concept, "rounder", follow_active=True, on_change=lambda _task: gate.set()
    )
    assert (done.id, done.status) == (active.id, "completed")


async def test_a_used_up_month_is_not_waited_for(client: Client) -> None:
    concept = await client.upload(PICTURE)
    for _ in range(QUOTA):
        await client.refine(concept, "bolder")
    with pytest.raises(QuotaExceeded) as raised:
        await client.refine(concept, "bolder")
    assert raised.value.code == "quota_exceeded"


async def test_a_failed_task_is_raised_with_its_code_and_report(
    client: Client, engine: ScriptedEngine
) -> None:
    engine.fail(NothingToApply({**a_report(), "outcome": "none"}))
    with pytest.raises(TaskFailed) as raised:
        await client.refine(PICTURE, "add a cat")
    assert raised.value.code == "nothing_to_apply"
    assert raised.value.task.report is not None
    assert raised.value.task.report.outcome == "none"
    with pytest.raises(ValueError, match="no image"):
        await client.image(raised.value.task)


async def test_whoever_cancels_the_call_cancels_the_task(
    client: Client, engine: ScriptedEngine
) -> None:
    engine.hold()
    is_under_way = asyncio.Event()
    calling = asyncio.create_task(
        client.refine(PICTURE, "bolder", on_change=lambda _task: is_under_way.set())
    )
    async with asyncio.timeout(LIMIT_S):
        await is_under_way.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    [task] = [task async for task in client.tasks()]
    assert (task.status, task.error_code) == ("failed", "canceled")


async def test_a_call_cancelled_before_it_knows_its_task_cancels_it_all_the_same(
    client: Client, between: Between, engine: ScriptedEngine
) -> None:
    engine.hold()
    concept = await client.upload(PICTURE)
    calling = asyncio.create_task(client.refine(concept, "bolder"))
    async with asyncio.timeout(LIMIT_S):
        while "POST refine" not in between.asked:
            await client.quota()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert [task.error_code async for task in client.tasks()] == ["canceled"]


async def test_lists_go_on_behind_the_first_page(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.client.client.MOST_PER_PAGE", 1)
    concept = await client.upload(PICTURE)
    done = [await client.refine(concept, "bolder") for _ in range(QUOTA)]
    assert [task async for task in client.tasks("completed")] == done[::-1]
    assert [task async for task in client.tasks("failed")] == []


async def test_a_refusal_has_the_code_of_the_service(service: Service, client: Client) -> None:
    with pytest.raises(Refused) as refused:
        await client.upload(b"<svg/>")
    assert refused.value.code == "image_invalid"
    assert refused.value.request_id
    with pytest.raises(Refused, match="refinement_prompt"):
        await client.refine(PICTURE, " ")
    with pytest.raises(Missing) as missing:
        await client.task("nonsense")
    assert missing.value.code == "task_not_found"
    async with Client(service.base, "x") as stranger:
        with pytest.raises(SignInRequired) as required:
            await stranger.quota()
    assert required.value.code == "token_invalid"


async def test_without_guests_a_token_is_asked_for(between: Between) -> None:
    between.spoilers["guest"] = iter([answered(404)])
    with pytest.raises(SignInRequired, match="token"):
        async with Client(between.url):
            pass


async def test_a_service_that_is_not_there_is_told_after_some_patience() -> None:
    with pytest.raises(Unavailable, match="Cannot reach"):
        async with Client(f"http://127.0.0.1:{unused_port()}", patience_s=0.3):
            pass


async def test_what_is_no_refinement_service_is_told_apart() -> None:
    async def greet(_request: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", greet)
    async with TestServer(app) as server, Client(str(server.make_url("")), "x") as client:
        with pytest.raises(Refused) as raised:
            await client.quota()
    assert raised.value.code == "not_understood"


async def test_the_token_is_shown_to_nobody_but_the_service(client: Client) -> None:
    seen: list[str | None] = []

    async def picture(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=PICTURE)

    app = web.Application()
    app.router.add_get("/logo.png", picture)
    concept = await client.upload(PICTURE)
    async with TestServer(app) as server:
        elsewhere = type(concept)(
            **{
                **{name: getattr(concept, name) for name in concept.__slots__},
                "image_url": str(server.make_url("/logo.png")),
            }
        )
        assert Image.open(io.BytesIO(await client.image(elsewhere))).size == (40, 30)
    assert seen == [None]


def test_events_are_put_together_from_pieces_of_any_size() -> None:
    first = 'retry: 1000\n\n: hello\n\nid: 1\nevent: task\ndata: {"a":\ndata: "ü"}\n\n'
    content = f"{first}id: 2\r\ndata:x\r\n\r\n".encode()
    for size in range(1, len(content)):
        reader = EventReader()
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        found = [event for piece in pieces for event in reader.feed(piece)]
        assert found == [Event("1", '{"a":\n"ü"}'), Event("2", "x")]
