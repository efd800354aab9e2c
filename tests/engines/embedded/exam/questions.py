"""Read the questions of the exam of pictures; how their answers are marked is left to `marking`.

A table of `seen_held_out.toml` or `seen_tuned.toml` is a group of questions, each with
- `logo`: a picture of `drawings`; `prompt`; optional `description`, `theme`, `preserve`;
- `see`: what must be seen, each "layers check…" as in "name,tagline like:teal same". Layers are
  the logo's by name, or `ground`, `art` (all layers), `all` (art and ground), `rest` (whatever no
  other line speaks of; when it has no line it must be the same). The single word "unchanged"
  says that no picture may come of it. Lines about the picture as a whole begin with `canvas`,
  `margin`, `picture` or `colours`. The checks are explained beside the functions of `checks`;
- `refused`: why parts are not done, each a reason or some separated by `|`, and no other;
- `either`: vague words, that may be declined, or done and the report says what was assumed.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.engines.contract import Instruction

PARTS = ("held_out", "tuned")


@dataclass(frozen=True, slots=True)
class Question:
    """One instruction about one picture, and what is expected of it."""

    group: str
    subject: str
    instruction: Instruction
    see: tuple[str, ...]
    refused: tuple[str, ...]
    either: bool

    @property
    def unchanged(self) -> bool:
        """Whether no picture may come of it."""
        return self.see == ("unchanged",)


def questions(part: str) -> list[Question]:
    """The questions of `held_out` or `tuned`."""
    path = Path(__file__).with_name(f"seen_{part}.toml")
    groups = tomllib.loads(path.read_text("utf-8"))
    return [_question(group, row) for group, rows in groups.items() for row in rows]


def _question(group: str, row: dict[str, Any]) -> Question:
    return Question(
        group,
        row["logo"],
        Instruction(
            row["prompt"],
            row.get("description"),
            row.get("theme"),
            tuple(row.get("preserve", ())),
        ),
        tuple(row["see"]),
        tuple(row.get("refused", ())),
        row.get("either", False),
    )
