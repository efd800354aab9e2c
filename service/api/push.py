"""The view that Pub/Sub pushes messages to, for hosts that start workers only when needed."""

from __future__ import annotations

import asyncio

from aiohttp import web

from queueing.pubsub.push import read_push
from service.api.errors import BodyTooSlow, WorkerBusy
from service.api.keys import PUSH_VERIFIER, PUSHED

# a message carries a task id; base64 and the envelope are the rest
MAX_BODY_BYTES = 64 * 1024
BODY_S = 20.0


async def take(request: web.Request) -> web.Response:
    """Run the task that a message names. 204 acknowledges it; anything else has it come again."""
    await request.app[PUSH_VERIFIER].verify(request.headers.get("Authorization"))
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
    except TimeoutError as error:
        raise BodyTooSlow from error
    if not await request.app[PUSHED].offer(read_push(body)):
        raise WorkerBusy
    return web.Response(status=204)


ROUTES = (web.post("/", take), web.post("/push", take))
