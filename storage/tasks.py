"""Tasks as their owners see them: accept a request, read, cancel, delete. What workers do with a
task is in `work`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from storage.accepting import Accepted, NewTask, decide
from storage.batches import Batches
from storage.database import Database, DatabaseUnavailable
from storage.records import quota_from, task_from
from storage.task import Quota, Status, Task

ACCEPT_TRIES = 5
STATEMENTS_AT_ONCE = 1


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of a newest-first list ended."""

    created_at: datetime
    id: UUID


class Tasks:
    """One method, one statement. All times are the database's.

    Requests that come together are accepted in one statement, and so are tasks read, each row for
    itself: under load a request costs a part of a statement, alone it waits for nobody.
    """

    def __init__(self, database: Database, *, monthly_limit: int) -> None:
        self._database = database
        self._monthly_limit = monthly_limit
        # the second request of a user is decided when the first has been, and sees it
        self._accepting = Batches(
            self._accept_all, at_once=STATEMENTS_AT_ONCE, apart=lambda new: new.user_id
        )
        self._reading = Batches(self._get_all, at_once=STATEMENTS_AT_ONCE)

    async def accept(self, new: NewTask) -> Accepted:
        """Decide about a request and, when it is accepted, charge it and keep it: all or nothing.

        Simultaneous requests of one user meet at the unique index on active tasks: the loser's
        statement is undone as a whole, charge included, and the next try sees the winner.
        """
        for _ in range(ACCEPT_TRIES - 1):
            try:
                return await self._accepting.ask(new)
            except asyncpg.UniqueViolationError:
                continue
        try:
            return await self._accepting.ask(new)
        except asyncpg.UniqueViolationError as error:
            raise DatabaseUnavailable(DatabaseUnavailable.__doc__) from error

    async def _accept_all(self, requests: Sequence[NewTask]) -> list[Accepted]:
        accepted = await decide(self._database, requests, monthly_limit=self._monthly_limit)
        return [accepted[new.user_id] for new in requests]

    async def get(self, user_id: UUID, task_id: UUID) -> Task | None:
        """The user's task."""
        return await self._reading.ask((user_id, task_id))

    async def _get_all(self, wanted: Sequence[tuple[UUID, UUID]]) -> list[Task | None]:
        rows = await self._database.fetch(
            """
            SELECT task.*, source.image_key AS source_key, result.image_key AS result_key
            FROM unnest($1::uuid[], $2::uuid[]) AS wanted (user_id, id)
            JOIN task ON task.id = wanted.id AND task.user_id = wanted.user_id
            LEFT JOIN concept AS source ON source.id = task.concept_id
            LEFT JOIN concept AS result ON result.id = task.result_id
            """,
            *zip(*dict.fromkeys(wanted), strict=True),
        )
        found = {(row["user_id"], row["id"]): task_from(row) for row in rows}
        return [found.get(one) for one in wanted]

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
