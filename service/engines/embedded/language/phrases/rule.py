"""A rule: a pattern of items that make a larger one, and the function that gives its senses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.engines.embedded.language.items import Degree, Sense
from service.engines.embedded.language.patterns import Match, Pattern

type Build = Callable[[Match], Sequence[Sense] | None]
"""The senses of the new item, or None when the rule does not apply after all."""

type Stage = tuple[tuple[Pattern, Build], ...]
"""Rules of one rank: at each place the longest that applies."""


def stage(*rows: tuple[str, Build]) -> Stage:
    """A stage from rows of pattern and function."""
    return tuple((Pattern(text), build) for text, build in rows)


def same(name: str, *tags: str) -> Build:
    """Keeps the senses of the named item that have one of the tags; without tags, all."""

    def build(m: Match) -> list[Sense]:
        return [s for s in m.item(name).senses if not tags or s.tag in tags]

    return build


def degree_of(m: Match) -> Degree | None:
    """The degree that was caught as `d`."""
    return m.sense("d", "degree").degree if "d" in m else None
