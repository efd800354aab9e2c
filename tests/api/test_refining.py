"""A request to refine: every answer in the contract's order, and the task that follows."""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from service.engines.contract import ContentRejected, EngineFailed, NothingToApply, SourceInvalid
from tests.api.harness import PROMPT, Service, User
from tests.scripted import Flaky, ScriptedEngine, a_report


def is_time(text: str) -> bool:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").utcoffset() is not None


async def test_an_accepted_request_is_answered_with_the_seeds_task(user: User) -> None:
    concept = await user.upload()
    response = await user.refine(
        concept["image_url"], logo_description="A cup", theme_description=""
    )
    task = await response.json()
    assert response.status == 202
    assert response.headers["Location"] == f"/api/tasks/{task['task_id']}"
    assert int(response.headers["Retry-After"]) > 0
    assert UUID(task["task_id"])
    assert is_time(task.pop("created_at"))
    assert task == {
        "task_id": task["task_id"],
        "status": "pending",
        "message": "Concept refinement task created and queued for processing",
        "type": "concept_refinement",
        "updated_at": None,
        "completed_at": None,
        "metadata": {
            "original_image_url": concept["image_url"],
            "refinement_prompt": PROMPT,
            "logo_description": "A cup",
            "theme_description": None,
            "preserve_aspects": [],
            "report": None,
        },
        "result_id": None,
        "image_url": None,
        "error_message": None,
        "error_code": None,
        "progress": 0.0,
        "attempt": 0,
        "concept_id": concept["concept_id"],
    }


async def test_a_completed_task_leads_to_the_new_concept_and_its_image(user: User) -> None:
    task = await user.begin()
    done = await user.ended(task["task_id"])
    assert (done["status"], done["progress"], done["error_code"]) == ("completed", 1, None)
    assert is_time(done["completed_at"])
    assert done["metadata"]["report"] == a_report()
    concept = await user.get(f"/api/concepts/{done['result_id']}")
    assert concept["parent_id"] == task["concept_id"]
    assert concept["task_id"] == task["task_id"]
    assert concept["report"] == a_report()
    async with user.session.get(done["image_url"]) as image:
        assert image.status == 200
        assert image.content_type == "image/png"
        assert image.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_engine_gets_what_the_person_said(user: User, engine: ScriptedEngine) -> None:
    task = await user.begin(
        refinement_prompt="  bolder  ",
        logo_description="A cup",
        theme_description="Warm",
        preserve_aspects=["colors", "layout"],
    )
    await user.ended(task["task_id"])
    [said] = engine.calls
    assert (said.prompt, said.logo_description, said.theme_description) == (
        "bolder",
        "A cup",
        "Warm",
    )
    assert said.preserve_aspects == ("colors", "layout")


