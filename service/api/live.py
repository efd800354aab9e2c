"""Notice that tasks have changed, with one small query a moment however many follow them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from storage.database import DatabaseUnavailable

log = structlog.get_logger()

POLL_S = 0.05
POLL_AFTER_FAILURE_S = 1.0
DELETED = 0

type ReadVersions = Callable[[list[UUID]], Awaitable[dict[UUID, int]]]


class Watcher:
    """Polls the versions of the tasks that someone follows; idle when nobody does.

    Polling costs the accept path nothing, where a notification would hold up its commit.
    """

    def __init__(self, read_versions: ReadVersions) -> None:
        self._read_versions = read_versions
        self._followers: defaultdict[UUID, set[Follower]] = defaultdict(set)
        self._wanted = asyncio.Event()
        self._is_closing = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                versions = await self._read_versions(list(self._followers))
            except DatabaseUnavailable:
                log.warning("watch_failed")
                await asyncio.sleep(POLL_AFTER_FAILURE_S)
                continue
            for task_id, followers in self._followers.items():
                for follower in followers:
                    follower.see(versions.get(task_id, DELETED))
            await asyncio.sleep(POLL_S)

    @asynccontextmanager
    async def follow(self, task_id: UUID, version: int) -> AsyncIterator[Follower]:
        """Follow a task whose version is known to be this one."""
        follower = Follower(version, self._is_closing)
        self._followers[task_id].add(follower)
        self._wanted.set()
        try:
            yield follower
        finally:
            self._followers[task_id].discard(follower)
            if not self._followers[task_id]:
                del self._followers[task_id]
            if not self._followers:
                self._wanted.clear()

    @property
    def follower_count(self) -> int:
        """How many follow a task now."""
        return sum(len(followers) for followers in self._followers.values())

    def close(self) -> None:
        """Wake every follower for good: the process is going to stop."""
        self._is_closing.set()
        for followers in self._followers.values():
            for follower in followers:
                follower.wake()


class Follower:
    """One reader's view of one task's version."""

    def __init__(self, version: int, is_closing: asyncio.Event) -> None:
        self.version = version
        self._is_closing = is_closing
        self._changed = asyncio.Event()
        if is_closing.is_set():
            self._changed.set()

    def see(self, version: int) -> None:
        """Take note of the present version."""
        if version != self.version:
            self.version = version
            self._changed.set()

    def wake(self) -> None:
        """Return from `change` now."""
        self._changed.set()

    @property
    def is_closing(self) -> bool:
        """Whether the process is going to stop."""
        return self._is_closing.is_set()

    async def change(self, within_s: float) -> bool:
        """Wait for another version; False when there is none within the time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        changed = self._changed.is_set()
        self._changed.clear()
        return changed
