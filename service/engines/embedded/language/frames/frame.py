"""A frame: a pattern of a clause, and the function that says what a match of it asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.engines.embedded.language.acts import Acts
from service.engines.embedded.language.items import Degree, Item
from service.engines.embedded.language.patterns import Match, Pattern


@dataclass(frozen=True, slots=True)
class Reading:
    """The items of a clause without its free-standing degree ("a bit", "by 20 %")."""

    items: tuple[Item, ...]
    degree: Degree | None

    @staticmethod
    def of(items: Sequence[Item]) -> Reading:
        """Take the degrees out of a clause; the last one said counts."""
        degree = None
        for item in items:
            if item.tags == {"degree"}:
                degree = item.sense("degree").degree
        rest = [i for i in items if i.tags != {"degree"}]
        while len(rest) > 1 and rest[-1].tags == {"comma"}:
            rest.pop()
        return Reading(tuple(rest), degree)


@dataclass(frozen=True, slots=True)
class Frame:
    """`read` gets the match and the reading; it answers None when the match makes no sense."""

    pattern: Pattern
    read: Callable[[Match, Reading], Acts]


def frames(*rows: tuple[str, Callable[[Match, Reading], Acts]]) -> tuple[Frame, ...]:
    """Frames from rows of pattern and function."""
    return tuple(Frame(Pattern(text), read) for text, read in rows)
