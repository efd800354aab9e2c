"""Send the changes of a task to one reader, from where it was on, until there are no more."""

from __future__ import annotations

import asyncio
import random

import structlog
from aiohttp import hdrs, web

from service.api.live import Watcher
from service.api.stories import Stories
from storage.database import DatabaseUnavailable
from storage.task import Task

log = structlog.get_logger()

HEARTBEAT_S = 15.0
WRITE_TIMEOUT_S = 10.0
RECONNECT_MS = 1_000
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


async def stream(
    request: web.Request,
    watcher: Watcher,
    stories: Stories,
    task: Task,
    last_event_id: str | None,
) -> web.StreamResponse:
    """Send every change after `last_event_id`, the terminal one last.

    A reader that takes nothing for 10 s is dropped; it can resume where it was. So can all when
    the database goes away.
    """
    seen = _version_in(last_event_id)
    async with watcher.follow(task.id, task.version) as follower, stories.of(task) as story:
        frames = await story.since(seen, until=task.version)
        if task.status.is_final and seen > 0 and not frames:
            return web.Response(status=204)
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        if request.method == hdrs.METH_HEAD:
            return response
        try:
            await _write(response, f"retry: {RECONNECT_MS}\n\n".encode())
            while not follower.is_closing:
                if frames:
                    await _write(response, b"".join(frame.text for frame in frames))
                    seen = frames[-1].version
                if follower.is_deleted or (frames and frames[-1].is_final):
                    return response
                if not await follower.change(HEARTBEAT_S):
                    await _write(response, b": still here\n\n")
                frames = await story.since(seen, until=follower.version)
            # the process stops: all come back a little apart, to another or to its successor
            pause_ms = random.randint(RECONNECT_MS, 4 * RECONNECT_MS)
            await _write(response, f": stopping, come back\nretry: {pause_ms}\n\n".encode())
        except (TimeoutError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
        except DatabaseUnavailable:
            log.warning("stream_ended_early")
    return response


def _version_in(last_event_id: str | None) -> int:
    """The version that a reader has seen; 0 for none, and for an id that is not ours."""
    text = last_event_id or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def _write(response: web.StreamResponse, text: bytes) -> None:
    async with asyncio.timeout(WRITE_TIMEOUT_S):
        await response.write(text)
