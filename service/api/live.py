"""Notice that tasks have changed, with one small query a moment however many follow them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from storage.database import DatabaseUnavailable

log = structlog.get_logger()

POLL_S = 0.05
# many take longer to look up, so they are looked up less often: the share of the processor stays
POLL_MOST_S = 0.12
POLL_MORE_S_PER_TASK = 0.00007
POLL_AFTER_FAILURE_S = 1.0
DELETED = 0
"""The version of a task that has been deleted."""

type ReadChanged = Callable[[Mapping[UUID, int]], Awaitable[Mapping[UUID, int]]]
"""Which of these tasks are not of these versions any more, and of which they are; 0 for gone."""


class Watcher:
    """Polls the versions of the tasks that someone follows; idle when nobody does.

    Polling costs the accept path nothing, where a notification would hold up its commit.
    """

    def __init__(self, read_changed: ReadChanged) -> None:
        self._read_changed = read_changed
        self._followed: dict[UUID, _Followed] = {}
        self._wanted = asyncio.Event()
        self._is_closing = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._wanted.wait()
            known = {task_id: followed.version for task_id, followed in self._followed.items()}
            try:
                changed = await self._read_changed(known)
            except DatabaseUnavailable:
                log.warning("watch_failed")
                await asyncio.sleep(POLL_AFTER_FAILURE_S)
                continue
            for task_id, version in changed.items():
                if followed := self._followed.get(task_id):
                    followed.see(version)
            await asyncio.sleep(min(POLL_MOST_S, POLL_S + POLL_MORE_S_PER_TASK * len(known)))

    @asynccontextmanager
    async def follow(self, task_id: UUID, version: int) -> AsyncIterator[Follower]:
        """Follow a task whose version is known to be this one."""
        followed = self._followed.setdefault(task_id, _Followed(version))
        follower = Follower(version, self._is_closing)
        follower.see(followed.version)
        followed.followers.add(follower)
        self._wanted.set()
        try:
            yield follower
        finally:
            followed.followers.discard(follower)
            if not followed.followers:
                del self._followed[task_id]
            if not self._followed:
                self._wanted.clear()

    @property
    def follower_count(self) -> int:
        """How many follow a task now."""
        return sum(len(followed.followers) for followed in self._followed.values())

    def close(self) -> None:
        """Wake every follower for good: the process is going to stop."""
        self._is_closing.set()
        for followed in self._followed.values():
            for follower in followed.followers:
                follower.wake()


@dataclass
class _Followed:
    """One task, its version at the last poll, and who follows it."""

    version: int
    followers: set[Follower] = field(default_factory=set)

    def see(self, version: int) -> None:
        self.version = version
        for follower in self.followers:
            follower.see(version)


class Follower:
    """One reader's view of one task's version."""

    def __init__(self, version: int, is_closing: asyncio.Event) -> None:
        self.version = version
        self._is_closing = is_closing
        self._changed = asyncio.Event()
        if is_closing.is_set():
            self._changed.set()

    def see(self, version: int) -> None:
        """Take note of a version, if it is a later one: a reader may know more than the watcher."""
        if version == DELETED or version > self.version > DELETED:
            self.version = version
            self._changed.set()

    def wake(self) -> None:
        """Return from `change` now."""
        self._changed.set()

    @property
    def is_closing(self) -> bool:
        """Whether the process is going to stop."""
        return self._is_closing.is_set()

    @property
    def is_deleted(self) -> bool:
        """Whether the task has been deleted."""
        return self.version == DELETED

    async def change(self, within_s: float) -> bool:
        """Wait for another version; False when there is none within the time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        changed = self._changed.is_set()
        self._changed.clear()
        return changed
