"""A visual concept as it is kept: one image, where it came from and what was said of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Concept:
    """One row. `root_id` names the tree; a root is its own root and has no parent."""

    id: UUID
    user_id: UUID
    parent_id: UUID | None
    parent_deleted: bool
    root_id: UUID
    task_id: UUID | None
    image_key: str
    content_type: str
    width: int
    height: int
    refinement_prompt: str | None
    logo_description: str | None
    theme_description: str | None
    engine: str | None
    report: dict[str, Any] | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image that has been stored and is to become a concept. Sizes in pixels."""

    key: str
    content_type: str
    width: int
    height: int
