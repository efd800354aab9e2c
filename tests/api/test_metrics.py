"""What operators watch: it moves with what happens, and names nobody."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from prometheus_client.parser import text_string_to_metric_families

from service.engines.contract import EngineFailed
from service.lag import watch_lag
from tests.api.harness import Service, User
from tests.processes import Start, service_process
from tests.scripted import Flaky, ScriptedEngine
from tests.storage.rows import a_claimed_task, accept, let_lease_run_out

type Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def metrics(session: aiohttp.ClientSession, base: str) -> Samples:
    """Every sample by its name and labels."""
    async with session.get(f"{base}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        families = text_string_to_metric_families(await response.text())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


async def one(service: Service, name: str, **labels: str) -> float:
    """One sample, 0 while there is none of it."""
    found = await metrics(service.session, service.base)
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


async def test_answers_to_refinements_are_counted_by_outcome(
    service: Service, user: User, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    task = await user.begin()
    await user.refine(task["metadata"]["original_image_url"])
    await user.refine("https://elsewhere.test/x.png")
    gate.set()
    for outcome in ("created", "active", "unknown_source"):
        assert await one(service, "refinements_total", outcome=outcome) == 1


async def test_attempts_and_ends_are_counted_and_timed(
    service: Service, user: User, engine: ScriptedEngine
) -> None:
    engine.fail(Flaky())
    await user.ended((await user.begin())["task_id"])
    engine.fail(EngineFailed())
    await user.ended((await user.begin())["task_id"])
    for outcome in ("retried_engine_unavailable", "failed_engine_failed", "completed"):
        assert await one(service, "task_attempts_total", outcome=outcome) == 1
    assert await one(service, "task_attempt_seconds_count") == 3
    assert await one(service, "tasks_ended_total", outcome="completed") == 1
    assert await one(service, "tasks_ended_total", outcome="engine_failed") == 1
    assert await one(service, "task_refunds_total") == 1
    assert await one(service, "image_store_seconds_count", operation="put") == 3
    assert await one(service, "image_store_seconds_count", operation="get") == 3


async def test_a_cancelled_task_is_counted_once_and_as_given_back_only_before_its_work(
    service: Service, user: User, engine: ScriptedEngine
) -> None:
    engine.hold()
    task = await user.begin()
    async with asyncio.timeout(20):
        while not engine.calls:
            await user.get("/api/quota")
    for _ in range(2):
        await user.request("POST", f"/api/tasks/{task['task_id']}/cancel")
    assert await one(service, "tasks_ended_total", outcome="canceled") == 1
    assert await one(service, "task_refunds_total") == 0


async def test_what_waits_is_shown_with_its_age(service: Service) -> None:
    accepted = await accept(service.resources.database, uuid4())
    assert accepted.task is not None
    await service.resources.database.fetch(
        """
        UPDATE task SET run_at = now() - interval '1 hour', publish_at = now() + interval '1 hour'
        WHERE id = $1
        """,
        accepted.task.id,
    )
    assert await one(service, "tasks_waiting") == 1
    assert 3_600 <= await one(service, "task_queue_age_seconds") < 3_700
    await service.resources.database.fetch("DELETE FROM task")
    assert await one(service, "tasks_waiting") == 0
    assert await one(service, "task_queue_age_seconds") == 0


async def test_rescues_of_leases_are_counted(service: Service) -> None:
    database = service.resources.database
    await let_lease_run_out(database, await a_claimed_task(database))
    async with asyncio.timeout(20):
        while await one(service, "task_leases_rescued_total") == 0:
            pass


async def test_the_labels_name_no_user_and_no_task_and_cannot_be_made_up(
    service: Service, user: User
) -> None:
    task = await user.ended((await user.begin())["task_id"])
    for method in ("FOO", "BAR"):
        await user.request(method, f"/api/tasks/{task['task_id']}")
        await user.request(method, "/nowhere/at/all")
    found = await metrics(service.session, service.base)
    labels = {value for _, pairs in found for _, value in pairs}
    named = " ".join(labels)
    for secret in (user.user_id, task["task_id"], task["concept_id"], "FOO", "BAR", "nowhere"):
        assert secret not in named
    assert "/api/tasks/{task_id}" in labels


async def test_the_process_its_pool_and_its_loop_are_watched(service: Service) -> None:
    found = await metrics(service.session, service.base)
    names = {name for name, _ in found}
    for name in (
        *("process_resident_memory_bytes", "process_open_fds", "live_followers"),
        *("database_connections_in_use", "database_connections_max"),
        *("event_loop_lag_seconds_count", "engine_circuit_state"),
    ):
        assert name in names, name
    assert found["database_connections_max", ()] > 0


async def test_a_loop_that_is_held_up_is_noticed() -> None:
    late_s: list[float] = []
    noticed = asyncio.Event()

    def observe(lag_s: float) -> None:
        late_s.append(lag_s)
        noticed.set()

    watching = asyncio.create_task(watch_lag(observe, every_s=0.01))
    async with asyncio.timeout(20):
        await noticed.wait()
        # it waits for nothing: it is what holds the loop up
        time.sleep(0.3)
        noticed.clear()
        await noticed.wait()
    watching.cancel()
    assert max(late_s) > 0.2


async def test_a_worker_alone_has_them_too(tmp_path: Path, database_url: str, fork: Start) -> None:
    port = unused_port()
    settings = {
        "DATABASE_URL": database_url,
        "QUEUE_URL": "pubsub://project/topic/subscription",
        "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{unused_port()}",
        "WORKER_PORT": str(port),
    }
    async with (
        service_process(
            tmp_path, settings, module="service.worker", port=port, start=fork
        ) as worker,
        aiohttp.ClientSession() as session,
        asyncio.timeout(60),
    ):
        while True:
            assert worker.process.returncode is None, worker.log.read_text()[-2000:]
            try:
                found = await metrics(session, worker.base)
                break
            except aiohttp.ClientConnectionError:
                # nothing tells from outside when a port begins to listen
                await asyncio.sleep(0.05)
    assert found["tasks_waiting", ()] == 0
    assert ("task_leases_rescued_total", ()) in found


async def test_what_waits_is_not_a_number_while_that_cannot_be_found_out(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.health.CHECK_TIMEOUT_S", 0.0)
    found = await metrics(service.session, service.base)
    assert str(found["tasks_waiting", ()]) == "nan"
    assert found["database_connections_max", ()] > 0
