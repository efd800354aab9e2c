"""With a collector a refinement is one trace, from the request to its end; without, nothing is."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from aiohttp.test_utils import unused_port

from queueing.contract import Message, QueueUnavailable
from queueing.memory import MemoryQueue
from service.announcing import Announcer
from service.resources import Resources
from service.sandbox import Sandbox
from service.settings import Settings
from service.tracing import UNTRACED, open_tracing
from tests.api.harness import PROMPT, Service, running_service
from tests.collector import Collector, Kind, about, running_collector
from tests.scripted import Flaky, ScriptedEngine

PARTS = ("claim", "source", "engine", "store", "finish")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """Where the service's spans go."""
    async with running_collector() as (collector, variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield collector


@pytest.fixture
async def traced(
    collector: Collector,
    database_url: str,
    tmp_path: Path,
    engine: ScriptedEngine,
    sandbox: Sandbox,
) -> AsyncIterator[Service]:
    """A service that sends its spans there."""
    async with running_service(database_url, tmp_path, engine, sandbox) as service:
        yield service


async def test_a_refinement_is_one_trace_that_joins_its_callers(
    traced: Service, collector: Collector
) -> None:
    user = await traced.guest()
    concept = await user.upload()
    response = await user.refine(concept["image_url"], headers={"traceparent": TRACEPARENT})
    task = await user.ended((await response.json())["task_id"])
    asked, published, processed = "POST /api/concepts/refine", "publish tasks", "process tasks"
    spans = await collector.trace_with(asked, published, processed, *PARTS)
    assert spans[asked].trace_id.hex() == TRACE
    assert spans[asked].parent_span_id.hex() == CALLER
    assert spans[published].parent_span_id == spans[asked].span_id
    assert spans[processed].parent_span_id == spans[published].span_id
    assert all(spans[part].parent_span_id == spans[processed].span_id for part in PARTS)
    kinds = [spans[name].kind for name in (asked, published, processed, "engine")]
    assert kinds == [
        *(Kind.SPAN_KIND_SERVER, Kind.SPAN_KIND_PRODUCER),
        *(Kind.SPAN_KIND_CONSUMER, Kind.SPAN_KIND_INTERNAL),
    ]
    assert about(spans[asked]) == {
        "http.request.method": "POST",
        "http.route": "/api/concepts/refine",
        "http.response.status_code": 202,
        "url.path": "/api/concepts/refine",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
    }
    assert about(spans[processed]) == {
        "messaging.system": "memory",
        "messaging.destination.name": "tasks",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "task.id": task["task_id"],
        "task.attempt": 1,
        "task.outcome": "completed",
    }
    assert collector.services == {"concept-refiner"}


async def test_spans_tell_no_words_no_token_no_query_and_no_failures_text(
    traced: Service, collector: Collector, engine: ScriptedEngine
) -> None:
    engine.fail(Flaky("the words of an exception"))
    user = await traced.guest()
    task = await user.ended((await user.begin(logo_description="a hidden dog"))["task_id"])
    await user.request("GET", task["image_url"])
    await user.request("GET", "/api/tasks?limit=7&cursor=broken")
    await collector.trace_with("GET /images/{key}")
    failed = [span for span in collector.spans if "error.type" in about(span)]
    assert [(span.name, about(span)["error.type"]) for span in failed] == [("engine", "Flaky")]
    for secret in (PROMPT, user.token, "sig=", "exp=", "limit=7", "hidden dog", "the words"):
        assert secret.encode() not in collector.raw, secret


async def test_probes_are_not_followed_and_made_up_methods_are_one_name(
    traced: Service, collector: Collector
) -> None:
    user = await traced.guest()
    for path in ("/healthz", "/readyz", "/metrics"):
        await user.request("GET", path)
    await user.request("PROPFIND", "/api/quota")
    await user.request("GET", "/nowhere")
    spans = await collector.trace_with("GET")
    assert "http.route" not in about(spans["GET"])
    names = {span.name for span in collector.spans}
    assert names == {"POST /api/auth/guest", "HTTP /api/quota", "GET"}


class OnceDeaf(MemoryQueue):
    """A queue that does not take its first message."""

    is_deaf = True

    async def publish(self, messages: Sequence[Message]) -> None:
        """Fail once."""
        if self.is_deaf:
            self.is_deaf = False
            raise QueueUnavailable
        await super().publish(messages)


async def test_a_task_that_the_relay_announces_joins_the_trace_of_its_request(
    collector: Collector, database_url: str, tmp_path: Path, engine: ScriptedEngine
) -> None:
    def on_a_deaf_queue(resources: Resources) -> Resources:
        queue = OnceDeaf()
        return replace(resources, queue=queue, announcer=Announcer(queue, resources.tracing))

    async with running_service(database_url, tmp_path, engine, adapt=on_a_deaf_queue) as service:
        user = await service.guest()
        await user.ended((await user.begin())["task_id"])
        asked = "POST /api/concepts/refine"
        spans = await collector.trace_with(asked, "publish tasks", "process tasks")
        assert spans["process tasks"].parent_span_id == spans[asked].span_id
        assert about(spans["publish tasks"])["error.type"] == "QueueUnavailable"


async def test_log_lines_carry_the_id_of_their_trace(traced: Service, collector: Collector) -> None:
    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as lines:
        user = await traced.guest()
        response = await user.refine(
            (await user.upload())["image_url"], headers={"traceparent": TRACEPARENT}
        )
        await user.ended((await response.json())["task_id"])
    said = {line["event"] for line in lines if line.get("trace_id") == TRACE}
    assert said >= {"request", "attempt_started", "attempt_ended"}


@pytest.mark.parametrize("traceparent", ["", "00-x", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_a_traceparent_that_is_none_begins_a_trace_of_its_own(
    traced: Service, collector: Collector, traceparent: str
) -> None:
    user = await traced.guest()
    await user.request("GET", "/api/quota", headers={"traceparent": traceparent})
    spans = await collector.trace_with("GET /api/quota")
    assert spans["GET /api/quota"].parent_span_id == b""


async def test_without_a_collector_messages_and_rows_carry_no_trace(service: Service) -> None:
    assert service.resources.tracing is UNTRACED
    user = await service.guest()
    response = await user.refine(
        (await user.upload())["image_url"], headers={"traceparent": TRACEPARENT}
    )
    await user.ended((await response.json())["task_id"])
    row = await service.resources.database.fetchrow("SELECT traceparent FROM task")
    assert row is not None
    assert row["traceparent"] is None


async def test_without_the_extra_it_is_said_once_and_nothing_is_followed(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "service.spans", None)
    with structlog.testing.capture_logs() as lines:
        async with open_tracing(Settings(data_dir=tmp_path)) as tracing:
            assert tracing is UNTRACED
    assert [line["event"] for line in lines] == ["traces_need_the_extra_otel"]


async def test_a_collector_that_is_away_holds_up_neither_answers_nor_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setattr("service.spans.STOP_S", 0.2)
    begin_s = time.perf_counter()
    async with open_tracing(Settings(data_dir=tmp_path)) as tracing:
        assert tracing is not UNTRACED
        with tracing.processing({"traceparent": TRACEPARENT}), tracing.span("part"):
            assert tracing.traceparent() is not None
    # the exporter itself would try for ten seconds
    assert time.perf_counter() - begin_s < 8
