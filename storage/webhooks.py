"""Whom a user wants to be told that tasks have ended. What is told them is in `deliveries`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from storage.database import Database

MAX_WEBHOOKS = 10
"""How many a user may have; the schema knows the number too."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One row, without its secret. A disabled one is told nothing any more."""

    id: UUID
    user_id: UUID
    url: str
    events: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None


class Webhooks:
    """One method, one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, user_id: UUID, url: str, events: tuple[str, ...], secret: bytes
    ) -> Webhook | None:
        """Keep a webhook; None when the user has as many as there may be.

        Of those made at once some meet at a slot. Each time that happens another one has got in,
        so there are no more rounds than slots.
        """
        for _ in range(MAX_WEBHOOKS):
            try:
                return await self._add(user_id, url, events, secret)
            except asyncpg.UniqueViolationError:
                continue
        return await self._add(user_id, url, events, secret)

    async def _add(
        self, user_id: UUID, url: str, events: tuple[str, ...], secret: bytes
    ) -> Webhook | None:
        row = await self._database.fetchrow(
            """
            INSERT INTO webhook (user_id, slot, url, events, secret)
            SELECT $1, free.slot, $2, $3, $4 FROM generate_series(1, $5::int) AS free (slot)
            WHERE NOT EXISTS (
                SELECT FROM webhook WHERE user_id = $1 AND webhook.slot = free.slot)
            ORDER BY free.slot LIMIT 1
            RETURNING *
            """,
            user_id,
            url,
            list(events),
            secret,
            MAX_WEBHOOKS,
        )
        return _webhook_from(row) if row else None

    async def get(self, user_id: UUID, webhook_id: UUID) -> Webhook | None:
        """The user's webhook."""
        row = await self._database.fetchrow(
            "SELECT * FROM webhook WHERE id = $2 AND user_id = $1", user_id, webhook_id
        )
        return _webhook_from(row) if row else None

    async def all(self, user_id: UUID) -> list[Webhook]:
        """The user's webhooks, newest first."""
        rows = await self._database.fetch(
            "SELECT * FROM webhook WHERE user_id = $1 ORDER BY created_at DESC, id DESC", user_id
        )
        return [_webhook_from(row) for row in rows]

    async def delete(self, user_id: UUID, webhook_id: UUID) -> bool:
        """Delete a webhook with its deliveries, sent or not; False when there is none."""
        row = await self._database.fetchrow(
            "DELETE FROM webhook WHERE id = $2 AND user_id = $1 RETURNING id", user_id, webhook_id
        )
        return row is not None


def _webhook_from(row: asyncpg.Record) -> Webhook:
    return Webhook(
        id=row["id"],
        user_id=row["user_id"],
        url=row["url"],
        events=tuple(row["events"]),
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
    )
