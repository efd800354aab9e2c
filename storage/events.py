"""The durable log of what followers of a task are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage.database import Database
from storage.task import Status


@dataclass(frozen=True, slots=True)
class Event:
    """One visible change of a task. Creation, version 1, is not in the log: the task tells it."""

    version: int
    status: Status
    attempt: int
    stage: str | None
    progress: float
    updated_at: datetime


class Events:
    """Reads the log that a trigger writes in the transaction of each change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, task_id: UUID, version: int) -> list[Event]:
        """The changes of a task after a version, in order."""
        rows = await self._database.fetch(
            """
            SELECT version, status, attempt, stage, progress, updated_at FROM task_event
            WHERE task_id = $1 AND version > $2 ORDER BY version
            """,
            task_id,
            version,
        )
        return [
            Event(
                row["version"],
                Status(row["status"]),
                row["attempt"],
                row["stage"],
                row["progress"],
                row["updated_at"],
            )
            for row in rows
        ]

    async def versions(self, task_ids: list[UUID]) -> dict[UUID, int]:
        """The present version of each task; one that has been deleted is not in the answer."""
        rows = await self._database.fetch(
            "SELECT id, version FROM task WHERE id = ANY($1::uuid[])", task_ids
        )
        return {row["id"]: row["version"] for row in rows}
