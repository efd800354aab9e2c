"""Have the service refine at every provider in every scenario, each for a user of its own, and look
at what has become of the tasks: in the database and in every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.engines.contract import Attempt, Engine, Instruction, Refined
from tests.api.harness import Service
from tests.engines.hosted.pictures import a_logo
from tests.engines.hosted.scenarios import Ending, told
from tests.engines.hosted.stub import Stub

SECRET = "a cup that nobody else is to know of"
WITHIN_S = 240.0

type Case = tuple[str, str]


def theme_of(case: Case) -> str:
    """The theme that leads to the right engine: one that never ends needs one in haste."""
    provider, scenario = case
    return f"{provider} in haste" if scenario == "never" else provider


@dataclass(frozen=True)
class Signpost:
    """Gives each refinement to the engine that its theme names, so that one service has all."""

    engines: Mapping[str, Engine]
    name: str = "signpost/1"

    async def refine(self, source: bytes, instruction: Instruction, attempt: Attempt) -> Refined:
        """What that engine makes of it."""
        engine = self.engines[instruction.theme_description or ""]
        return await engine.refine(source, instruction, attempt)

    async def close(self) -> None:
        """The engines are their owner's."""


@dataclass(frozen=True)
class Ended:
    """What has become of a task, for the person and at the provider."""

    status: str
    code: str | None
    attempts: int
    charged: int
    asked: int
    paid: int


def ended_as(ending: Ending) -> Ended:
    """What a task of that ending comes to."""
    is_done = ending.code == "image"
    return Ended(
        status="completed" if is_done else "failed",
        code=None if is_done else ending.code,
        attempts=ending.attempts,
        charged=int(is_done),
        asked=ending.asked,
        paid=ending.paid,
    )


@dataclass
class Account:
    """A task that has ended, all that its user can see of it, and its image before and after."""

    task: dict[str, Any]
    used: int
    note: dict[str, Any]
    source: bytes
    image: bytes | None
    answers: list[str] = field(repr=False)

    def ended(self, stub: Stub, case: Case) -> Ended:
        """The account in short."""
        jobs = [job for job in stub.jobs.values() if (job.provider, job.scenario) == case]
        return Ended(
            self.task["status"],
            self.task["error_code"],
            self.task["attempt"],
            self.used,
            stub.orders[case],
            len(jobs),
        )


async def account_of(service: Service, case: Case) -> Account:
    """Play the case for a new user, to its end."""
    _, scenario = case
    user = await service.guest()
    source = a_logo(transparent=scenario == "opaque")
    concept = await user.upload(source)
    response = await user.refine(
        concept["image_url"],
        refinement_prompt=told(scenario),
        logo_description=SECRET,
        theme_description=theme_of(case),
    )
    assert response.status == 202, await response.text()
    task_id = (await response.json())["task_id"]
    async with asyncio.timeout(WITHIN_S):
        # the stream ends with the task
        events = await user.request("GET", f"/api/tasks/{task_id}/events")
    answers = [await response.text(), await events.text()]
    for path in ("/api/tasks", "/api/concepts", "/api/quota"):
        answer = await user.request("GET", path)
        answers.append(f"{answer.headers} {await answer.text()}")
    task = await user.get(f"/api/tasks/{task_id}")
    quota = await user.get("/api/quota")
    image = await user.request("GET", task["image_url"]) if task["image_url"] else None
    return Account(
        task=task,
        used=quota["refinements"]["used"],
        note=await _note_of(service, task_id),
        source=source,
        image=await image.read() if image else None,
        answers=answers,
    )


async def accounts_of(service: Service, cases: list[Case]) -> dict[Case, Account]:
    """Play all of them at once."""
    accounts = await asyncio.gather(*(account_of(service, case) for case in cases))
    return dict(zip(cases, accounts, strict=True))


async def _note_of(service: Service, task_id: str) -> dict[str, Any]:
    """What is kept with the task of its orders."""
    row = await service.resources.database.fetchrow(
        "SELECT engine_note FROM task WHERE id = $1", task_id
    )
    assert row is not None
    return row["engine_note"] or {}
