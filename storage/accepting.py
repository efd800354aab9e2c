"""Decide about requests to refine, in one statement: each is accepted and charged, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import asyncpg

from storage.database import Database
from storage.records import quota_from, task_from
from storage.task import Quota, Task


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
    an allowed outside host. `request_hash` tells whether a repeated `idempotency_key` is a retry;
    None without one. `traceparent` is the trace that the request belongs to.
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
    request_hash: bytes | None
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


# Users are charged in the order of their ids, so that two statements never deadlock.
_DECIDE = """
WITH clock AS (
    SELECT month, month + interval '1 month' AS next_month
    FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AS month) AS this
), asked AS (
    SELECT * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::bytea[], $12::text[])
    AS asked (user_id, source_url, source_key, prompt, logo_description, theme_description,
        preserve_aspects, request_id, idempotency_key, request_hash, traceparent)
), found AS (
    SELECT asked.*, source.id AS source_id, active.id AS active_id,
        holder.id AS holder_id, holder.created_at > now() - interval '24 hours' AS is_replay
    FROM asked
    LEFT JOIN task AS holder ON holder.user_id = asked.user_id
        AND holder.idempotency_key = asked.idempotency_key
    LEFT JOIN concept AS source ON source.user_id = asked.user_id
        AND source.image_key = asked.source_key
    LEFT JOIN task AS active ON active.user_id = asked.user_id
        AND active.status IN ('pending', 'processing')
), seen AS (
    SELECT found.*, CASE WHEN is_replay THEN holder_id ELSE active_id END AS seen_id,
        CASE
            WHEN is_replay THEN 'replayed'
            WHEN source_key IS NOT NULL AND source_id IS NULL THEN 'unknown_source'
            WHEN active_id IS NOT NULL THEN 'active'
        END AS outcome
    FROM found
), expired AS (
    UPDATE task SET idempotency_key = NULL FROM seen
    WHERE task.id = seen.holder_id AND NOT seen.is_replay
    RETURNING task.id
), charge AS (
    INSERT INTO quota AS q (user_id, month, used)
    SELECT user_id, month, 1 FROM seen CROSS JOIN clock
    WHERE $1::int > 0 AND outcome IS NULL
    ORDER BY user_id
    ON CONFLICT (user_id, month) DO UPDATE SET used = q.used + 1 WHERE q.used < $1
    RETURNING user_id, month, used
), created AS (
    INSERT INTO task (user_id, concept_id, source_url, prompt, logo_description,
        theme_description, preserve_aspects, request_id, idempotency_key,
        request_hash, traceparent, charged_month)
    SELECT seen.user_id, source_id, source_url, prompt, logo_description, theme_description,
        string_to_array(preserve_aspects, ','), request_id, idempotency_key,
        request_hash, traceparent, charge.month
    FROM charge JOIN seen ON seen.user_id = charge.user_id
    -- reading `expired` here makes the old holder of a key let go of it first
    WHERE (SELECT count(*) FROM expired) >= 0
    RETURNING *
), chosen AS MATERIALIZED (
    SELECT * FROM created
    UNION ALL
    SELECT task.* FROM seen JOIN task ON task.id = seen.seen_id
)
SELECT chosen.*, seen.user_id AS asked_by,
    source.image_key AS source_key, result.image_key AS result_key,
    coalesce(seen.outcome, CASE WHEN charge.used IS NULL THEN 'quota_exceeded' ELSE 'created' END)
        AS outcome,
    coalesce(charge.used, quota.used, 0) AS used,
    clock.next_month AT TIME ZONE 'UTC' AS resets_at,
    ceil(extract(epoch FROM clock.next_month AT TIME ZONE 'UTC' - now()))::int AS reset_after_s,
    extract(epoch FROM clock.next_month - clock.month)::int AS month_s
FROM seen CROSS JOIN clock
LEFT JOIN charge ON charge.user_id = seen.user_id
LEFT JOIN quota ON quota.user_id = seen.user_id AND quota.month = clock.month
LEFT JOIN chosen ON chosen.user_id = seen.user_id
LEFT JOIN concept AS source ON source.id = chosen.concept_id
LEFT JOIN concept AS result ON result.id = chosen.result_id
"""


async def decide(
    database: Database, requests: Sequence[NewTask], *, monthly_limit: int
) -> dict[UUID, Accepted]:
    """The answer to each user's request, of which there is one a user.

    Raises `asyncpg.UniqueViolationError` when another statement accepts a request of one of these
    users at the same time: all is undone then, and to be asked again.
    """
    rows = await database.fetch(
        _DECIDE, monthly_limit, *zip(*map(_columns_of, requests), strict=True)
    )
    asked = {new.user_id: new for new in requests}
    return {
        row["asked_by"]: _accepted_from(row, asked[row["asked_by"]], monthly_limit) for row in rows
    }


def _columns_of(new: NewTask) -> tuple[object, ...]:
    return (
        new.user_id,
        new.source_url,
        new.source_key,
        new.prompt,
        new.logo_description,
        new.theme_description,
        ",".join(new.preserve_aspects),
        new.request_id,
        new.idempotency_key,
        new.request_hash,
        new.traceparent,
    )


def _accepted_from(row: asyncpg.Record, new: NewTask, limit: int) -> Accepted:
    outcome = Outcome(row["outcome"])
    has_task = outcome in (Outcome.REPLAYED, Outcome.ACTIVE, Outcome.CREATED)
    return Accepted(
        outcome=outcome,
        task=task_from(row) if has_task else None,
        quota=quota_from(row, limit),
        same_request=outcome is not Outcome.REPLAYED or row["request_hash"] == new.request_hash,
    )
