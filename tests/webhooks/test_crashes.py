"""Whenever the process dies, what a webhook is owed arrives: at least once, under one id."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest

from tests.api.harness import User
from tests.chaos.program import EXIT_CODE
from tests.processes import Process, Start, service_process
from tests.test_stopping import until_deaf
from tests.webhooks.receiver import Receiver
from tests.webhooks.test_webhooks import added, settled

Serve = Callable[..., AbstractAsyncContextManager[Process]]

POINTS = {
    "task/complete:after": 0,
    "delivery/delivered:before": 1,
    "delivery/delivered:after": 1,
}
"""Where the process dies, and how often the receiver has been told by then."""


@pytest.fixture
def start(tmp_path: Path, database_url: str, receiver: Receiver, fork: Start) -> Serve:
    """Starts the service as a process, all of them on one database."""
    settings = {
        "DATABASE_URL": database_url,
        "TASK_LEASE_SECONDS": "1",
        "COURIER_LEASE_S": "1",
        "RECEIVER": f"{receiver.port},{receiver.certificate}",
    }
    return lambda **chaos: service_process(
        tmp_path, {**settings, **chaos}, module="tests.webhooks.program", start=fork
    )


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def guest(session: aiohttp.ClientSession, process: Process) -> User:
    async with session.post(f"{process.base}/api/auth/guest") as response:
        signed_in = await response.json()
    return User(session, process.base, signed_in["access_token"], signed_in["user_id"])


@pytest.mark.parametrize(("point", "told"), POINTS.items())
async def test_what_is_owed_outlives_a_death_at_any_point(
    start: Serve, session: aiohttp.ClientSession, receiver: Receiver, point: str, told: int
) -> None:
    async with start(CHAOS_DIE_AT=point) as doomed:
        await doomed.ready()
        user = await guest(session, doomed)
        webhook = await added(user, receiver.url())
        concept = await user.upload()
        await user.refine(concept["image_url"])
        async with asyncio.timeout(30):
            assert await doomed.process.wait() == EXIT_CODE
    assert len(receiver.received) == told
    async with start() as second:
        await second.ready()
        again = User(session, second.base, user.token, user.user_id)
        [delivery] = await settled(again, f"/api/webhooks/{webhook['webhook_id']}")
    assert delivery["status"] == "delivered"
    assert {one.id for one in receiver.received} == {delivery["delivery_id"]}
    for one in receiver.received:
        assert one.verified(webhook["secret"])["data"]["status"] == "completed"
    # noted or not makes the difference between once and at least once
    assert len(receiver.received) == (2 if point == "delivery/delivered:before" else 1)


async def test_a_delivery_under_way_when_the_process_is_killed_is_made_by_another(
    start: Serve, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    gate = receiver.hang()
    async with start() as first:
        await first.ready()
        user = await guest(session, first)
        webhook = await added(user, receiver.url())
        await user.request("POST", f"/api/webhooks/{webhook['webhook_id']}/test")
        await receiver.has(1)
        assert await first.stop(signal.SIGKILL) == -signal.SIGKILL
    gate.set()
    async with start() as second:
        received = await receiver.has(2)
        assert received[0].id == received[1].id
        assert await second.stop() == 0


async def test_a_stopping_process_lets_its_deliveries_end(
    start: Serve, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    gate = receiver.hang()
    # no other attempt is to be made meanwhile, however slow the machine is
    async with start(COURIER_LEASE_S="600") as first:
        await first.ready()
        user = await guest(session, first)
        webhook = await added(user, receiver.url())
        await user.request("POST", f"/api/webhooks/{webhook['webhook_id']}/test")
        await receiver.has(1)
        stopping = asyncio.create_task(first.stop())
        # asked anew each time: a connection that is kept is answered for longer than a delivery has
        await until_deaf(first)
        gate.set()
        assert await stopping == 0
    async with start() as second:
        await second.ready()
        again = User(session, second.base, user.token, user.user_id)
        [delivery] = await again.get(f"/api/webhooks/{webhook['webhook_id']}/deliveries")
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 1)
    assert len(receiver.received) == 1
