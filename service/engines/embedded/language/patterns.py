"""Match sequences of tagged items by patterns, as regular expressions match letters.

A pattern is written in tags: `make target:T to? values:X+`. A capital letter stands for a set of
tags (`SETS`), `name:` captures, `?`, `*`, `( | )` mean what they mean in a regular expression,
and `+` is a list whose members stand beside "and" or a comma.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from service.engines.embedded.plan import Colour, Target


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a phrase. `tag` is its grammatical class and `key` says which of it.

    `sign` is the direction on a scale; `amount` a factor or a literal (see `amounts`); the rest
    is filled where the class calls for it.
    """

    tag: str
    key: str = ""
    sign: int = 1
    amount: float | None = None
    literal: bool = False
    colour: Colour | None = None
    targets: tuple[Target, ...] = ()
    values: tuple[Sense, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A run of tokens (`first` up to `end`, not included) and what it can mean."""

    first: int
    end: int
    senses: tuple[Sense, ...]
    words: str = ""

    def sense(self, *tags: str) -> Sense:
        """The first sense with one of the tags, in the order of the tags."""
        for tag in tags:
            for sense in self.senses:
                if sense.tag == tag:
                    return sense
        raise KeyError(tags)

    def has(self, *tags: str) -> bool:
        """Whether one of the senses carries one of the tags."""
        return any(sense.tag in tags for sense in self.senses)


@dataclass(frozen=True, slots=True)
class Match:
    """The items that a pattern caught, by capture name; a list leaves out its "and"s."""

    first: int
    end: int
    caught: dict[str, list[Item]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.caught

    def item(self, name: str) -> Item:
        """The first item of a capture."""
        return self.caught[name][0]

    def items(self, name: str) -> list[Item]:
        """All the items of a capture, none when it did not take part."""
        return self.caught.get(name, [])


SETS = {
    "T": ("target", "colour", "pronoun"),
    "X": ("pred", "colour", "style", "ptarget", "adj"),
}
_JOINTS = ("and", "comma")
_PIECE = re.compile(
    r"(?:(?P<name>[a-z]\w*):)?(?:(?P<tag>[A-Za-z]\w*)(?P<list>\+)?|(?P<open>\())|[)|?*]|\s+"
)


def _one_of(tags: Sequence[str]) -> str:
    return f"(?:<[^>]* (?:{'|'.join(tags)}) [^>]*>)"


def _compiled(pattern: str) -> re.Pattern[str]:
    out: list[str] = []
    for piece in _PIECE.finditer(pattern):
        tag = piece["tag"]
        if tag is None:
            opening = f"(?P<{piece['name']}>" if piece["name"] else "(?:"
            out.append(opening if piece["open"] else piece.group().strip())
            continue
        one = _one_of(SETS.get(tag, (tag,)))
        if piece["list"]:
            one = f"(?:{one}(?:{_one_of(_JOINTS)}+{one})*)"
        out.append(f"(?P<{piece['name']}>{one})" if piece["name"] else one)
    return re.compile("".join(out))


class Pattern:
    """A compiled pattern over items."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._compiled = _compiled(text)

    def fullmatch(self, sequence: Sequence[Item]) -> Match | None:
        """The captures when the pattern covers all the items."""
        coded = Coded(sequence)
        found = self._compiled.fullmatch(coded.text)
        return coded.match(found) if found else None

    def match(self, coded: Coded, at: int) -> Match | None:
        """The captures when the pattern fits the items from index `at` on."""
        found = self._compiled.match(coded.text, coded.starts[at])
        return coded.match(found) if found and found.end() > found.start() else None


class Coded:
    """Items written as one string, a `< tag tag >` each, for the compiled patterns."""

    def __init__(self, sequence: Sequence[Item]) -> None:
        coded = [f"< {' '.join(s.tag for s in item.senses)} >" for item in sequence]
        self.items = sequence
        self.text = "".join(coded)
        self.starts = [0, *accumulate(map(len, coded))]
        self._index = {offset: i for i, offset in enumerate(self.starts)}

    def match(self, found: re.Match[str]) -> Match:
        """The captures of a regular expression's match, as items."""
        caught: dict[str, list[Item]] = {}
        for name in found.re.groupindex:
            if found.start(name) >= 0:
                run = self.items[self._index[found.start(name)] : self._index[found.end(name)]]
                caught[name] = [i for i in run if len(run) == 1 or not i.has(*_JOINTS)]
        return Match(self._index[found.start()], self._index[found.end()], caught)
