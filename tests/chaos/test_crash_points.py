"""A process that dies between any two of its effects loses and doubles nothing."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.chaos.deployment import Deployment, ensure_rules
from tests.chaos.program import EXIT_CODE

WORKER_POINTS = [
    f"{effect}:{when}"
    for effect in ("claim", "get", "refine", "heartbeat", "put", "complete")
    for when in ("before", "after")
]
API_POINTS = [
    f"{effect}:{when}" for effect in ("accept", "publish") for when in ("before", "after")
]


@pytest.mark.parametrize("point", WORKER_POINTS)
async def test_a_worker_that_dies_at_any_point_is_replaced(
    on_pubsub: Deployment, point: str
) -> None:
    await on_pubsub.add_users(3)
    api = await on_pubsub.start("api")
    doomed = await on_pubsub.launch("worker", CHAOS_DIE_AT=point, CHAOS_WORK_S="0.5")
    for user in on_pubsub.users:
        await on_pubsub.accepted(api, user)
    async with asyncio.timeout(30):
        assert await doomed.process.wait() == EXIT_CODE
    await on_pubsub.launch("worker")
    await on_pubsub.all_ended(within_s=30)
    await ensure_rules(on_pubsub)
    assert await on_pubsub.count("status = 'completed'") == 3


@pytest.mark.parametrize("point", API_POINTS)
async def test_an_api_that_dies_at_any_point_keeps_what_it_accepted(
    on_pubsub: Deployment, point: str
) -> None:
    await on_pubsub.add_users(1)
    doomed = await on_pubsub.start("api", CHAOS_DIE_AT=point)
    await on_pubsub.start("worker")
    [user] = on_pubsub.users
    try:
        response = await on_pubsub.ask(doomed, user)
        was_accepted = response.status == 202
    except aiohttp.ClientError:
        was_accepted = False
    async with asyncio.timeout(10):
        assert await doomed.process.wait() == EXIT_CODE
    await on_pubsub.all_ended(within_s=30)
    await ensure_rules(on_pubsub)
    is_kept = point != "accept:before"
    assert await on_pubsub.count("status = 'completed'") == int(is_kept)
    assert is_kept or not was_accepted
