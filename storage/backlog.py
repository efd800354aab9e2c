"""What waits to be done, in all processes together; whether that is too much is for operators."""

from __future__ import annotations

from dataclasses import dataclass

from storage.database import Database


@dataclass(frozen=True, slots=True)
class Backlog:
    """Counts, and for how long the first of each kind has been waiting; 0 when none is."""

    waiting: int
    queue_age_s: float
    running: int
    deliveries_due: int
    delivery_age_s: float


async def read_backlog(database: Database) -> Backlog:
    """The backlog now. A task that waits for the time of its retry is not counted."""
    row = await database.fetchrow(
        """
        SELECT pending.waiting, pending.queue_age_s, running.running,
            owed.deliveries_due, owed.delivery_age_s
        FROM (
            SELECT count(*) AS waiting,
                coalesce(extract(epoch FROM now() - min(run_at)), 0)::float AS queue_age_s
            FROM task WHERE status = 'pending' AND run_at <= now()
        ) AS pending, (
            SELECT count(*) AS running FROM task WHERE lease_until IS NOT NULL
        ) AS running, (
            SELECT count(*) AS deliveries_due,
                coalesce(extract(epoch FROM now() - min(due_at)), 0)::float AS delivery_age_s
            FROM webhook_delivery WHERE status = 'pending' AND due_at <= now()
        ) AS owed
        """
    )
    assert row is not None
    return Backlog(**dict(row))
