"""Every scenario at every provider ends as it must and is paid for once at most; nothing of the
provider gets out: no host, key, header, body or prompt, in errors, reports or logs."""

from __future__ import annotations

import json
import logging
import traceback

import pytest
from structlog.testing import capture_logs

from service.engines.contract import EngineError, Refined
from tests.engines.hosted.harness import Bench, assert_tells_nothing_of, at_info, outcome_of
from tests.engines.hosted.pictures import a_logo, opened
from tests.engines.hosted.scenarios import CANCELS, CASES, Ending

SECRET = "a cup that nobody else is to know of"
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


@pytest.mark.parametrize(("provider", "scenario", "ending"), CASES)
async def test_each_scenario_ends_as_it_must_and_tells_nothing_of_the_provider(
    bench: Bench,
    caplog: pytest.LogCaptureFixture,
    provider: str,
    scenario: str,
    ending: Ending,
) -> None:
    caplog.set_level(logging.INFO)
    # a job that never ends has to be waited for; nothing else comes near the limit
    limit_s = 4.0 if scenario == "never" else 60.0
    engines = bench.engines(provider, task_timeout_seconds=limit_s)
    source = a_logo(transparent=scenario == "opaque")

    with capture_logs() as lines:
        outcome = await outcome_of(engines, scenario, source=source, logo_description=SECRET)

    log = at_info(lines) + caplog.text
    assert_tells_nothing_of(bench.stub, log)
    assert SECRET not in log
    assert "<" not in log, "the prompt has been logged"
    assert bench.stub.asked[provider, "order"] == ending.asked
    assert bench.stub.paid[provider] == ending.paid
    assert bench.stub.strangers == []
    if ending.code == "image":
        assert isinstance(outcome, Refined), repr(outcome)
        assert_tells_nothing_of(bench.stub, json.dumps(outcome.report))
        assert_is_a_good_image(outcome, source)
    else:
        assert isinstance(outcome, EngineError)
        assert (outcome.code, outcome.retryable) == (ending.code, ending.retryable)
        assert_tells_nothing_of(bench.stub, "".join(traceback.format_exception(outcome)))
    if scenario == "never" and provider in CANCELS:
        assert all(job.canceled for job in bench.stub.jobs.values())


def assert_is_a_good_image(refined: Refined, source: bytes) -> None:
    before, after = opened(source), opened(refined.image)
    after.load()
    assert after.size == before.size == (refined.width, refined.height)
    assert refined.content_type == "image/png"
    assert ("A" in after.mode) == (
        "A" in before.mode and before.getchannel("A").getextrema()[0] == 0
    )
    report = refined.report
    assert report.keys() == REPORT_KEYS
    assert report["outcome"] == "complete"
    assert report["palette"]["before"]
    assert report["palette"]["after"]
    (applied,) = report["applied"]
    assert 0 < applied["measured"]["changed"] <= 1
    assert applied["measured"]["alpha_kept"] > 0.9
