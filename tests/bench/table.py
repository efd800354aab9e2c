"""What a benchmark says: a number beside the baseline that was measured in the same run."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. `ratio` is to `baseline`, of the same run; `goal` is in words."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    baseline: str = ""
    goal: str = ""


def show(rows: Iterable[Row]) -> str:
    """The rows as a table."""
    lines = [f"{'measured':58} {'value':>12} {'ratio':>7}  to / goal"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        value = f"{row.value:,.1f} {row.unit}"
        lines.append(f"{row.name:58} {value:>12} {ratio:>7}  {row.baseline} {row.goal}".rstrip())
    return "\n".join(lines)


def as_json(rows: Iterable[Row], load_before: float) -> str:
    """The rows with what they depend on: the machine, and how busy it was before (load average)."""
    where = {
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "load_before": load_before,
    }
    return json.dumps({"where": where, "rows": [asdict(row) for row in rows]}, indent=1)
