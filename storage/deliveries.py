"""What webhooks are owed and what became of it. A trigger owes them in the transaction that ends a
task; whoever sends claims a delivery, and every write names the attempt that claimed it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from storage.database import Database
from storage.tasks import Position

TEST = "webhook.test"
KEPT_DAYS = 30
FORGET_BATCH = 1_000


class Trouble(StrEnum):
    """Why an attempt failed."""

    REFUSED = "refused"
    REDIRECTED = "redirected"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    ADDRESS_REFUSED = "address_refused"
    CERTIFICATE_INVALID = "certificate_invalid"
    GONE = "gone"
    TASK_DELETED = "task_deleted"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook, as its owner sees it.

    `status` is `pending`, `delivered` or `failed`; `trouble` is that of the last attempt.
    """

    id: UUID
    webhook_id: UUID
    event: str
    task_id: UUID | None
    status: str
    attempt: int
    due_at: datetime | None
    attempted_at: datetime | None
    response_status: int | None
    trouble: Trouble | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery to be attempted now. `sent_at_s` is the time of the attempt in epoch seconds."""

    id: UUID
    attempt: int
    webhook_id: UUID
    user_id: UUID
    url: str
    secret: bytes
    event: str
    task_id: UUID | None
    created_at: datetime
    sent_at_s: int


class Deliveries:
    """One method, one statement; the WHERE clause is the lock. All times are the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, *, limit: int, lease_s: float) -> list[Claimed]:
        """Begin the next attempt of those that are due; after `lease_s` each is due again."""
        rows = await self._database.fetch(
            """
            WITH claimed AS (
                UPDATE webhook_delivery SET attempt = attempt + 1, attempted_at = now(),
                    due_at = now() + make_interval(secs => $2)
                WHERE id IN (
                    SELECT id FROM webhook_delivery WHERE status = 'pending' AND due_at <= now()
                    ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
                RETURNING *
            )
            SELECT claimed.id, claimed.attempt, claimed.webhook_id, webhook.user_id, webhook.url,
                webhook.secret, claimed.event, claimed.task_id, claimed.created_at,
                extract(epoch FROM claimed.attempted_at)::bigint AS sent_at_s
            FROM claimed JOIN webhook ON webhook.id = claimed.webhook_id
            """,
            limit,
            lease_s,
        )
        return [
            Claimed(**{field.name: row[field.name] for field in fields(Claimed)}) for row in rows
        ]

    async def delivered(self, claimed: Claimed, response_status: int) -> None:
        """The receiver has it."""
        await self._database.fetch(
            """
            UPDATE webhook_delivery SET status = 'delivered', due_at = NULL, error = NULL,
                response_status = $3
            WHERE id = $1 AND attempt = $2 AND status = 'pending' RETURNING id
            """,
            claimed.id,
            claimed.attempt,
            response_status,
        )

    async def failed(
        self,
        claimed: Claimed,
        trouble: Trouble,
        response_status: int | None,
        *,
        retry_after_s: float | None,
        jitter_s: float = 0,
    ) -> None:
        """The attempt failed; the next one is after `retry_after_s` and a time drawn between 0 and
        `jitter_s`, or never when that is None."""
        await self._database.fetch(
            """
            UPDATE webhook_delivery SET error = $3, response_status = $4,
                status = CASE WHEN $5::float IS NULL THEN 'failed' ELSE 'pending' END,
                due_at = now() + make_interval(secs => $5::float + random() * $6::float)
            WHERE id = $1 AND attempt = $2 AND status = 'pending' RETURNING id
            """,
            claimed.id,
            claimed.attempt,
            trouble,
            response_status,
            retry_after_s,
            jitter_s,
        )

    async def gone(self, claimed: Claimed, response_status: int) -> None:
        """The receiver wants nothing any more: disable its webhook and all that it is owed."""
        await self._database.fetch(
            """
            WITH dead AS (
                UPDATE webhook SET disabled_at = coalesce(disabled_at, now())
                FROM webhook_delivery AS told
                WHERE told.id = $1 AND told.attempt = $2 AND told.status = 'pending'
                  AND webhook.id = told.webhook_id
                RETURNING webhook.id
            )
            UPDATE webhook_delivery SET status = 'failed', due_at = NULL, error = 'gone',
                response_status =
                    CASE WHEN webhook_delivery.id = $1 THEN $3 ELSE response_status END
            FROM dead
            WHERE webhook_delivery.webhook_id = dead.id AND webhook_delivery.status = 'pending'
            RETURNING webhook_delivery.id
            """,
            claimed.id,
            claimed.attempt,
            response_status,
        )

    async def owe_test(self, user_id: UUID, webhook_id: UUID) -> Delivery | None:
        """Owe the user's webhook a test; one that has not been sent yet is that test.

        None when there is no such webhook, or it has been disabled.
        """
        row = await self._database.fetchrow(
            """
            INSERT INTO webhook_delivery AS owed (webhook_id, event)
            SELECT id, $3 FROM webhook
            WHERE id = $2 AND user_id = $1 AND disabled_at IS NULL FOR KEY SHARE
            ON CONFLICT (webhook_id) WHERE event = 'webhook.test' AND status = 'pending'
            DO UPDATE SET due_at = owed.due_at
            RETURNING *
            """,
            user_id,
            webhook_id,
            TEST,
        )
        return _delivery_from(row) if row else None

    async def page(self, webhook_id: UUID, *, after: Position | None, limit: int) -> list[Delivery]:
        """The webhook's deliveries, newest first, from just after a position."""
        rows = await self._database.fetch(
            """
            SELECT * FROM webhook_delivery
            WHERE webhook_id = $1
              AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
            ORDER BY created_at DESC, id DESC LIMIT $4
            """,
            webhook_id,
            after.created_at if after else None,
            after.id if after else None,
            limit,
        )
        return [_delivery_from(row) for row in rows]

    async def forget_old(self) -> None:
        """Forget settled deliveries after 30 days."""
        await self._database.fetch(
            """
            DELETE FROM webhook_delivery WHERE id IN (
                SELECT id FROM webhook_delivery
                WHERE status <> 'pending' AND created_at < now() - make_interval(days => $1)
                LIMIT $2)
            RETURNING id
            """,
            KEPT_DAYS,
            FORGET_BATCH,
        )


def _delivery_from(row: asyncpg.Record) -> Delivery:
    return Delivery(
        id=row["id"],
        webhook_id=row["webhook_id"],
        event=row["event"],
        task_id=row["task_id"],
        status=row["status"],
        attempt=row["attempt"],
        due_at=row["due_at"],
        attempted_at=row["attempted_at"],
        response_status=row["response_status"],
        trouble=Trouble(row["error"]) if row["error"] else None,
        created_at=row["created_at"],
    )
