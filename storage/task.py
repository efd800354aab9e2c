"""A refinement task as it is kept: its states and what is true in each. How it moves between them
is for `tasks` and `work`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID


class Status(StrEnum):
    """Where a task stands. The last two are final."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """True when the task will not change any more."""
        return self in (Status.COMPLETED, Status.FAILED)


class Task(NamedTuple):
    """One row. `progress` is 0–1, `version` counts the changes that a client can see, from 1.

    `source_key` and `result_key` are image keys; None once that concept has been deleted. What the
    source concept was said to show is read only for workers.
    """

    id: UUID
    user_id: UUID
    status: Status
    concept_id: UUID | None
    source_url: str
    prompt: str
    logo_description: str | None
    theme_description: str | None
    preserve_aspects: tuple[str, ...]
    request_id: str
    attempt: int
    stage: str | None
    progress: float
    result_id: UUID | None
    report: dict[str, Any] | None
    error_code: str | None
    error_message: str | None
    version: int
    created_at: datetime
    updated_at: datetime | None
    completed_at: datetime | None
    engine_note: dict[str, Any] | None = None
    source_key: str | None = None
    source_logo_description: str | None = None
    source_theme_description: str | None = None
    result_key: str | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """A user's refinements of the current calendar month (UTC), by the database's clock."""

    limit: int
    used: int
    resets_at: datetime
    reset_after_s: int
    month_s: int

    @property
    def remaining(self) -> int:
        """How many refinements are left this month."""
        return max(0, self.limit - self.used)
