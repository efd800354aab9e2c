"""Rules for amounts: "20 %", "three times", "two shades", "just a tiny bit"."""

from __future__ import annotations

from service.engines.embedded.language.items import Degree, Sense
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.language.phrases.rule import stage


def _percent(m: Match) -> list[Sense]:
    number = (m.sense("n", "number").number or 0) / 100
    return [Sense("degree", degree=Degree(number, "to" if "to" in m else "literal"))]


def _times(m: Match) -> list[Sense]:
    return [Sense("degree", degree=Degree(m.sense("n", "number").number or 1, "times"))]


def _steps(m: Match) -> list[Sense]:
    number = m.sense("n", "number").number or 1
    shades = m.item("s").words.startswith(("shade", "tone"))
    return [Sense("degree", degree=Degree(min(2.5, 0.5 * number), shades=shades))]


def _twofold(m: Match) -> list[Sense] | None:
    """ "just a tiny bit", "very slightly": the smaller of two small, the larger of two large."""
    one, other = (m.sense(name, "degree").degree or Degree() for name in ("d", "e"))
    if one.kind != "factor" or other.kind != "factor":
        return None
    amount = (min if min(one.amount, other.amount) < 1 else max)(one.amount, other.amount)
    return [Sense("degree", degree=Degree(amount))]


def _by(m: Match) -> list[Sense] | None:
    """ "by a hair" is a hair; "with a bit" is something else."""
    return list(m.item("d").senses) if m.item("by").words == "by" else None


STAGES = (
    stage(
        ("(to:to|with)? n:number percent", _percent),
        ("n:number times", _times),
        ("with? n:number s:shade_steps", _steps),
    ),
    stage(("d:degree e:degree", _twofold)),
    stage(("by:with d:degree", _by)),
)
