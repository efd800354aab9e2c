"""Every scenario at every provider, through the API and its worker: each task ends as it must, is
charged and paid for as it must be, and nothing of the provider gets out: no host, key, header, body
or prompt, in answers, reports or logs."""

from __future__ import annotations

import asyncio
import io
import logging
import traceback
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from structlog.testing import capture_logs

from service.engines.circuit import Circuit
from service.engines.contract import EngineError
from tests.api.harness import Service, running_service
from tests.engines.hosted.harness import Bench, assert_tells_nothing_of, at_info, outcome_of
from tests.engines.hosted.pictures import opened
from tests.engines.hosted.scenarios import CANCELS, PROVIDERS, endings, engine_of
from tests.engines.hosted.tasks import (
    SECRET,
    Account,
    Case,
    Signpost,
    accounts_of,
    ended_as,
    theme_of,
)
from tests.engines.hosted.vertex import vertex_settings

# what never ends has to be waited for; nothing else comes near its limit
LIMIT_S, LIMIT_OF_NEVER_S = 240.0, 16.0
MOST_ATTEMPTS = 2
AT_ONCE = 18
# one scenario's outages must not be another's
NEVER_OPEN = partial(Circuit, most_failures=10_000)
CASES = {
    (provider, scenario): ending
    for provider in PROVIDERS
    for scenario, ending in endings(provider).items()
}
REPORT_KEYS = {
    "engine",
    "outcome",
    "understood",
    "applied",
    "not_applied",
    "assumptions",
    "corrections",
    "warnings",
    "palette",
}
USAGE: dict[str, dict[str, float]] = {
    "openai": {"input_tokens": 400, "output_tokens": 4160},
    "gemini": {"input_tokens": 300, "output_tokens": 1290},
    "replicate": {"predict_seconds": 4.25, "images": 1},
    "bfl": {"credits": 4},
    "fal": {"billable_units": 1.5},
}


@pytest.fixture
async def service(bench: Bench, database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """The service with the engines of all providers, chosen between by the theme."""
    engines = {}
    for provider in PROVIDERS:
        ways = vertex_settings(bench.stub, tmp_path) if provider == "vertex" else {}
        for scenario, limit_s in (("ok", LIMIT_S), ("never", LIMIT_OF_NEVER_S)):
            engines[theme_of((provider, scenario))] = bench.engines(
                engine_of(provider), task_timeout_seconds=limit_s, circuit=NEVER_OPEN, **ways
            )
    async with running_service(
        database_url,
        tmp_path,
        Signpost(engines),
        bench.sandbox,
        task_timeout_seconds=LIMIT_S,
        # a lease that is lost between order and note is paid for twice, as it must be
        task_lease_seconds=30,
        task_max_attempts=MOST_ATTEMPTS,
        worker_concurrency=AT_ONCE,
    ) as service:
        yield service


async def test_every_task_ends_as_it_must_and_tells_nothing_of_the_provider(
    bench: Bench, service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stub = bench.stub
    with capture_logs() as lines:
        slow = asyncio.create_task(
            accounts_of(service, [case for case in CASES if case[1] == "never"])
        )
        await stub.has_taken(len(PROVIDERS))
        others = await accounts_of(service, [case for case in CASES if case[1] != "never"])
        accounts = others | await slow

    ended = {case: account.ended(stub, case) for case, account in accounts.items()}
    assert ended == {case: ended_as(ending) for case, ending in CASES.items()}
    for account in accounts.values():
        assert_tells_nothing_of(stub, "\n".join(account.answers))
        if account.image is not None:
            assert_is_good(account, account.image)
    for provider in PROVIDERS:
        assert_usage_is_kept(engine_of(provider), accounts[provider, "ok"])
    assert_only_images_are_stored(tmp_path, accounts)
    stopped = {(job.provider, job.scenario) for job in stub.jobs.values() if job.canceled}
    assert stopped == {(provider, "never") for provider in CANCELS}
    assert stub.strangers == []
    log = at_info(lines) + caplog.text
    assert_tells_nothing_of(stub, log)
    assert SECRET not in log
    # in answers it is the person's own
    assert "Make it blue" not in log


def assert_is_good(account: Account, image: bytes) -> None:
    """The image is one, of the original's size and transparency, and it is accounted for."""
    before, after = opened(account.source), opened(image)
    after.load()
    assert after.size == before.size
    assert ("A" in after.mode) == (
        "A" in before.mode and before.getchannel("A").getextrema()[0] == 0
    )
    report = account.task["metadata"]["report"]
    assert report.keys() == REPORT_KEYS
    assert report["outcome"] == "complete"
    assert report["palette"]["before"]
    assert report["palette"]["after"]
    (applied,) = report["applied"]
    assert 0 < applied["measured"]["changed"] <= 1
    assert applied["measured"]["alpha_kept"] > 0.9


def assert_usage_is_kept(engine: str, account: Account) -> None:
    """With the task, in the provider's own units."""
    (entry,) = account.note["usage"]
    assert entry == {"engine": engine, "job": entry["job"], **USAGE[engine]}


def assert_only_images_are_stored(folder: Path, accounts: dict[Case, Account]) -> None:
    """One for each upload and one for each task that was completed."""
    files = [file for file in folder.glob("images/**/*") if file.is_file()]
    for file in files:
        with Image.open(io.BytesIO(file.read_bytes())) as image:
            image.load()
    completed = [account for account in accounts.values() if account.image]
    assert len(files) == len(accounts) + len(completed)


@pytest.mark.parametrize("scenario", ["denied", "order_cut", "moderated_output"])
async def test_an_engine_s_error_tells_nothing_of_the_provider_even_in_a_traceback(
    bench: Bench, scenario: str
) -> None:
    error = await outcome_of(bench.engines("fal"), scenario)
    assert isinstance(error, EngineError)
    assert_tells_nothing_of(bench.stub, "".join(traceback.format_exception(error)))
