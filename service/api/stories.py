"""Tell what happened to a task as server-sent events, read once for all who follow it.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from pydantic_core import to_json

from service.api.present import task_out
from storage.events import Event, Events
from storage.images.contract import Images
from storage.task import Status, Task
from storage.tasks import Tasks

CREATED = 1
"""The version that every task begins with."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream, ready to be sent. The final one is the last of its task."""

    version: int
    text: bytes
    is_final: bool


class Stories:
    """The stories of the tasks that are followed now."""

    def __init__(self, tasks: Tasks, events: Events, images: Images) -> None:
        self._tasks = tasks
        self._events = events
        self._images = images
        self._told: dict[UUID, Story] = {}

    @asynccontextmanager
    async def of(self, task: Task) -> AsyncIterator[Story]:
        """The story of a task, the same one for everybody who follows it meanwhile."""
        story = self._told.get(task.id)
        if story is None:
            story = self._told[task.id] = Story(task, self._tasks, self._events, self._images)
        story.readers += 1
        try:
            yield story
        finally:
            story.readers -= 1
            if story.readers == 0:
                del self._told[task.id]


class Story:
    """The frames of one task from its creation on."""

    def __init__(self, task: Task, tasks: Tasks, events: Events, images: Images) -> None:
        self.readers = 0
        self._task = task
        self._tasks = tasks
        self._events = events
        self._images = images
        self._frames: list[Frame] = []
        self._known_version = 0
        self._reading = asyncio.Lock()

    async def since(self, version: int, *, until: int) -> list[Frame]:
        """The frames after a version; `until` is one that the task is known to have reached."""
        if self._known_version < until:
            async with self._reading:
                if self._known_version < until:
                    await self._read(until)
        return [frame for frame in self._frames if frame.version > version]

    async def _read(self, until: int) -> None:
        if not self._frames:
            self._frames.append(await self._frame(CREATED, _as_created(self._task)))
        for event in await self._events.since(self._task.id, self._frames[-1].version):
            state = await self._state_at(event)
            if state is None:
                break
            self._frames.append(await self._frame(event.version, state))
        # not every version has an event: one that only shows another address has none
        self._known_version = until

    async def _state_at(self, event: Event) -> Task | None:
        """The task as it was at an event; None when it has been deleted since."""
        if event.status.is_final:
            return await self._tasks.get(self._task.user_id, self._task.id)
        return _as_created(self._task)._replace(
            status=event.status,
            attempt=event.attempt,
            stage=event.stage,
            progress=event.progress,
            updated_at=event.updated_at,
        )

    async def _frame(self, version: int, state: Task) -> Frame:
        data = to_json(await task_out(state, self._images))
        text = b"id: %d\nevent: task\ndata: %b\n\n" % (version, data)
        return Frame(version, text, state.status.is_final)


def _as_created(task: Task) -> Task:
    return task._replace(
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
