"""The view that Pub/Sub pushes messages to, for hosts that start workers only when needed."""

from __future__ import annotations

from aiohttp import web

from queueing.pubsub.push import read_push
from service.api.errors import WorkerBusy
from service.api.keys import PUSH_VERIFIER, PUSHED

# a message carries a task id; base64 and the envelope are the rest
MAX_BODY_BYTES = 64 * 1024


async def take(request: web.Request) -> web.Response:
    """Run the task that a message names. 204 acknowledges it; anything else has it come again."""
    await request.app[PUSH_VERIFIER].verify(request.headers.get("Authorization"))
    if not await request.app[PUSHED].offer(read_push(await request.read())):
        raise WorkerBusy
    return web.Response(status=204)


ROUTES = (web.post("/", take), web.post("/push", take))
