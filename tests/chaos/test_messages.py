"""Messages doubled, lost, late and out of order are harmless: the queue is only a hint."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from queueing.contract import Handler, Message, Queue
from queueing.memory import MemoryQueue
from service.announcing import Announcer
from service.consuming import running_worker
from service.resources import Resources, open_resources
from service.settings import Settings
from service.stopping import Stopping
from storage.accepting import NewTask
from storage.concept import NewImage
from storage.task import Task
from tests.api.harness import a_png
from tests.chaos.deployment import BROKEN_RULES
from tests.scripted import ScriptedEngine

TASKS = 16
Distort = Callable[[list[Message]], list[Message]]


class DistortingQueue:
    """A queue in memory whose publisher tells something else than it was told."""

    def __init__(self, distort: Distort) -> None:
        self._queue = MemoryQueue()
        self._distort = distort
        self._held: list[Message] = []

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish the distorted messages."""
        await self._queue.publish(self._distort(list(messages)))

    async def consume(self, handler: Handler, *, concurrency: int) -> None:
        """As the real one."""
        await self._queue.consume(handler, concurrency=concurrency)

    async def check(self) -> None:
        """As the real one."""
        await self._queue.check()

    async def close(self) -> None:
        """As the real one."""
        await self._queue.close()


def dropping() -> Distort:
    """Lose every second message."""
    count = 0

    def distort(messages: list[Message]) -> list[Message]:
        nonlocal count
        kept = []
        for message in messages:
            count += 1
            if count % 2:
                kept.append(message)
        return kept

    return distort


def shuffling(seed: int = 1) -> Distort:
    """Hold messages back and let them go in any order, some twice and some never."""
    source = random.Random(seed)
    held: list[Message] = []

    def distort(messages: list[Message]) -> list[Message]:
        held.extend(messages)
        source.shuffle(held)
        out, held[:] = held[: len(held) // 2 + 1], held[len(held) // 2 + 1 :]
        return out + source.sample(out, k=len(out) // 2)

    return distort


DISTORTIONS: dict[str, Callable[[], Distort]] = {
    "every message three times": lambda: lambda messages: messages * 3,
    "every second message lost": dropping,
    "held back, shuffled and doubled": shuffling,
    "nonsense among them": lambda: (
        lambda messages: [
            part for m in messages for part in (Message(b"\xff"), m, Message(str(uuid4()).encode()))
        ]
    ),
}


@asynccontextmanager
async def resources_on(queue: Queue, folder: Path, database_url: str) -> AsyncIterator[Resources]:
    """What a process works with, on that queue and an engine that only echoes."""
    settings = Settings(data_dir=folder, database_url=database_url, worker_concurrency=8)
    async with open_resources(settings, warm=False) as resources:
        yield replace(
            resources,
            queue=queue,
            announcer=Announcer(queue),
            refinery=replace(resources.refinery, engine=ScriptedEngine()),
        )


async def accept_one(resources: Resources) -> UUID:
    """Accept a request of a new user and announce it."""
    user_id = uuid4()
    key = f"{user_id}/{uuid4()}.png"
    await resources.images.put(key, a_png(), content_type="image/png")
    image = NewImage(key, "image/png", 32, 32)
    await resources.concepts.add(user_id, image, logo_description=None, theme_description=None)
    request = NewTask(user_id, "", key, "x", None, None, (), "r", None, b"")
    accepted = await resources.tasks.accept(request)
    assert accepted.task is not None
    resources.announcer.announce(accepted.task.id)
    return accepted.task.id


async def shown_to_nobody(_task: Task) -> dict[str, Any]:
    """There are no webhooks here."""
    return {}


@pytest.mark.parametrize("make", DISTORTIONS.values(), ids=DISTORTIONS.keys())
async def test_every_task_completes_once(
    tmp_path: Path, database_url: str, make: Callable[[], Distort]
) -> None:
    async with resources_on(DistortingQueue(make()), tmp_path, database_url) as resources:
        async with running_worker(resources, Stopping(), shown_to_nobody, resources.queue):
            await asyncio.gather(*(accept_one(resources) for _ in range(TASKS)))
            async with asyncio.timeout(60):
                while await resources.database.fetch(
                    "SELECT 1 FROM task WHERE status <> 'completed'"
                ):
                    # polled, for what could tell is what is tested
                    await asyncio.sleep(0.05)
        for rule, query in BROKEN_RULES.items():
            assert await resources.database.fetch(query) == [], rule
        rows = await resources.database.fetch("SELECT 1 FROM task WHERE attempt <> 1")
        assert rows == [], "no message made a second worker begin"
