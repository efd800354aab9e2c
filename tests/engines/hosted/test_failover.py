"""Engines are tried in order; the one that did the work is named, and its job is its own."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from service.engines.circuit import Circuit
from service.engines.contract import (
    Attempt,
    ContentRejected,
    Engine,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineTimedOut,
    EngineUnavailable,
    Instruction,
    NothingToApply,
    Refined,
)
from service.engines.failover import Failover, Member
from service.engines.metrics import EngineMetrics
from tests.engines.hosted.harness import Bench, Tried, outcome_of
from tests.engines.hosted.pictures import a_logo
from tests.scripted import ScriptedEngine, a_report

WISH = Instruction("Make it blue")


def scripted(*errors: Exception) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.fail(*errors)
    return engine


def chain(*engines: Engine, registry: CollectorRegistry | None = None) -> Failover:
    members = [Member(f"engine{n}", engine, Circuit()) for n, engine in enumerate(engines)]
    return Failover(members, EngineMetrics(registry or CollectorRegistry()))


async def test_the_next_engine_does_what_the_first_cannot(bench: Bench) -> None:
    outcome = await outcome_of(bench.engines("gemini,replicate"), "ok")
    assert isinstance(outcome, Refined)
    assert outcome.report["engine"] == "gemini/gemini-2.5-flash-image"

    bench.stub.closed.add("gemini")
    outcome = await outcome_of(bench.engines("gemini,replicate,embedded"), "ok")
    assert isinstance(outcome, Refined)
    assert outcome.report["engine"] == "replicate/black-forest-labs/flux-kontext-pro"


async def test_the_embedded_engine_can_be_the_last_resort(bench: Bench) -> None:
    bench.stub.closed.update({"gemini", "openai"})
    engines = bench.engines("gemini,openai,embedded")
    refined = await engines.refine(a_logo(), Instruction("Make the background white"), Attempt())
    assert refined.report["engine"].startswith("embedded/")


async def test_a_refusal_of_the_content_is_not_taken_elsewhere(bench: Bench) -> None:
    outcome = await outcome_of(bench.engines("openai,bfl"), "moderated_input")
    assert isinstance(outcome, ContentRejected)
    assert bench.stub.orders.keys() == {("openai", "moderated_input")}


async def test_the_engine_that_holds_a_paid_job_is_asked_first(bench: Bench) -> None:
    tried = Tried()
    engines = bench.engines("openai,bfl")
    bench.stub.closed.add("openai")
    await outcome_of(engines, "poll_down", tried.attempt())
    (job,) = bench.stub.jobs.values()
    bench.stub.closed.clear()
    job.scenario = "ok"

    outcome = await outcome_of(engines, "ok", tried.attempt(resume=tried.notes[-1]))
    assert isinstance(outcome, Refined)
    assert outcome.report["engine"] == "bfl/flux-kontext-pro"
    assert bench.stub.paid == {"bfl": 1}


async def test_what_each_engine_has_counted_stays_in_the_note(bench: Bench) -> None:
    tried = Tried()
    await outcome_of(bench.engines("gemini,openai"), "no_image", tried.attempt())
    assert [entry["engine"] for entry in tried.notes[-1]["usage"]] == ["gemini", "openai"]


UNAVAILABLE, SOONER = EngineUnavailable(60), EngineUnavailable(5)
NOTHING = NothingToApply(a_report())
FAILED, TIMED_OUT = EngineFailed("x"), EngineTimedOut("x")
REFUSED = EngineRefused("x")


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([UNAVAILABLE, NOTHING], UNAVAILABLE),
        ([UNAVAILABLE, SOONER], SOONER),
        ([FAILED, NOTHING], NOTHING),
        ([REFUSED, TIMED_OUT], TIMED_OUT),
        ([REFUSED, FAILED], FAILED),
        ([REFUSED, REFUSED], REFUSED),
    ],
)
async def test_when_none_can_the_most_hopeful_error_is_raised(
    errors: list[EngineError], expected: EngineError
) -> None:
    with pytest.raises(EngineError) as raised:
        await chain(*(scripted(error) for error in errors)).refine(b"", WISH, Attempt())
    assert raised.value is expected


async def test_an_engine_out_of_order_is_left_alone_and_seen_to_be() -> None:
    registry = CollectorRegistry()
    broken, well = scripted(*(EngineUnavailable() for _ in range(9))), scripted()
    engines = chain(broken, well, registry=registry)
    for _ in range(5):
        await engines.refine(b"", WISH, Attempt())
    assert len(broken.calls) == 3
    assert len(well.calls) == 5
    assert engines.states() == {"engine0": "open", "engine1": "closed"}

    def sample(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert sample("engine_circuit_state", engine="engine0") == 2
    assert sample("engine_circuit_state", engine="engine1") == 0
    refused = {"engine": "engine0", "outcome": "engine_unavailable"}
    assert sample("engine_refinements_total", **refused) == 3
    assert sample("engine_refinements_total", engine="engine1", outcome="image") == 5
    assert sample("engine_seconds_count", engine="engine0") == 3


async def test_usage_is_counted_by_engine_and_unit(bench: Bench) -> None:
    registry = CollectorRegistry()
    engines = bench.engines("openai", registry=registry)
    for _ in range(2):
        await outcome_of(engines, "ok")
    counted = {"engine": "openai", "unit": "output_tokens"}
    assert registry.get_sample_value("engine_usage_total", counted) == 2 * 4160


async def test_a_fault_that_is_no_engine_error_is_not_hidden_by_the_next_engine() -> None:
    broken, next_one = scripted(RuntimeError("a fault of ours")), scripted()
    with pytest.raises(RuntimeError):
        await chain(broken, next_one).refine(b"", WISH, Attempt())
    assert next_one.calls == []
