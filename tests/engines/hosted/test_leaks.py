"""A task with a hosted engine ends like any other, and no answer or log tells of the provider."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.api.harness import Service, running_service
from tests.engines.hosted.harness import Bench, assert_tells_nothing_of, at_info
from tests.engines.hosted.pictures import a_logo
from tests.engines.hosted.scenarios import told


@pytest.fixture
async def service(
    bench: Bench, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Service]:
    """The service with a hosted engine; one try for each task."""
    engines = bench.engines(request.param, task_timeout_seconds=20)
    async with running_service(
        database_url, tmp_path, engines, bench.sandbox, task_max_attempts=1
    ) as service:
        yield service


async def whole_of(service: Service, scenario: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The ended task, the quota, and every answer that tells of them as text."""
    user = await service.guest()
    concept = await user.upload(a_logo())
    response = await user.refine(
        concept["image_url"],
        refinement_prompt=told(scenario),
        headers={"Prefer": "wait=30"},
    )
    answers = [await response.text()]
    task = await response.json()
    for path in ("/api/tasks", "/api/concepts", "/api/quota", "/readyz", "/metrics"):
        answer = await user.request("GET", path)
        answers.append(f"{answer.headers} {await answer.text()}")
    stream = await user.request("GET", f"/api/tasks/{task['task_id']}/events")
    answers.append(await stream.text())
    quota = await user.get("/api/quota")
    return task, quota["refinements"], "\n".join(answers)


@pytest.mark.parametrize("service", ["openai", "bfl"], indirect=True)
@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        ("ok", None),
        ("moderated_input", "content_rejected"),
        ("moderated_output", "content_rejected"),
        ("not_an_image", "engine_failed"),
        ("unchanged", "nothing_to_apply"),
        ("no_credit", "engine_unavailable"),
        ("always_busy", "engine_unavailable"),
        ("order_cut", "engine_unavailable"),
    ],
)
async def test_a_task_ends_with_its_code_and_the_charge_back_and_tells_no_more(
    bench: Bench,
    service: Service,
    caplog: pytest.LogCaptureFixture,
    scenario: str,
    code: str | None,
) -> None:
    caplog.set_level(logging.INFO)
    with capture_logs() as lines:
        task, quota, answers = await whole_of(service, scenario)
    assert (task["status"], task["error_code"]) == ("failed" if code else "completed", code)
    assert quota["used"] == (0 if code else 1)
    log = at_info(lines) + caplog.text
    assert_tells_nothing_of(bench.stub, answers + log)
    # in answers it is the person's own
    assert told(scenario) not in log
