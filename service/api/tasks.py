"""Views of tasks: read, wait, follow, list, cancel, delete."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r204
from pydantic import Field

from service.api.errors import TaskIsActive, TaskNotFound
from service.api.keys import IMAGES, METRICS, SEATS, SETTINGS, STORIES, TASKS, WATCHER
from service.api.present import etag_of, json_answer, task_out
from service.api.schemas import TaskOut
from service.api.stream import stream
from service.api.view import View, link_to_next, position_in, wait_in
from service.api.waiting import until_changed, until_ended
from service.refinement import CANCELED_MESSAGE
from storage.task import Status, Task
from storage.tasks import Position


class TaskView(View):
    """A view of one of the user's tasks."""

    missing = TaskNotFound

    async def find(self, task_id: UUID) -> Task:
        """The task, or `TaskNotFound`."""
        task = await self.request.app[TASKS].get(self.user_id, task_id)
        if task is None:
            raise TaskNotFound
        return task


class OneTask(TaskView):
    """One of the user's tasks."""

    async def get(
        self, task_id: UUID, /, *, if_none_match: str | None = None, prefer: str | None = None
    ) -> r200[TaskOut]:
        """Read a task; with `Prefer: wait=N` hold the answer until it changes or ends.

        Status Codes:
            200: The task
            304: It has not changed from the tags in `If-None-Match`
        """
        app = self.request.app
        task = await self.find(task_id)
        etags = _etags_in(if_none_match, etag_of(task))
        wait_s = wait_in(prefer)
        if wait_s is not None and etags is not None:
            task = await until_changed(app[TASKS], app[WATCHER], task, etags, within_s=wait_s)
        elif wait_s is not None:
            task = await until_ended(app[TASKS], app[WATCHER], task, within_s=wait_s)
        if etags is not None and etag_of(task) in etags:
            response = web.Response(status=304)
        else:
            response = json_answer(await task_out(task, app[IMAGES]))
        response.headers["ETag"] = etag_of(task)
        response.headers["Cache-Control"] = "private, no-cache"
        if wait_s is not None:
            response.headers["Preference-Applied"] = f"wait={wait_s}"
        return response


class DeletableTask(OneTask):
    """One of the user's tasks, at its own address."""

    async def delete(self, task_id: UUID, /) -> r204:
        """Delete an ended task; the concept that it made stays.

        Status Codes:
            204: It is gone
        """
        if not await self.request.app[TASKS].delete(self.user_id, task_id):
            await self.find(task_id)
            raise TaskIsActive
        return web.Response(status=204)


class TaskList(View):
    """The user's tasks."""

    async def get(
        self,
        status: Status | None = None,
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
        cursor: str | None = None,
    ) -> r200[list[TaskOut]]:
        """List tasks, newest first; `Link` leads to the next page.

        Status Codes:
            200: One page of tasks
        """
        app = self.request.app
        found = await app[TASKS].page(
            self.user_id, status=status, after=position_in(cursor), limit=limit + 1
        )
        shown = found[:limit]
        response = json_answer([await task_out(task, app[IMAGES]) for task in shown])
        if len(found) > limit:
            last = Position(shown[-1].created_at, shown[-1].id)
            response.headers["Link"] = link_to_next(self.request, app[SETTINGS].public_url, last)
        return response


class Cancel(TaskView):
    """Ending a task before it ends by itself."""

    async def post(self, task_id: UUID, /) -> r200[TaskOut]:
        """Cancel a task; one that has ended is returned as it is.

        Status Codes:
            200: The task
        """
        app = self.request.app
        is_canceled = await app[TASKS].cancel(self.user_id, task_id, CANCELED_MESSAGE)
        task = await self.find(task_id)
        if is_canceled:
            app[METRICS].task_ended("canceled", refunded=task.attempt == 0)
        response = json_answer(await task_out(task, app[IMAGES]))
        response.headers["ETag"] = etag_of(task)
        return response


class TaskEvents(TaskView):
    """The changes of a task, live."""

    async def get(self, task_id: UUID, /, *, last_event_id: str | None = None) -> r200:
        """Follow a task as server-sent events until it ends.

        Status Codes:
            200: A stream of `task` events whose data is the task
            204: There is nothing after `Last-Event-ID`: the task has ended
        """
        app = self.request.app
        task = await self.find(task_id)
        with app[SEATS].one(self.user_id):
            return await stream(self.request, app[WATCHER], app[STORIES], task, last_event_id)


def _etags_in(if_none_match: str | None, current: str) -> frozenset[str] | None:
    """The tags of an `If-None-Match` header, compared weakly (RFC 9110); `*` is the current one."""
    if if_none_match is None:
        return None
    if if_none_match.strip() == "*":
        return frozenset({current})
    return frozenset(tag.strip().removeprefix("W/") for tag in if_none_match.split(","))


ROUTES = (
    web.view("/api/concepts/task/{task_id}", OneTask),
    web.view("/api/tasks", TaskList),
    web.view("/api/tasks/{task_id}", DeletableTask),
    web.view("/api/tasks/{task_id}/cancel", Cancel),
    web.view("/api/tasks/{task_id}/events", TaskEvents),
)
