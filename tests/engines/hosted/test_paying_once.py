"""What has been ordered at a provider is asked for again, not ordered again; and it is stopped
when nobody wants it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from service.engines.contract import Attempt, EngineFailed, Refined
from tests.engines.hosted.harness import Bench, Tried, outcome_of
from tests.engines.hosted.scenarios import CANCELS, JOBS


class Lost(Exception):
    """The task is somebody else's now."""


@pytest.mark.parametrize("provider", JOBS)
async def test_the_job_is_kept_before_it_is_asked_for(bench: Bench, provider: str) -> None:
    asked_when_kept = []
    tried = Tried()

    async def keep(note: Mapping[str, Any]) -> None:
        asked_when_kept.append(bench.stub.polled[provider].is_set())
        tried.notes.append(dict(note))

    outcome = await outcome_of(bench.engines(provider), "ok", Attempt(keep=keep))
    assert isinstance(outcome, Refined)
    assert asked_when_kept[0] is False
    assert tried.notes[0]["engine"] == provider
    assert tried.notes[0]["job"]["id"] in bench.stub.jobs


@pytest.mark.parametrize("provider", JOBS)
async def test_a_job_that_ended_without_an_image_is_forgotten(bench: Bench, provider: str) -> None:
    tried = Tried()
    await outcome_of(bench.engines(provider), "job_failed", tried.attempt())
    assert tried.notes[-1]["job"] is None


@pytest.mark.parametrize("provider", JOBS)
async def test_a_kept_job_with_an_address_elsewhere_gets_no_key(
    bench: Bench, provider: str
) -> None:
    planted = {"id": "1", "poll_url": f"{bench.stub.other}/x", "cancel_url": bench.stub.other}
    attempt = Tried().attempt(resume={"engine": provider, "job": planted, "usage": []})
    assert isinstance(await outcome_of(bench.engines(provider), "ok", attempt), EngineFailed)
    assert bench.stub.strangers == []


@pytest.mark.parametrize(
    "resume", [{}, {"engine": "bfl"}, {"engine": "bfl", "job": 5, "usage": 5}, {"job": {"id": 1}}]
)
async def test_a_note_that_says_nothing_of_a_job_begins_anew(
    bench: Bench, resume: dict[str, Any]
) -> None:
    outcome = await outcome_of(bench.engines("bfl"), "ok", Tried().attempt(resume=resume))
    assert isinstance(outcome, Refined)


@pytest.mark.parametrize("wanted", [True, False], ids=["a worker that stops", "a canceled task"])
@pytest.mark.parametrize("provider", JOBS)
async def test_a_cancelled_call_stops_the_job_only_when_nobody_will_resume_it(
    bench: Bench, provider: str, wanted: bool
) -> None:
    tried = Tried(wanted=wanted)
    call = asyncio.create_task(outcome_of(bench.engines(provider), "never", tried.attempt()))
    await bench.stub.is_polled(provider)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    (job,) = bench.stub.jobs.values()
    assert job.canceled is (not wanted and provider in CANCELS)


@pytest.mark.parametrize("provider", CANCELS)
async def test_a_job_whose_id_cannot_be_kept_is_stopped(bench: Bench, provider: str) -> None:
    async def keep(_note: Mapping[str, Any]) -> None:
        raise Lost

    with pytest.raises(Lost):
        await outcome_of(bench.engines(provider), "ok", Attempt(keep=keep))
    (job,) = bench.stub.jobs.values()
    assert job.canceled


@pytest.mark.parametrize("provider", CANCELS)
async def test_a_call_cancelled_while_the_id_is_being_kept_still_keeps_it(
    bench: Bench, provider: str
) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()
    kept: list[Mapping[str, Any]] = []

    async def keep(note: Mapping[str, Any]) -> None:
        began.set()
        await may_end.wait()
        kept.append(note)

    async def wanted() -> bool:
        return True

    attempt = Attempt(keep=keep, wanted=wanted)
    call = asyncio.create_task(outcome_of(bench.engines(provider), "ok", attempt))
    async with asyncio.timeout(60):
        await began.wait()
    call.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    (job,) = bench.stub.jobs.values()
    assert [note["job"]["id"] for note in kept] == [job.id]
    assert not job.canceled


async def test_usage_of_a_resumed_job_is_not_counted_twice(bench: Bench) -> None:
    tried = Tried()
    engines = bench.engines("bfl")
    await outcome_of(engines, "ok", tried.attempt())
    note = tried.notes[-1]
    await outcome_of(engines, "ok", tried.attempt(resume=note))
    assert tried.notes[-1]["usage"] == note["usage"]
    assert len(note["usage"]) == 1
