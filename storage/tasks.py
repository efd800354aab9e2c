"""Tasks as their owners see them: accept a request, read, cancel, delete. What workers do with a
task is in `work`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from storage.database import Database, DatabaseUnavailable
from storage.records import quota_from, task_from
from storage.task import Quota, Status, Task

ACCEPT_TRIES = 5


class Outcome(StrEnum):
    """What became of a request, in the order in which the answers are decided."""

    REPLAYED = "replayed"
    UNKNOWN_SOURCE = "unknown_source"
    ACTIVE = "active"
    CREATED = "created"
    QUOTA_EXCEEDED = "quota_exceeded"


@dataclass(frozen=True, slots=True)
class NewTask:
    """A request to be accepted.

    `source_key` is the image key of the concept to refine; None means that `source_url` points to
    an allowed outside host. `request_hash` tells whether a repeated `idempotency_key` is a retry.
    `traceparent` is the trace that the request belongs to.
    """

    user_id: UUID
    source_url: str
    source_key: str | None
    prompt: str
    logo_description: str | None
    theme_description: str | None
    preserve_aspects: tuple[str, ...]
    request_id: str
    idempotency_key: str | None
    request_hash: bytes
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a request. `task` is there for REPLAYED, ACTIVE and CREATED.

    `same_request` is False for a replay whose body was another one.
    """

    outcome: Outcome
    task: Task | None
    quota: Quota
    same_request: bool


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of a newest-first list ended."""

    created_at: datetime
    id: UUID


class Tasks:
    """One method, one statement. All times are the database's."""

    def __init__(self, database: Database, *, monthly_limit: int) -> None:
        self._database = database
        self._monthly_limit = monthly_limit

    async def accept(self, new: NewTask) -> Accepted:
        """Decide about a request and, when it is accepted, charge it and keep it: all or nothing.

        Simultaneous requests of one user meet at the unique index on active tasks: the loser's
        statement is undone as a whole, charge included, and the next try sees the winner.
        """
        for _ in range(ACCEPT_TRIES - 1):
            try:
                return await self._accept(new)
            except asyncpg.UniqueViolationError:
                continue
        try:
            return await self._accept(new)
        except asyncpg.UniqueViolationError as error:
            raise DatabaseUnavailable(DatabaseUnavailable.__doc__) from error

    async def _accept(self, new: NewTask) -> Accepted:
        row = await self._database.fetchrow(
            """
            WITH clock AS (
                SELECT month, month + interval '1 month' AS next_month
                FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AS month) AS this
            ), replay AS (
                SELECT id FROM task
                WHERE user_id = $1 AND idempotency_key = $9
                  AND created_at > now() - interval '24 hours'
            ), expired AS (
                UPDATE task SET idempotency_key = NULL
                WHERE user_id = $1 AND idempotency_key = $9
                  AND created_at <= now() - interval '24 hours'
                RETURNING id
            ), source AS (
                SELECT id, image_key FROM concept WHERE user_id = $1 AND image_key = $3
            ), active AS (
                SELECT id FROM task WHERE user_id = $1 AND status IN ('pending', 'processing')
            ), charge AS (
                INSERT INTO quota AS q (user_id, month, used)
                SELECT $1, month, 1 FROM clock
                WHERE $11::int > 0
                  AND NOT EXISTS (SELECT FROM replay) AND NOT EXISTS (SELECT FROM active)
                  AND ($3::text IS NULL OR EXISTS (SELECT FROM source))
                ON CONFLICT (user_id, month) DO UPDATE SET used = q.used + 1 WHERE q.used < $11
                RETURNING month, used
            ), created AS (
                INSERT INTO task (user_id, concept_id, source_url, prompt, logo_description,
                    theme_description, preserve_aspects, request_id, idempotency_key,
                    request_hash, traceparent, charged_month)
                SELECT $1, source.id, $2, $4, $5, $6, $7, $8, $9, $10, $12, charge.month
                FROM charge LEFT JOIN source ON true
                -- reading `expired` here makes the old holder of the key let go of it first
                WHERE (SELECT count(*) FROM expired) >= 0
                RETURNING *
            ), chosen AS (
                SELECT * FROM created
                UNION ALL
                SELECT * FROM task
                WHERE id = coalesce((SELECT id FROM replay), (SELECT id FROM active))
            )
            SELECT chosen.*, source.image_key AS source_key, result.image_key AS result_key,
                CASE
                    WHEN EXISTS (SELECT FROM replay) THEN 'replayed'
                    WHEN $3::text IS NOT NULL AND NOT EXISTS (SELECT FROM source)
                        THEN 'unknown_source'
                    WHEN EXISTS (SELECT FROM active) THEN 'active'
                    WHEN EXISTS (SELECT FROM charge) THEN 'created'
                    ELSE 'quota_exceeded'
                END AS outcome,
                coalesce((SELECT used FROM charge), quota.used, 0) AS used,
                clock.next_month AT TIME ZONE 'UTC' AS resets_at,
                ceil(extract(epoch FROM clock.next_month AT TIME ZONE 'UTC' - now()))::int
                    AS reset_after_s,
                extract(epoch FROM clock.next_month - clock.month)::int AS month_s
            FROM clock
            LEFT JOIN quota ON quota.user_id = $1 AND quota.month = clock.month
            LEFT JOIN chosen ON true
            LEFT JOIN concept AS source ON source.id = chosen.concept_id
            LEFT JOIN concept AS result ON result.id = chosen.result_id
            """,
            new.user_id,
            new.source_url,
            new.source_key,
            new.prompt,
            new.logo_description,
            new.theme_description,
            list(new.preserve_aspects),
            new.request_id,
            new.idempotency_key,
            new.request_hash,
            self._monthly_limit,
            new.traceparent,
        )
        assert row is not None
        has_task = row["id"] is not None and row["outcome"] != Outcome.UNKNOWN_SOURCE
        outcome = Outcome(row["outcome"])
        return Accepted(
            outcome=outcome,
            task=task_from(row) if has_task else None,
            quota=quota_from(row, self._monthly_limit),
            same_request=(
                outcome is not Outcome.REPLAYED or row["request_hash"] == new.request_hash
            ),
        )

    async def get(self, user_id: UUID, task_id: UUID) -> Task | None:
        """The user's task."""
        row = await self._database.fetchrow(
            """
            SELECT task.*, source.image_key AS source_key, result.image_key AS result_key
            FROM task
            LEFT JOIN concept AS source ON source.id = task.concept_id
            LEFT JOIN concept AS result ON result.id = task.result_id
            WHERE task.id = $2 AND task.user_id = $1
            """,
            user_id,
            task_id,
        )
        return task_from(row) if row else None

    async def page(
        self, user_id: UUID, *, status: Status | None, after: Position | None, limit: int
    ) -> list[Task]:
        """The user's tasks, newest first, from just after a position."""
        rows = await self._database.fetch(
            """
            SELECT task.*, source.image_key AS source_key, result.image_key AS result_key
            FROM task
            LEFT JOIN concept AS source ON source.id = task.concept_id
            LEFT JOIN concept AS result ON result.id = task.result_id
            WHERE task.user_id = $1 AND ($2::text IS NULL OR task.status = $2)
              AND ($3::timestamptz IS NULL OR (task.created_at, task.id) < ($3, $4::uuid))
            ORDER BY task.created_at DESC, task.id DESC
            LIMIT $5
            """,
            user_id,
            status,
            after.created_at if after else None,
            after.id if after else None,
            limit,
        )
        return [task_from(row) for row in rows]

    async def cancel(self, user_id: UUID, task_id: UUID, message: str) -> bool:
        """End an active task as canceled; False when there is no such active task.

        The charge is given back while no work has begun. A worker that runs it learns of it at its
        next heartbeat, which touches nothing any more.
        """
        row = await self._database.fetchrow(
            """
            UPDATE task SET status = 'failed', error_code = 'canceled', error_message = $3,
                completed_at = now(), lease_until = NULL, stage = NULL,
                charged_month = CASE WHEN attempt > 0 THEN charged_month END
            WHERE id = $2 AND user_id = $1 AND status IN ('pending', 'processing')
            RETURNING id
            """,
            user_id,
            task_id,
            message,
        )
        return row is not None

    async def delete(self, user_id: UUID, task_id: UUID) -> bool:
        """Delete an ended task; False when there is no such ended task."""
        row = await self._database.fetchrow(
            """
            DELETE FROM task WHERE id = $2 AND user_id = $1 AND status IN ('completed', 'failed')
            RETURNING id
            """,
            user_id,
            task_id,
        )
        return row is not None

    async def quota(self, user_id: UUID) -> Quota:
        """The user's quota of this month."""
        row = await self._database.fetchrow(
            """
            SELECT coalesce(quota.used, 0) AS used, next_month AT TIME ZONE 'UTC' AS resets_at,
                ceil(extract(epoch FROM next_month AT TIME ZONE 'UTC' - now()))::int
                    AS reset_after_s,
                extract(epoch FROM next_month - clock.month)::int AS month_s
            FROM (SELECT month, month + interval '1 month' AS next_month
                  FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AS month) AS this
            ) AS clock
            LEFT JOIN quota ON quota.user_id = $1 AND quota.month = clock.month
            """,
            user_id,
        )
        assert row is not None
        return quota_from(row, self._monthly_limit)
