"""A process that dies between any two of its effects loses and doubles nothing."""

from __future__ import annotations

import asyncio

import aiohttp

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
USERS_A_POINT = 3


async def test_workers_that_die_at_every_point_in_turn_are_replaced(on_pubsub: Deployment) -> None:
    api = await on_pubsub.start("api")
    for point in WORKER_POINTS:
        await on_pubsub.add_users(USERS_A_POINT)
        doomed = await on_pubsub.launch("worker", CHAOS_DIE_AT=point, CHAOS_WORK_S="1")
        for user in on_pubsub.users[-USERS_A_POINT:]:
            await on_pubsub.accepted(api, user)
        async with asyncio.timeout(60):
            assert await doomed.process.wait() == EXIT_CODE, point
    await on_pubsub.launch("worker")
    await on_pubsub.all_ended(within_s=60)
    await ensure_rules(on_pubsub)
    everyone = len(WORKER_POINTS) * USERS_A_POINT
    assert await on_pubsub.count("status = 'completed'") == everyone


async def test_apis_that_die_at_every_point_in_turn_keep_what_they_accepted(
    on_pubsub: Deployment,
) -> None:
    await on_pubsub.start("worker")
    kept = 0
    for point in API_POINTS:
        await on_pubsub.add_users(1)
        doomed = await on_pubsub.start("api", CHAOS_DIE_AT=point)
        try:
            response = await on_pubsub.ask(doomed, on_pubsub.users[-1])
            was_accepted = response.status == 202
        except aiohttp.ClientError:
            was_accepted = False
        async with asyncio.timeout(60):
            assert await doomed.process.wait() == EXIT_CODE, point
        kept += point != "accept:before"
        assert await on_pubsub.count("true") == kept, point
        assert not was_accepted or point != "accept:before"
    await on_pubsub.all_ended(within_s=60)
    await ensure_rules(on_pubsub)
    assert await on_pubsub.count("status = 'completed'") == kept
