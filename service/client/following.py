"""Follow a task until it has ended: by its stream, by held requests, or by asking now and then.

Each way stands in for the one before it where something between us and the service spoils that:
proxies keep streams back, and some cut requests that take long.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from http import HTTPStatus

from .errors import Unavailable
from .records import Task
from .sse import Event, EventReader
from .wire import FAULTS, Pauses, Wire

FIRST_BYTE_S = 5.0
"""A stream says something at once; later than this, something keeps it back."""
SILENCE_S = 40.0
"""A living stream says something every 15 s."""
STREAM_TRIES = 3
HOLD_S = 25
REST_S = 0.2
"""Between held requests: a service that is about to stop answers them early."""
POLL_S = 2.0
EVENT_STREAM = "text/event-stream"


class _NoStream(Exception):
    """The task cannot be followed by a stream from here."""


async def follow(wire: Wire, task_id: str) -> AsyncGenerator[Task]:
    """The task now and after each change, the last time when it has ended."""
    last: Task | None = None
    for way in (_streamed, _asked):
        async with aclosing(way(wire, f"/api/tasks/{task_id}")) as tasks:
            async for task in tasks:
                if task != last:
                    yield task
                last = task
                if task.is_ended:
                    return


async def _streamed(wire: Wire, path: str) -> AsyncGenerator[Task]:
    """Changes from the stream, resumed where it was cut; ends early when that leads nowhere."""
    last_event_id = ""
    pauses = Pauses(wire.patience_s)
    while pauses.tries < STREAM_TRIES:
        try:
            async with aclosing(_events(wire, path, last_event_id)) as events:
                async for event in events:
                    last_event_id = event.id
                    yield Task.of(json.loads(event.data))
                    pauses = Pauses(wire.patience_s)
        except _NoStream:
            return
        except FAULTS:
            pass
        try:
            await pauses.next(Unavailable("unreachable", "The stream was cut."))
        except Unavailable:
            return


async def _events(wire: Wire, path: str, last_event_id: str) -> AsyncGenerator[Event]:
    """The events of one connection."""
    headers = {"Accept": EVENT_STREAM, "Cache-Control": "no-cache"}
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    reader = EventReader()
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(FIRST_BYTE_S):
                response = await stack.enter_async_context(
                    wire.open("GET", f"{path}/events", headers=headers)
                )
                if response.status != HTTPStatus.OK or response.content_type != EVENT_STREAM:
                    raise _NoStream
                piece = await response.content.readany()
        except TimeoutError as error:
            raise _NoStream from error
        while piece:
            for event in reader.feed(piece):
                yield event
            async with asyncio.timeout(SILENCE_S):
                piece = await response.content.readany()


async def _asked(wire: Wire, path: str) -> AsyncGenerator[Task]:
    """Changes from requests that the service holds, or from many short ones where it does not."""
    etag = ""
    may_hold = True
    while True:
        known = etag
        headers = {"If-None-Match": known} if known else {}
        is_held = may_hold and bool(known)
        if is_held:
            headers["Prefer"] = f"wait={HOLD_S}"
        try:
            answer = await wire.ask("GET", path, headers=headers, patience_s=0 if is_held else None)
        except Unavailable:
            if not is_held:
                raise
            may_hold = False
            continue
        if answer.status == HTTPStatus.OK:
            etag = answer.headers.get("ETag", "")
            yield Task.of(answer.json())
        elif answer.status != HTTPStatus.NOT_MODIFIED:
            raise answer.refusal
        if etag == known:
            was_held = "Preference-Applied" in answer.headers
            await asyncio.sleep(REST_S if was_held else POLL_S)
