"""The durable log of what followers of a task are told."""

from __future__ import annotations

from collections.abc import Mapping
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

    async def changed(self, known: Mapping[UUID, int]) -> dict[UUID, int]:
        """Those of the tasks that are not of the known version any more, with the one that they
        are of; 0 for one that has been deleted."""
        rows = await self._database.fetch(
            """
            SELECT known.id, coalesce(task.version, 0) AS version
            FROM unnest($1::uuid[], $2::int[]) AS known (id, version)
            LEFT JOIN task ON task.id = known.id
            WHERE coalesce(task.version, 0) <> known.version
            """,
            list(known),
            list(known.values()),
        )
        return {row["id"]: row["version"] for row in rows}
