"""Short ways to put rows where a test wants to begin."""

from __future__ import annotations

from uuid import UUID, uuid4

from storage.accepting import Accepted, NewTask
from storage.concept import Concept, NewImage
from storage.concepts import Concepts
from storage.database import Database
from storage.task import Task
from storage.tasks import Tasks
from storage.work import Work

PNG = "image/png"


async def a_concept(database: Database, user_id: UUID) -> Concept:
    """An uploaded concept of the user."""
    image = NewImage(f"{user_id}/{uuid4()}.png", PNG, 64, 48)
    return await Concepts(database).add(
        user_id, image, logo_description="A cup", theme_description=None
    )


def a_request(
    user_id: UUID,
    source_key: str | None,
    *,
    idempotency_key: str | None = None,
    request_hash: bytes = b"same",
) -> NewTask:
    """A request to refine the image of that key; None for an outside image."""
    return NewTask(
        user_id=user_id,
        source_url="https://images.test/logo.png",
        source_key=source_key,
        prompt="lighter",
        logo_description=None,
        theme_description=None,
        preserve_aspects=(),
        request_id="r",
        idempotency_key=idempotency_key,
        request_hash=request_hash,
    )


async def accept(database: Database, user_id: UUID, *, limit: int = 10) -> Accepted:
    """The answer to a request for a fresh concept."""
    concept = await a_concept(database, user_id)
    return await Tasks(database, monthly_limit=limit).accept(a_request(user_id, concept.image_key))


async def a_claimed_task(database: Database, *, user_id: UUID | None = None) -> Task:
    """A task in its first attempt."""
    accepted = await accept(database, user_id or uuid4())
    assert accepted.task is not None
    claimed = await work_on(database).claim(accepted.task.id)
    assert claimed is not None
    return claimed


def work_on(database: Database, *, lease_s: float = 30, max_attempts: int = 3) -> Work:
    """What a worker uses."""
    return Work(database, lease_s=lease_s, max_attempts=max_attempts)


def an_image(task: Task) -> NewImage:
    """What an attempt has stored."""
    return NewImage(f"{task.user_id}/{task.id}-{task.attempt}.png", PNG, 64, 48)


async def used(database: Database, user_id: UUID) -> int:
    """How many refinements the user has been charged for this month."""
    return (await Tasks(database, monthly_limit=10).quota(user_id)).used


async def let_lease_run_out(database: Database, task: Task) -> None:
    """As if the worker had been silent for longer than its lease."""
    await database.fetch(
        "UPDATE task SET lease_until = now() - interval '1 second' WHERE id = $1", task.id
    )
