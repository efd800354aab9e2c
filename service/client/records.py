"""What the service answers, as plain values; what is not known here is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

type Json = Any


@dataclass(frozen=True, slots=True)
class Applied:
    """Words of the instruction that were followed, and what was done."""

    span: str
    summary: str


@dataclass(frozen=True, slots=True)
class NotApplied:
    """Words of the instruction that were not followed, and why."""

    span: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """The engine's account. `outcome` is `complete`, `partial` or `none`."""

    engine: str
    outcome: str
    applied: tuple[Applied, ...]
    not_applied: tuple[NotApplied, ...]
    assumptions: tuple[str, ...]
    corrections: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, json: Json) -> Self:
        """The report in an answer."""
        return cls(
            engine=json["engine"],
            outcome=json["outcome"],
            applied=tuple(Applied(one["span"], one["summary"]) for one in json["applied"]),
            not_applied=tuple(
                NotApplied(one["span"], one["reason"], one["message"])
                for one in json["not_applied"]
            ),
            assumptions=tuple(json["assumptions"]),
            corrections=tuple((wrong, right) for wrong, right in json["corrections"]),
            warnings=tuple(json["warnings"]),
        )


@dataclass(frozen=True, slots=True)
class Task:
    """A refinement at one moment. `progress` goes from 0 to 1.

    Two of them are equal when nothing has changed but the signatures of addresses.
    """

    id: str
    status: str
    message: str
    prompt: str
    progress: float
    attempt: int
    created_at: datetime
    updated_at: datetime | None
    completed_at: datetime | None
    concept_id: str | None
    result_id: str | None
    image_url: str | None = field(compare=False)
    error_code: str | None
    error_message: str | None
    report: Report | None

    @classmethod
    def of(cls, json: Json) -> Self:
        """The task in an answer."""
        report = json["metadata"].get("report")
        return cls(
            id=json["task_id"],
            status=json["status"],
            message=json["message"],
            prompt=json["metadata"]["refinement_prompt"],
            progress=json["progress"],
            attempt=json["attempt"],
            created_at=datetime.fromisoformat(json["created_at"]),
            updated_at=_time(json["updated_at"]),
            completed_at=_time(json["completed_at"]),
            concept_id=json["concept_id"],
            result_id=json["result_id"],
            image_url=json["image_url"],
            error_code=json["error_code"],
            error_message=json["error_message"],
            report=Report.of(report) if report else None,
        )

    @property
    def is_ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ("completed", "failed")


@dataclass(frozen=True, slots=True)
class Concept:
    """One image and where it came from."""

    id: str
    parent_id: str | None
    root_id: str
    task_id: str | None
    image_url: str = field(compare=False)
    content_type: str
    width: int
    height: int
    prompt: str | None
    created_at: datetime

    @classmethod
    def of(cls, json: Json) -> Self:
        """The concept in an answer."""
        return cls(
            id=json["concept_id"],
            parent_id=json["parent_id"],
            root_id=json["root_id"],
            task_id=json["task_id"],
            image_url=json["image_url"],
            content_type=json["content_type"],
            width=json["width"],
            height=json["height"],
            prompt=json["refinement_prompt"],
            created_at=datetime.fromisoformat(json["created_at"]),
        )


@dataclass(frozen=True, slots=True)
class Quota:
    """Refinements of this month."""

    limit: int
    used: int
    remaining: int
    resets_at: datetime

    @classmethod
    def of(cls, json: Json) -> Self:
        """The quota in an answer."""
        found = json["refinements"]
        return cls(
            limit=found["limit"],
            used=found["used"],
            remaining=found["remaining"],
            resets_at=datetime.fromisoformat(found["resets_at"]),
        )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
