"""What is removed from the image store and when, and that nothing anybody needs ever is."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from service.concepts import delete_concept
from service.upkeep import ORPHAN_BATCH, ORPHAN_GRACE_S, remove_expired, remove_orphans, sweep
from storage.accepting import Outcome
from storage.concept import Concept, NewImage
from storage.concepts import Concepts
from storage.database import Database
from storage.images.contract import ImageMissing
from storage.images.files import FileImages
from storage.task import Task
from storage.tasks import Tasks
from storage.turns import Turns
from tests.storage.rows import (
    a_claimed_task,
    a_concept,
    a_request,
    an_image,
    let_lease_run_out,
    work_on,
)

PNG = "image/png"
DAYS = 30


class Store(FileImages):
    """Files whose age a test can set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, url_prefix="http://x.test", known_prefixes=(), secret=b"x")
        self.folder = folder

    async def put_old(self, key: str, age_s: float = 2 * ORPHAN_GRACE_S) -> str:
        """Store an image that has been there for a while."""
        await self.put(key, b"body", content_type=PNG)
        then_s = time.time() - age_s
        os.utime(self.folder / key, (then_s, then_s))
        return key

    async def has(self, key: str) -> bool:
        """Whether the image can be read."""
        try:
            await self.get(key, max_bytes=100)
        except ImageMissing:
            return False
        return True


@pytest.fixture
def images(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "images")


@pytest.fixture
def concepts(database: Database) -> Concepts:
    """The concepts of a new database."""
    return Concepts(database)


def a_key() -> str:
    """A name that no row mentions."""
    return f"{uuid4()}/{uuid4()}.png"


async def an_old_concept(
    database: Database, images: Store, *, age_days: float = DAYS + 1, user_id: UUID | None = None
) -> Concept:
    """An upload of some days ago."""
    concept = await a_concept(database, user_id or uuid4())
    await images.put_old(concept.image_key)
    await database.fetch(
        "UPDATE concept SET created_at = now() - make_interval(secs => $2) WHERE id = $1",
        concept.id,
        age_days * 86_400,
    )
    return concept


async def refine(database: Database, concept: Concept) -> Task:
    """An accepted task on the concept."""
    accepted = await Tasks(database, monthly_limit=10).accept(
        a_request(concept.user_id, concept.image_key)
    )
    assert accepted.task is not None
    return accepted.task


async def test_an_image_that_no_concept_names_goes_after_a_grace_time(
    images: Store, concepts: Concepts
) -> None:
    old = await images.put_old(a_key())
    young = await images.put_old(a_key(), age_s=ORPHAN_GRACE_S / 2)
    await remove_orphans(concepts, images)
    assert not await images.has(old)
    assert await images.has(young)


async def test_of_many_workers_one_looks_for_orphans_and_none_for_hours_after(
    images: Store, concepts: Concepts, database: Database
) -> None:
    turns = [Turns(database) for _ in range(8)]
    took = await asyncio.gather(*(one.take("remove_orphans", every_s=3600) for one in turns))
    assert sorted(took) == [False] * 7 + [True]
    old = await images.put_old(a_key())
    await sweep(turns[0], concepts, images)
    assert await images.has(old)
    await database.fetch("UPDATE chore SET due_at = now()")
    await sweep(turns[0], concepts, images)
    assert not await images.has(old)


async def test_an_image_of_a_concept_stays_however_old(
    images: Store, concepts: Concepts, database: Database
) -> None:
    concept = await an_old_concept(database, images, age_days=1000)
    await remove_orphans(concepts, images)
    assert await images.has(concept.image_key)


async def test_what_a_crashed_attempt_left_goes_and_its_heir_s_image_stays(
    images: Store, concepts: Concepts, database: Database
) -> None:
    zombie = await a_claimed_task(database)
    left = await images.put_old(an_image(zombie).key)
    await let_lease_run_out(database, zombie)
    heir = await work_on(database).claim(zombie.id)
    assert heir is not None
    made = an_image(heir)
    await images.put_old(made.key)
    assert await work_on(database).complete(heir, made, {}, None)
    await remove_orphans(concepts, images)
    assert not await images.has(left)
    assert await images.has(made.key)


async def test_a_half_written_file_goes(images: Store, concepts: Concepts, tmp_path: Path) -> None:
    key = await images.put_old(f"{a_key()}.0123456789abcdef.draft")
    await remove_orphans(concepts, images)
    assert not await images.has(key)


async def test_the_image_of_a_deleted_concept_goes_when_the_store_was_away(
    images: Store, concepts: Concepts, database: Database, tmp_path: Path
) -> None:
    concept = await an_old_concept(database, images)
    (tmp_path / "images").rename(tmp_path / "unplugged")
    assert await delete_concept(concepts, images, concept.user_id, concept.id)
    (tmp_path / "unplugged").rename(tmp_path / "images")
    assert await images.has(concept.image_key)
    await remove_orphans(concepts, images)
    assert not await images.has(concept.image_key)


async def test_many_orphans_go_at_once_and_only_those(
    images: Store, concepts: Concepts, database: Database
) -> None:
    kept = [await an_old_concept(database, images) for _ in range(3)]
    orphans = [await images.put_old(a_key()) for _ in range(ORPHAN_BATCH + 5)]
    await remove_orphans(concepts, images)
    assert [concept.image_key for concept in kept if not await images.has(concept.image_key)] == []
    assert [key for key in orphans if await images.has(key)] == []


