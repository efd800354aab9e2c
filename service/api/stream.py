"""Stream the changes of one task as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from aiohttp import web

from service.api.live import Watcher
from service.api.present import task_out
from storage.events import Event, Events
from storage.images.contract import Images
from storage.task import Status, Task
from storage.tasks import Tasks

HEARTBEAT_S = 15.0
WRITE_TIMEOUT_S = 10.0
RECONNECT_MS = 1_000
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


@dataclass(frozen=True, slots=True)
class TaskStream:
    """What a stream reads from."""

    tasks: Tasks
    events: Events
    images: Images
    watcher: Watcher

    async def answer(
        self, request: web.Request, task: Task, last_event_id: str | None
    ) -> web.StreamResponse:
        """Send every change after `last_event_id`, the terminal one last.

        A reader that takes nothing for 10 s is dropped; it can resume where it was.
        """
        seen = _version_in(last_event_id)
        if task.status.is_final and seen > 0 and not await self.events.since(task.id, seen):
            return web.Response(status=204)
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        try:
            await _write(response, f"retry: {RECONNECT_MS}\n\n")
            await self._follow(response, task, seen)
        except (TimeoutError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _follow(self, response: web.StreamResponse, task: Task, seen: int) -> None:
        if seen < 1:
            await self._send(response, 1, _as_created(task))
            seen = 1
        async with self.watcher.follow(task.id, seen) as follower:
            while not follower.is_closing:
                for event in await self.events.since(task.id, seen):
                    state = await self._state_at(task, event)
                    if state is None:
                        return
                    await self._send(response, event.version, state)
                    seen = event.version
                    if event.status.is_final:
                        return
                if not await follower.change(HEARTBEAT_S):
                    await _write(response, ": still here\n\n")
                elif await self.tasks.get(task.user_id, task.id) is None:
                    return

    async def _state_at(self, task: Task, event: Event) -> Task | None:
        """The task as it was at an event; None when it has been deleted since."""
        if event.status.is_final:
            return await self.tasks.get(task.user_id, task.id)
        return replace(
            _as_created(task),
            status=event.status,
            attempt=event.attempt,
            stage=event.stage,
            progress=event.progress,
            updated_at=event.updated_at,
        )

    async def _send(self, response: web.StreamResponse, version: int, state: Task) -> None:
        data = (await task_out(state, self.images)).model_dump_json()
        await _write(response, f"id: {version}\nevent: task\ndata: {data}\n\n")


def _as_created(task: Task) -> Task:
    return replace(
        task,
        status=Status.PENDING,
        attempt=0,
        stage=None,
        progress=0.0,
        result_id=None,
        result_key=None,
        report=None,
        error_code=None,
        error_message=None,
        updated_at=None,
        completed_at=None,
    )


def _version_in(last_event_id: str | None) -> int:
    """The version that a reader has seen; 0 for none, and for an id that is not ours."""
    text = last_event_id or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(WRITE_TIMEOUT_S):
        await response.write(text.encode())
