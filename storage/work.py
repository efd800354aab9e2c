"""Tasks as workers see them: claim, keep the lease, end. Every write names the attempt that claimed
the task, so a worker that lost its lease changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from storage.concept import NewImage
from storage.database import Database
from storage.records import task_from
from storage.task import Task


class Work:
    """One method, one statement; the WHERE clause is the lock. All times are the database's."""

    def __init__(self, database: Database, *, lease_s: float, max_attempts: int) -> None:
        self._database = database
        self._lease_s = lease_s
        self._max_attempts = max_attempts

    async def claim(self, task_id: UUID) -> Task | None:
        """Begin an attempt. None when there is nothing to do: the hint was stale."""
        row = await self._database.fetchrow(
            """
            WITH claimed AS (
                UPDATE task SET status = 'processing', attempt = attempt + 1, progress = 0,
                    stage = NULL, lease_until = now() + make_interval(secs => $2)
                WHERE id = $1 AND attempt - released < $3
                  AND (status = 'pending' AND run_at <= now()
                       OR status = 'processing' AND lease_until < now())
                RETURNING *
            )
            SELECT claimed.*, source.image_key AS source_key,
                source.logo_description AS source_logo_description,
                source.theme_description AS source_theme_description
            FROM claimed LEFT JOIN concept AS source ON source.id = claimed.concept_id
            """,
            task_id,
            self._lease_s,
            self._max_attempts,
        )
        return task_from(row) if row else None

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
        row = await self._database.fetchrow(
            """
            WITH mine AS (
                SELECT * FROM task
                WHERE id = $1 AND attempt = $2 AND status = 'processing' FOR UPDATE
            ), fetched AS (
                INSERT INTO concept (id, user_id, root_id, image_key, content_type, width, height,
                    logo_description, theme_description)
                SELECT new.id, user_id, new.id, $8, $9, $10, $11,
                    logo_description, theme_description
                FROM mine, (SELECT gen_random_uuid() AS id) AS new
                WHERE $8::text IS NOT NULL
                RETURNING id, root_id
            ), parent AS (
                SELECT id, root_id, NULL AS logo_description, NULL AS theme_description
                FROM fetched
                UNION ALL
                SELECT concept.id, concept.root_id, concept.logo_description,
                    concept.theme_description
                FROM concept JOIN mine ON concept.id = mine.concept_id
            ), made AS (
                INSERT INTO concept (user_id, parent_id, root_id, task_id, image_key, content_type,
                    width, height, refinement_prompt, logo_description, theme_description,
                    engine, report)
                SELECT mine.user_id, parent.id, parent.root_id, mine.id, $3, $4, $5, $6,
                    mine.prompt, coalesce(mine.logo_description, parent.logo_description),
                    coalesce(mine.theme_description, parent.theme_description),
                    $7::jsonb ->> 'engine', $7
                FROM mine, parent
                RETURNING id
            )
            UPDATE task SET status = 'completed', completed_at = now(), lease_until = NULL,
                progress = 1, stage = NULL, result_id = made.id, report = $7
            FROM made
            WHERE task.id = $1
            RETURNING task.id
            """,
            task.id,
            task.attempt,
            image.key,
            image.content_type,
            image.width,
            image.height,
            dict(report),
            fetched.key if fetched else None,
            fetched.content_type if fetched else None,
            fetched.width if fetched else None,
            fetched.height if fetched else None,
        )
        return row is not None

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
