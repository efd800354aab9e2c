"""Tasks as workers see them: claim, keep the lease, end. Every write names the attempt that claimed
the task, so a worker that lost its lease changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from storage.batches import Batches
from storage.concept import NewImage
from storage.database import Database, DatabaseUnavailable
from storage.records import task_from
from storage.task import Task

STATEMENTS_AT_ONCE = 1


@dataclass(frozen=True, slots=True)
class Completion:
    """What an attempt made. `fetched` is the original when it came from an outside host."""

    task: Task
    image: NewImage
    report: Mapping[str, Any]
    fetched: NewImage | None


class Work:
    """One method, one statement; the WHERE clause is the lock. All times are the database's.

    Claims and completions that are asked for together travel in one statement, each row fenced for
    itself; they lock rows in the order of their ids, so that two statements never deadlock.
    """

    def __init__(self, database: Database, *, lease_s: float, max_attempts: int) -> None:
        self._database = database
        self._lease_s = lease_s
        self._max_attempts = max_attempts
        self._claims = Batches(self._claim_all, at_once=STATEMENTS_AT_ONCE)
        self._completions = Batches(self._complete_all, at_once=STATEMENTS_AT_ONCE)

    async def claim(self, task_id: UUID) -> Task | None:
        """Begin an attempt. None when there is nothing to do: the hint was stale.

        Cancelled, it waits for the answer and gives back what was begun.
        """
        claiming = self._claims.ask(task_id)
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with contextlib.suppress(DatabaseUnavailable):
                if task := await claiming:
                    await self.release(task)
            raise

    async def _claim_all(self, task_ids: Sequence[UUID]) -> list[Task | None]:
        rows = await self._database.fetch(
            """
            WITH free AS (
                SELECT task.id
                FROM (SELECT * FROM unnest($1::uuid[]) AS id ORDER BY id) AS asked
                CROSS JOIN LATERAL (
                    SELECT id FROM task
                    WHERE id = asked.id AND attempt - released < $3
                      AND (status = 'pending' AND run_at <= now()
                           OR status = 'processing' AND lease_until < now())
                    FOR UPDATE
                ) AS task
            ), claimed AS (
                UPDATE task SET status = 'processing', attempt = attempt + 1, progress = 0,
                    stage = NULL, lease_until = now() + make_interval(secs => $2)
                FROM free WHERE task.id = free.id
                RETURNING task.*
            )
            SELECT claimed.*, source.image_key AS source_key,
                source.logo_description AS source_logo_description,
                source.theme_description AS source_theme_description
            FROM claimed LEFT JOIN concept AS source ON source.id = claimed.concept_id
            """,
            task_ids,
            self._lease_s,
            self._max_attempts,
        )
        claimed = {row["id"]: task_from(row) for row in rows}
        # of two who ask for the same task, the first has it
        return [claimed.pop(task_id, None) for task_id in task_ids]

    async def heartbeat(self, task: Task, progress: float, stage: str | None) -> bool:
        """Extend the lease and tell how far the work is. False when the lease is lost."""
        row = await self._database.fetchrow(
            """
            UPDATE task SET lease_until = now() + make_interval(secs => $3),
                progress = greatest(progress, $4::real), stage = $5
            WHERE id = $1 AND attempt = $2 AND status = 'processing'
            RETURNING id
            """,
            task.id,
            task.attempt,
            self._lease_s,
            progress,
            stage,
        )
        return row is not None

    async def is_active(self, task: Task) -> bool:
        """Whether anyone still waits for the task, in this attempt or another."""
        row = await self._database.fetchrow(
            "SELECT 1 FROM task WHERE id = $1 AND status IN ('pending', 'processing')", task.id
        )
        return row is not None

    async def keep_note(self, task: Task, note: Mapping[str, Any]) -> bool:
        """Keep what the engine wants to find again at the next attempt. False: lease lost."""
        row = await self._database.fetchrow(
            """
            UPDATE task SET engine_note = $3
            WHERE id = $1 AND attempt = $2 AND status = 'processing'
            RETURNING id
            """,
            task.id,
            task.attempt,
            dict(note),
        )
        return row is not None

    async def complete(
        self, task: Task, image: NewImage, report: Mapping[str, Any], fetched: NewImage | None
    ) -> bool:
        """Publish the new concept and end the task, together. False when the lease is lost.

        `fetched` is the original when it came from an outside host: it becomes the root of a tree.
        """
        return await self._completions.ask(Completion(task, image, report, fetched))

    async def _complete_all(self, completions: Sequence[Completion]) -> list[bool]:
        rows = await self._database.fetch(
            """
            WITH done AS (
                SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::int[],
                    $6::int[], $7::jsonb[], $8::text[], $9::text[], $10::int[], $11::int[])
                AS done (id, attempt, image_key, content_type, width, height, report,
                    fetched_key, fetched_type, fetched_width, fetched_height)
            ), mine AS (
                SELECT done.*, task.user_id, task.prompt,
                    coalesce(task.logo_description, source.logo_description) AS logo_description,
                    coalesce(task.theme_description, source.theme_description)
                        AS theme_description,
                    coalesce(source.id, gen_random_uuid()) AS parent_id, source.root_id
                FROM (SELECT * FROM done ORDER BY id) AS done
                CROSS JOIN LATERAL (
                    SELECT * FROM task
                    WHERE id = done.id AND attempt = done.attempt AND status = 'processing'
                    FOR UPDATE
                ) AS task
                LEFT JOIN concept AS source
                    ON source.id = task.concept_id AND done.fetched_key IS NULL
            ), fetched AS (
                INSERT INTO concept (id, user_id, root_id, image_key, content_type, width, height,
                    logo_description, theme_description)
                SELECT parent_id, user_id, parent_id, fetched_key, fetched_type, fetched_width,
                    fetched_height, logo_description, theme_description
                FROM mine WHERE fetched_key IS NOT NULL
            ), made AS (
                INSERT INTO concept (user_id, parent_id, root_id, task_id, image_key, content_type,
                    width, height, refinement_prompt, logo_description, theme_description,
                    engine, report)
                SELECT user_id, parent_id, coalesce(root_id, parent_id), id, image_key,
                    content_type, width, height, prompt, logo_description, theme_description,
                    report ->> 'engine', report
                FROM mine WHERE fetched_key IS NOT NULL OR root_id IS NOT NULL
                RETURNING id, task_id, report
            )
            UPDATE task SET status = 'completed', completed_at = now(), lease_until = NULL,
                progress = 1, stage = NULL, result_id = made.id, report = made.report
            FROM made WHERE task.id = made.task_id
            RETURNING task.id
            """,
            *zip(*map(_columns_of, completions), strict=True),
        )
        ended = {row["id"] for row in rows}
        return [completion.task.id in ended for completion in completions]

    async def fail(
        self, task: Task, code: str, message: str, report: Mapping[str, Any] | None
    ) -> bool:
        """End the task and give its charge back, together. False when the lease is lost."""
        row = await self._database.fetchrow(
            """
            UPDATE task SET status = 'failed', completed_at = now(), lease_until = NULL,
                stage = NULL, error_code = $3, error_message = $4, report = $5,
                charged_month = NULL
            WHERE id = $1 AND attempt = $2 AND status = 'processing'
            RETURNING id
            """,
            task.id,
            task.attempt,
            code,
            message,
            dict(report) if report else None,
        )
        return row is not None

    async def retry(self, task: Task, *, wait_s: float, jitter_s: float) -> bool:
        """Give the task up for a later attempt. False when the lease is lost, or that was the last.

        It waits `wait_s` and a time drawn between 0 and `jitter_s` (full jitter).
        https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        row = await self._database.fetchrow(
            """
            UPDATE task SET status = 'pending', lease_until = NULL, stage = NULL, progress = 0,
                run_at = wait.until, publish_at = wait.until, publish_count = 0
            FROM (SELECT now() + make_interval(secs => $3 + random() * $4) AS until) AS wait
            WHERE id = $1 AND attempt = $2 AND status = 'processing' AND attempt - released < $5
            RETURNING id
            """,
            task.id,
            task.attempt,
            wait_s,
            jitter_s,
            self._max_attempts,
        )
        return row is not None

    async def release(self, task: Task) -> bool:
        """Give an unfinished task back because this worker stops.

        The attempt is not held against the task, but its number stays used: it is the fence.
        """
        row = await self._database.fetchrow(
            """
            UPDATE task SET status = 'pending', lease_until = NULL, stage = NULL, progress = 0,
                released = released + 1, run_at = now(), publish_at = now(), publish_count = 0
            WHERE id = $1 AND attempt = $2 AND status = 'processing'
            RETURNING id
            """,
            task.id,
            task.attempt,
        )
        return row is not None


def _columns_of(completion: Completion) -> tuple[object, ...]:
    fetched = completion.fetched
    return (
        completion.task.id,
        completion.task.attempt,
        completion.image.key,
        completion.image.content_type,
        completion.image.width,
        completion.image.height,
        dict(completion.report),
        fetched.key if fetched else None,
        fetched.content_type if fetched else None,
        fetched.width if fetched else None,
        fetched.height if fetched else None,
    )