async def test_an_image_that_a_running_task_may_still_name_stays_however_old(
    images: Store, concepts: Concepts, database: Database
) -> None:
    """A machine that slept between storing and naming wakes up with old images."""
    accepted = await Tasks(database, monthly_limit=10).accept(a_request(uuid4(), None))
    assert accepted.task is not None
    task = await work_on(database).claim(accepted.task.id)
    assert task is not None
    image = an_image(task)
    source = NewImage(image.key.replace(".png", "-source.png"), PNG, 8, 8)
    await images.put_old(image.key)
    await images.put_old(source.key)
    await remove_orphans(concepts, images)
    assert await work_on(database).complete(task, image, {}, source)
    assert await images.has(image.key)
    assert await images.has(source.key)


async def test_housekeeping_that_races_finishing_tasks_removes_nothing_that_is_named(
    images: Store, concepts: Concepts, database: Database
) -> None:
    """The images look old from the first moment, so that only the order of events protects them."""

    async def keep_house(finished: asyncio.Event) -> int:
        rounds = 0
        while not finished.is_set() or rounds == 0:
            await remove_orphans(concepts, images)
            rounds += 1
        return rounds

    async def finish(task: Task) -> str:
        image = an_image(task)
        await images.put_old(image.key)
        assert await work_on(database).complete(task, image, {}, None)
        return image.key

    finished = asyncio.Event()
    house_keepers = [asyncio.create_task(keep_house(finished)) for _ in range(2)]
    orphans = [await images.put_old(a_key()) for _ in range(20)]
    named: list[str] = []
    for _ in range(10):
        tasks = [await a_claimed_task(database) for _ in range(6)]
        named += await asyncio.gather(*(finish(task) for task in tasks))
    finished.set()
    assert min(await asyncio.gather(*house_keepers)) > 1
    assert [key for key in named if not await images.has(key)] == []
    assert [key for key in orphans if await images.has(key)] == []


async def test_a_concept_past_its_days_goes_with_its_image(
    images: Store, concepts: Concepts, database: Database
) -> None:
    old = await an_old_concept(database, images)
    young = await an_old_concept(database, images, age_days=DAYS - 1)
    await remove_expired(concepts, images, DAYS)
    assert await concepts.get(old.user_id, old.id) is None
    assert not await images.has(old.image_key)
    assert await concepts.get(young.user_id, young.id) is not None
    assert await images.has(young.image_key)


async def test_a_concept_stays_while_a_task_refines_it_and_goes_after(
    images: Store, concepts: Concepts, database: Database
) -> None:
    concept = await an_old_concept(database, images)
    task = await refine(database, concept)
    await remove_expired(concepts, images, DAYS)
    assert await images.has(concept.image_key)
    claimed = await work_on(database).claim(task.id)
    assert claimed is not None
    await remove_expired(concepts, images, DAYS)
    assert await images.has(concept.image_key)
    assert await work_on(database).fail(claimed, "engine_failed", "It failed.", None)
    await remove_expired(concepts, images, DAYS)
    assert not await images.has(concept.image_key)


async def test_the_children_of_an_expired_concept_stay_in_their_tree(
    images: Store, concepts: Concepts, database: Database
) -> None:
    parent = await an_old_concept(database, images)
    task = await work_on(database).claim((await refine(database, parent)).id)
    assert task is not None
    image = an_image(task)
    await images.put(image.key, b"body", content_type=PNG)
    assert await work_on(database).complete(task, image, {}, None)
    await remove_expired(concepts, images, DAYS)
    [child] = await concepts.page(parent.user_id, after=None, limit=10)
    assert child.parent_id == parent.id
    assert child.parent_deleted
    assert await concepts.lineage(parent.user_id, child.id) == [child]
    assert await images.has(image.key)


async def test_the_task_of_an_expired_result_shows_that_it_changed(
    images: Store, concepts: Concepts, database: Database
) -> None:
    task = await a_claimed_task(database)
    image = an_image(task)
    assert await work_on(database).complete(task, image, {}, None)
    tasks = Tasks(database, monthly_limit=10)
    before = await tasks.get(task.user_id, task.id)
    await database.fetch("UPDATE concept SET created_at = now() - interval '100 days'")
    await remove_expired(concepts, images, DAYS)
    after = await tasks.get(task.user_id, task.id)
    assert before is not None
    assert after is not None
    assert (before.result_key, after.result_key) == (image.key, None)
    assert after.version > before.version


async def test_an_image_that_could_not_be_removed_with_its_concept_is_an_orphan(
    images: Store, concepts: Concepts, database: Database, tmp_path: Path
) -> None:
    concept = await an_old_concept(database, images)
    (tmp_path / "images").rename(tmp_path / "unplugged")
    await remove_expired(concepts, images, DAYS)
    (tmp_path / "unplugged").rename(tmp_path / "images")
    assert await concepts.get(concept.user_id, concept.id) is None
    await remove_orphans(concepts, images)
    assert not await images.has(concept.image_key)


async def test_expiry_that_races_requests_leaves_no_concept_without_its_image(
    images: Store, concepts: Concepts, database: Database
) -> None:
    """Which of the two comes first is open; what comes of it is never a half of each."""
    for _ in range(20):
        concept = await an_old_concept(database, images)
        accepted, _ = await asyncio.gather(
            Tasks(database, monthly_limit=10).accept(a_request(concept.user_id, concept.image_key)),
            remove_expired(concepts, images, DAYS),
        )
        kept = await concepts.get(concept.user_id, concept.id)
        assert await images.has(concept.image_key) is (kept is not None)
        assert kept or accepted.outcome in (Outcome.CREATED, Outcome.UNKNOWN_SOURCE)
        assert kept is None or accepted.outcome is Outcome.CREATED
