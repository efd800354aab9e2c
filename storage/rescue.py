"""What keeps tasks moving when a message or a worker was lost; run by every worker, no leader."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from storage.database import Database


@dataclass(frozen=True, slots=True)
class Rescued:
    """Tasks whose worker died: to be tried again, and given up after the last attempt."""

    retried: list[UUID]
    failed: list[UUID]


class Rescue:
    """One method, one statement, each safe to run at once in any number of processes."""

    def __init__(self, database: Database, *, max_attempts: int) -> None:
        self._database = database
        self._max_attempts = max_attempts

    async def due(self, *, limit: int) -> dict[UUID, str | None]:
        """Pending tasks that are to be announced to the queue now, with their traces.

        Taking a row sets when it would be due again, after 2, 4, 6 … and at last every 60 s. A lost
        message costs its task no longer than it has waited already. One that merely waits its turn
        is doubled, which is harmless as long as the copies do not fill the queue.
        """
        rows = await self._database.fetch(
            """
            UPDATE task SET publish_count = publish_count + 1,
                publish_at = now() + least(2 * (publish_count + 1), 60) * interval '1 second'
            WHERE id IN (
                SELECT id FROM task WHERE status = 'pending' AND publish_at <= now()
                ORDER BY publish_at LIMIT $1 FOR UPDATE SKIP LOCKED)
            RETURNING id, traceparent
            """,
            limit,
        )
        return {row["id"]: row["traceparent"] for row in rows}

    async def not_published(self, ids: list[UUID]) -> None:
        """The queue did not take these: they are due again in a second."""
        await self._database.fetch(
            """
            UPDATE task SET publish_at = now() + interval '1 second', publish_count = 0
            WHERE id = ANY($1::uuid[]) AND status = 'pending' RETURNING id
            """,
            ids,
        )

    async def expired_leases(self, message: str) -> Rescued:
        """Take tasks from workers that stopped renewing; fail those that have no attempt left."""
        rows = await self._database.fetch(
            """
            WITH lost AS (
                SELECT id, attempt - released >= $1 AS spent FROM task
                WHERE status = 'processing' AND lease_until < now()
                ORDER BY lease_until LIMIT 100 FOR UPDATE SKIP LOCKED
            )
            UPDATE task SET lease_until = NULL, stage = NULL,
                status = CASE WHEN spent THEN 'failed' ELSE 'pending' END,
                progress = CASE WHEN spent THEN progress ELSE 0 END,
                run_at = now(), publish_at = now(), publish_count = 0,
                error_code = CASE WHEN spent THEN 'internal_error' END,
                error_message = CASE WHEN spent THEN $2 END,
                completed_at = CASE WHEN spent THEN now() END,
                charged_month = CASE WHEN NOT spent THEN charged_month END
            FROM lost WHERE task.id = lost.id
            RETURNING task.id, spent
            """,
            self._max_attempts,
            message,
        )
        return Rescued(
            retried=[row["id"] for row in rows if not row["spent"]],
            failed=[row["id"] for row in rows if row["spent"]],
        )

    async def expire_idempotency_keys(self) -> None:
        """Forget keys after 24 hours."""
        await self._database.fetch(
            """
            UPDATE task SET idempotency_key = NULL
            WHERE id IN (
                SELECT id FROM task WHERE idempotency_key IS NOT NULL
                  AND created_at <= now() - interval '24 hours' LIMIT 1000)
            RETURNING id
            """
        )
