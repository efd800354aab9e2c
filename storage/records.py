"""Turn database rows into the plain records of `task` and `concept`."""

from __future__ import annotations

from dataclasses import fields
from operator import itemgetter
from typing import Any

import asyncpg

from storage.concept import Concept
from storage.task import Quota, Status, Task

_JOINED = ("source_key", "result_key", "source_logo_description", "source_theme_description")
_KEPT = tuple(name for name in Task._fields if name not in _JOINED)
_kept = itemgetter(*_KEPT)
_CONCEPT_FIELDS = tuple(field.name for field in fields(Concept))


def task_from(row: asyncpg.Record) -> Task:
    """The task in a row that has every column of `task`; what was joined to it is optional."""
    values: dict[str, Any] = dict(zip(_KEPT, _kept(row), strict=True))
    values["status"] = Status(values["status"])
    values["preserve_aspects"] = tuple(values["preserve_aspects"])
    for name in _JOINED:
        values[name] = row.get(name)
    return Task(**values)


def concept_from(row: asyncpg.Record) -> Concept:
    """The concept in a row that has every column of `concept` with `parent_deleted`."""
    return Concept(**{name: row[name] for name in _CONCEPT_FIELDS})


def quota_from(row: asyncpg.Record, limit: int) -> Quota:
    """The quota in a row with `used`, `resets_at`, `reset_after_s` and `month_s`."""
    return Quota(limit, row["used"], row["resets_at"], row["reset_after_s"], row["month_s"])
