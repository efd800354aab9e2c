"""What the first version of this product got wrong; each fault is here by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer, unused_port

from queueing.contract import Message
from queueing.memory import MemoryQueue
from service.announcing import Announcer
from service.app import make_app
from service.engines.contract import Attempt, EngineFailed, Instruction, Refined
from service.resources import open_resources
from service.settings import Settings
from service.stopping import Stopping
from tests.api.harness import PROMPT, Service, User
from tests.scripted import ScriptedEngine, a_report


class DeafQueue(MemoryQueue):
    """A broker that is away: it takes nothing."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Fail as an unreachable broker does."""
        raise ConnectionRefusedError


async def test_conflict_check_by_two_selects__five_simultaneous_requests_make_one_task(
    user: User, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    concept = await user.upload()
    answers = await asyncio.gather(*(user.refine(concept["image_url"]) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [202, 409, 409, 409, 409]
    assert len(await user.get("/api/tasks")) == 1
    gate.set()


async def test_quota_consumed_before_routing_and_validation__no_refusal_costs_anything(
    user: User,
) -> None:
    concept = await user.upload()
    refusals = [
        await user.refine(concept["image_url"], refinement_prompt=""),
        await user.request("PUT", "/api/concepts/refine"),
        await user.request("POST", "/api/concepts/refine/", json={}),
        await user.refine("https://example.com/a.png"),
    ]
    assert [refusal.status for refusal in refusals] == [422, 405, 404, 404]
    assert (await user.get("/api/quota"))["refinements"]["used"] == 0


async def test_insert_then_publish__a_request_that_no_queue_heard_of_is_run_all_the_same(
    database_url: str, tmp_path: Path
) -> None:
    """A crash between the two locked users out by 409 for 30 to 90 minutes."""
    port = unused_port()
    settings = Settings(port=port, data_dir=tmp_path, database_url=database_url)
    async with open_resources(settings) as resources:
        deaf = replace(
            resources,
            announcer=Announcer(DeafQueue()),
            refinery=replace(resources.refinery, engine=ScriptedEngine()),
        )
        app = make_app(deaf, Stopping())
        async with (
            TestServer(app, host="127.0.0.1", port=port) as server,
            ClientSession() as session,
        ):
            user = await Service(deaf, str(server.make_url("")).rstrip("/"), session, app).guest()
            task = await user.begin()
            assert (await user.ended(task["task_id"]))["status"] == "completed"


async def test_crash_after_the_claim__the_task_is_tried_again(
    service: Service, user: User, engine: ScriptedEngine
) -> None:
    """As after a crash: the row says that a worker has it, and no worker has."""
    gate = engine.hold()
    task = await user.begin()
    async with asyncio.timeout(60):
        while not engine.calls:
            await user.get("/api/quota")
    await service.resources.database.fetch(
        "UPDATE task SET lease_until = now() - interval '1 minute', attempt = attempt + 1"
    )
    gate.set()
    done = await user.ended(task["task_id"])
    assert (done["status"], done["attempt"]) == ("completed", 3)
    assert len(await user.get("/api/concepts")) == 2


async def test_finish_without_a_condition__a_canceled_task_stays_canceled(
    user: User, engine: ScriptedEngine
) -> None:
    """A task failed by clean-up was overwritten to completed; its image was stored all the same."""

    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def finish_anyway(source: bytes, _said: Instruction, _attempt: Attempt) -> Refined:
        await user.request("POST", f"/api/tasks/{await begun}/cancel")
        return Refined(source, "image/png", 8, 8, a_report())

    engine.behaviour = finish_anyway
    task = await user.begin()
    begun.set_result(task["task_id"])
    ended = await user.ended(task["task_id"])
    assert ended["error_code"] == "canceled"
    engine.fail()
    following = await user.ended((await user.begin())["task_id"])
    assert following["status"] == "completed"
    assert (await user.get(f"/api/tasks/{task['task_id']}")) == ended


async def test_providers_answer_not_decoded__what_is_no_image_is_never_stored(
    user: User, engine: ScriptedEngine
) -> None:
    """A JSON error body was stored as a PNG and the task completed."""

    async def answer_json(_source: bytes, _said: Instruction, _attempt: Attempt) -> Refined:
        return Refined(b'{"error": "quota"}', "image/png", 8, 8, a_report())

    engine.behaviour = answer_json
    failed = await user.ended((await user.begin())["task_id"])
    assert (failed["status"], failed["error_code"]) == ("failed", "engine_failed")
    assert len(await user.get("/api/concepts")) == 1


async def test_original_image_url__no_foreign_or_inner_address_is_accepted(
    service: Service, user: User
) -> None:
    foreign = (await (await service.guest()).upload())["image_url"]
    for url in (foreign, "http://169.254.169.254/computeMetadata/v1/", f"{service.base}/metrics"):
        assert (await user.refine(url)).status == 404


async def test_errors__no_text_of_a_provider_reaches_the_person(
    user: User, engine: ScriptedEngine
) -> None:
    engine.fail(EngineFailed("POST https://api.provider.test/v1 key sk-123: " + PROMPT))
    failed = await user.ended((await user.begin())["task_id"])
    told = f"{failed['error_message']} {failed['message']}"
    assert all(word not in told for word in ("provider", "sk-", "https", PROMPT))


async def test_signed_urls_of_31_days__none_is_kept_in_a_row_or_shown_after_it_expired(
    service: Service, user: User
) -> None:
    concept = await user.upload()
    old = concept["image_url"].replace("exp=", "exp=1&was=")
    task = await (await user.refine(old)).json()
    assert task["metadata"]["original_image_url"] == concept["image_url"], "signed anew"
    await user.ended(task["task_id"])
    row = await service.resources.database.fetchrow("SELECT t::text AS written FROM task AS t")
    assert row is not None
    assert "sig=" not in row["written"]


async def test_missing_concept__is_404_and_not_503(user: User) -> None:
    concept = await user.upload()
    await user.request("DELETE", f"/api/concepts/{concept['concept_id']}")
    assert (await user.request("GET", f"/api/concepts/{concept['concept_id']}")).status == 404
    assert (await user.refine(concept["image_url"])).status == 404


async def test_lineage__is_kept_and_descriptions_do_not_grow_at_each_step(user: User) -> None:
    concept = await user.upload(logo_description="A cup", theme_description="Warm browns")
    url = concept["image_url"]
    for prompt in ("first", "second", "third"):
        response = await user.refine(url, refinement_prompt=prompt, headers={"Prefer": "wait=30"})
        url = (await response.json())["image_url"]
    tree = await user.get(f"/api/concepts/{concept['concept_id']}/lineage")
    assert [node["refinement_prompt"] for node in tree] == [None, "first", "second", "third"]
    assert {node["theme_description"] for node in tree} == {"Warm browns"}
    assert {node["logo_description"] for node in tree} == {"A cup"}


async def test_completed_at_and_image_url__are_filled_when_promised(user: User) -> None:
    done = await user.ended((await user.begin())["task_id"])
    assert done["completed_at"] >= done["created_at"]
    async with user.session.get(done["image_url"]) as image:
        assert image.status == 200


async def test_health_checks_checked_nothing__readiness_sees_a_store_that_is_gone(
    service: Service, tmp_path: Path
) -> None:
    rmtree(tmp_path / "images")
    async with service.session.get(f"{service.base}/readyz") as response:
        assert response.status == 503
        answer = await response.json()
    assert answer["status"] == "unavailable"
    assert answer["checks"]["database"] == "ok"
    assert answer["checks"]["storage"] != "ok"
