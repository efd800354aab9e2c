"""What a run of words can mean: degrees, senses, and the items that carry them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from service.engines.embedded.plan import Colour, Target


@dataclass(frozen=True, slots=True)
class Degree:
    """How much. A `factor` multiplies the plain amount ("slightly" is 0.5); `literal` is a
    fraction said by the person ("by 20 %"), `times` a multiple ("twice"), `to` a new whole
    ("to 80 %"). `shades` tells that it was counted in steps of lightness: "two shades".
    """

    amount: float = 1.0
    kind: Literal["factor", "literal", "times", "to"] = "factor"
    shades: bool = False


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a phrase. `tag` is its grammatical class and `key` says which of it.

    `sign` is the direction on a scale, `excepts` what is left out of the targets and `values` what
    is wished for them ("bigger, bolder text"). The rest is filled where the class needs it.
    """

    tag: str
    key: str = ""
    sign: int = 1
    degree: Degree | None = None
    number: float | None = None
    colour: Colour | None = None
    targets: tuple[Target, ...] = ()
    excepts: tuple[Target, ...] = ()
    values: tuple[Sense, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A run of tokens (`first` up to `end`, not included) and what it can mean.

    `article` is the "a" or "the" that stood before it, which items leave out, and `reach` the
    end of the particle that stood apart: "tone it down".
    """

    first: int
    end: int
    senses: tuple[Sense, ...]
    words: str = ""
    article: str = ""
    reach: int = 0
    tags: frozenset[str] = field(default=frozenset(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", frozenset(s.tag for s in self.senses))

    def sense(self, *tags: str) -> Sense:
        """The first sense with one of the tags, in the order of the tags."""
        for tag in tags:
            for sense in self.senses:
                if sense.tag == tag:
                    return sense
        raise KeyError(tags)

    def has(self, *tags: str) -> bool:
        """Whether one of the senses carries one of the tags."""
        return not self.tags.isdisjoint(tags)