async def test_a_second_request_gets_409_with_the_running_task(
    user: User, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    task = await user.begin()
    concept = await user.upload()
    response = await user.refine(concept["image_url"])
    conflict = await response.json()
    assert response.status == 409
    assert conflict["task_id"] == task["task_id"]
    assert conflict["message"] == "A concept refinement task is already in progress"
    assert response.headers["Location"] == f"/api/tasks/{task['task_id']}"
    assert response.headers["X-RateLimit-Remaining"] == "9"
    gate.set()
    assert (await user.ended(task["task_id"]))["status"] == "completed"


async def test_of_25_simultaneous_requests_one_is_accepted_and_24_get_its_task(
    service: Service, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    users = [await service.guest() for _ in range(4)]
    for user in users:
        concept = await user.upload()
        answers = await asyncio.gather(*(user.refine(concept["image_url"]) for _ in range(25)))
        assert sorted(a.status for a in answers) == [202] + [409] * 24
        assert len({(await a.json())["task_id"] for a in answers}) == 1
        quota = await user.get("/api/quota")
        assert quota["refinements"]["used"] == 1
    gate.set()


async def test_the_rate_limit_headers_say_what_is_left(user: User) -> None:
    concept = await user.upload()
    response = await user.refine(concept["image_url"])
    headers = response.headers
    assert headers["RateLimit-Policy"].startswith('"refine";q=10;w=')
    assert headers["RateLimit"].startswith('"refine";r=9;t=')
    assert headers["X-RateLimit-Limit"] == "10"
    assert headers["X-RateLimit-Remaining"] == "9"
    assert headers["X-RateLimit-Period"] == "month"
    quota = (await user.get("/api/quota"))["refinements"]
    resets_at = datetime.fromisoformat(quota["resets_at"])
    assert int(headers["X-RateLimit-Reset"]) == resets_at.timestamp()
    assert (resets_at.day, resets_at.hour, resets_at.minute) == (1, 0, 0)


async def test_a_used_up_month_is_429_and_says_when_it_resets(user: User) -> None:
    concept = await user.upload()
    for _ in range(10):
        response = await user.refine(concept["image_url"], headers={"Prefer": "wait=30"})
        assert response.status == 200
    response = await user.refine(concept["image_url"])
    problem = await response.json()
    assert response.status == 429
    assert response.content_type == "application/problem+json"
    assert (problem["code"], problem["limit"], problem["used"]) == ("quota_exceeded", 10, 10)
    assert problem["period"] == "month"
    assert int(response.headers["Retry-After"]) == problem["reset_after_seconds"]
    assert response.headers["X-RateLimit-Remaining"] == "0"


async def test_an_unknown_image_is_404_and_costs_nothing(service: Service, user: User) -> None:
    stranger = await service.guest()
    foreign = (await stranger.upload())["image_url"]
    own = (await user.upload())["image_url"]
    urls = [
        foreign,
        "https://example.com/logo.png",
        "http://169.254.169.254/latest/meta-data/",
        f"{service.base}/images/{user.user_id}/{uuid4()}.png",
        own.replace("127.0.0.1", "127.0.0.2"),
        own.replace("http://", "http://someone@"),
    ]
    for url in urls:
        response = await user.refine(url)
        assert response.status == 404, url
        assert (await response.json())["code"] == "concept_not_found"
    assert (await user.get("/api/quota"))["refinements"]["used"] == 0


async def test_an_address_with_an_expired_or_no_signature_still_names_its_concept(
    user: User,
) -> None:
    concept = await user.upload()
    bare = concept["image_url"].partition("?")[0]
    for url in (bare, f"{bare}?exp=1&sig=stale", f"{bare}#top"):
        response = await user.refine(url, headers={"Prefer": "wait=30"})
        assert response.status == 200, url
        assert (await response.json())["concept_id"] == concept["concept_id"]


async def test_a_failed_task_says_why_in_safe_words_and_gives_the_charge_back(
    user: User, engine: ScriptedEngine
) -> None:
    for error in (SourceInvalid("secret"), ContentRejected("secret"), EngineFailed("secret")):
        engine.fail(error)
        task = await user.begin()
        failed = await user.ended(task["task_id"])
        assert (failed["status"], failed["error_code"]) == ("failed", error.code)
        assert failed["error_message"] == type(error).__doc__
        assert "secret" not in str(failed)
        assert is_time(failed["completed_at"])
    assert (await user.get("/api/quota"))["refinements"]["used"] == 0


async def test_when_nothing_could_be_applied_the_task_fails_with_a_report_and_no_concept(
    user: User, engine: ScriptedEngine
) -> None:
    report = a_report()
    report["outcome"] = "none"
    engine.fail(NothingToApply(report))
    task = await user.begin()
    failed = await user.ended(task["task_id"])
    assert failed["error_code"] == "nothing_to_apply"
    assert failed["metadata"]["report"]["outcome"] == "none"
    assert failed["result_id"] is None
    assert len(await user.get("/api/concepts")) == 1
    assert (await user.get("/api/quota"))["refinements"]["used"] == 0


async def test_a_passing_failure_is_tried_again(user: User, engine: ScriptedEngine) -> None:
    engine.fail(Flaky(), RuntimeError("of an engine"))
    task = await user.begin()
    done = await user.ended(task["task_id"])
    assert (done["status"], done["attempt"]) == ("completed", 3)
    assert (await user.get("/api/quota"))["refinements"]["used"] == 1


async def test_a_failure_that_does_not_pass_ends_after_three_tries(
    user: User, engine: ScriptedEngine
) -> None:
    engine.fail(*(Flaky() for _ in range(3)))
    failed = await user.ended((await user.begin())["task_id"])
    assert (failed["error_code"], failed["attempt"]) == ("engine_unavailable", 3)
    assert (await user.get("/api/quota"))["refinements"]["used"] == 0


async def test_a_fault_of_ours_is_told_without_the_inside(
    user: User, engine: ScriptedEngine
) -> None:
    engine.fail(*(RuntimeError("/etc/passwd") for _ in range(3)))
    failed = await user.ended((await user.begin())["task_id"])
    assert failed["error_code"] == "internal_error"
    assert "passwd" not in str(failed)
    assert "Runtime" not in str(failed)


async def test_the_same_key_and_body_get_the_same_task_without_a_second_charge(
    user: User, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    concept = await user.upload()
    key = {"Idempotency-Key": "once"}
    answers = await asyncio.gather(
        *(user.refine(concept["image_url"], headers=key) for _ in range(100))
    )
    told = [(await a.json(), a.headers["Location"], a.headers["RateLimit"]) for a in answers]
    assert {a.status for a in answers} == {202}
    assert {(task["task_id"], task["created_at"], where) for task, where, _ in told} == {
        (told[0][0]["task_id"], told[0][0]["created_at"], told[0][1])
    }
    assert all(left.startswith('"refine";r=9;') for _, _, left in told)
    other = await user.refine(concept["image_url"], headers=key, refinement_prompt="other")
    assert other.status == 422
    assert (await other.json())["code"] == "idempotency_key_reused"
    gate.set()
    task_id = (await answers[0].json())["task_id"]
    await user.ended(task_id)
    late = await user.refine(concept["image_url"], headers=key)
    assert late.status == 202
    assert (await late.json())["status"] == "completed"
    waited = await user.refine(concept["image_url"], headers=key | {"Prefer": "wait=5"})
    assert waited.status == 200
    assert (await user.get("/api/quota"))["refinements"]["used"] == 1


async def test_prefer_wait_turns_the_answer_into_the_finished_task(user: User) -> None:
    concept = await user.upload()
    response = await user.refine(concept["image_url"], headers={"Prefer": "respond-async, wait=30"})
    assert response.status == 200
    assert response.headers["Preference-Applied"] == "wait=30"
    assert (await response.json())["status"] == "completed"


async def test_prefer_wait_gives_up_waiting_in_time(user: User, engine: ScriptedEngine) -> None:
    gate = engine.hold()
    concept = await user.upload()
    response = await user.refine(concept["image_url"], headers={"Prefer": "wait=1"})
    assert response.status == 202
    gate.set()


@pytest.mark.parametrize("name", ["original_image_url", "refinement_prompt"])
async def test_a_missing_field_is_named(user: User, name: str) -> None:
    body = {"original_image_url": "https://example.com/a.png", "refinement_prompt": "x"}
    del body[name]
    response = await user.request("POST", "/api/concepts/refine", json=body)
    problem = await response.json()
    assert response.status == 422
    assert problem["code"] == "validation_error"
    assert [error["loc"] for error in problem["errors"]] == [[name]]
