"""What a benchmark says: a number beside the baseline that was measured in the same run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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
