"""Let one process of all do a chore, so that its cost does not grow with their number."""

from __future__ import annotations

from storage.database import Database


class Turns:
    """When which chore is due again, by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, chore: str, *, every_s: float) -> bool:
        """Whether the chore is due and this process's to do; it is due again after `every_s`.

        Who takes it and dies has left it undone until then.
        """
        row = await self._database.fetchrow(
            """
            INSERT INTO chore AS known (name, due_at)
            VALUES ($1, now() + make_interval(secs => $2))
            ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE known.due_at <= now()
            RETURNING name
            """,
            chore,
            every_s,
        )
        return row is not None
