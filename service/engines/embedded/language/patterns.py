"""Match sequences of tagged items by patterns, as regular expressions match letters.

A pattern is written in tags: `make target:T L* values:X~`. A capital letter stands for a set of
tags (`SETS`), `name:` captures, `?`, `*`, `( | )` and `( )+` mean what they mean in a regular
expression. After a tag, `+` is a list with "and" before its last member ("the text, the dots and
the line"), and `~` one with commas alone as well. A name may be used more than once: it then
catches all that its places caught.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import accumulate, zip_longest
from operator import or_

from service.engines.embedded.language.items import Item, Sense

SETS = {
    "T": ("target", "colour", "pronoun", "noun", "aspect"),
    "U": ("target", "colour", "pronoun", "noun", "aspect", "ctarget"),
    "N": ("target", "noun", "aspect"),
    "W": ("ptarget", "cpart"),
    "X": ("pred", "adj", "colour", "style", "vague", "scheme"),
    "P": (
        "make", "change", "want", "use", "give", "put", "to", "in", "on", "of", "with", "for", "be",
        "is", "ensure", "seem", "modal", "as", "become", "from",
    ),
    "M": (
        "make", "change", "want", "use", "give", "put", "to", "in", "be", "is", "ensure", "seem",
        "modal", "as", "become",
    ),
    "L": (
        "to", "in", "on", "of", "around", "with", "for", "be", "is", "seem", "modal", "as",
        "become",
    ),
    "O": ("to", "in", "on", "of", "around", "with", "for", "from", "as"),
    "J": ("and", "comma"),
}  # fmt: skip
JOINTS = SETS["J"]
_PIECE = re.compile(
    r"(?:(?P<name>[a-z]\w*):)?(?:(?P<tag>[A-Za-z]\w*)(?P<list>[+~])?|(?P<open>\())|[)|?*+]|\s+"
)


@dataclass(frozen=True, slots=True)
class Match:
    """The items that a pattern caught, by capture name; a list leaves out its "and"s.

    `first` and `end` are indices of items.
    """

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

    def sense(self, name: str, *tags: str) -> Sense:
        """The sense of a capture's first item with one of the tags."""
        return self.caught[name][0].sense(*tags)


class Coded:
    """Items written as one string, a `< tag tag >` each, for the compiled patterns."""

    def __init__(self, sequence: Sequence[Item]) -> None:
        coded = [f"< {' '.join(sorted(item.tags))} >" for item in sequence]
        self.items = sequence
        self.bits = _bits(tag for item in sequence for tag in item.tags)
        self.text = "".join(coded)
        self.starts = [0, *accumulate(map(len, coded))]
        self._index = {offset: i for i, offset in enumerate(self.starts)}

    def match(self, found: re.Match[str]) -> Match:
        """The captures of a regular expression's match, as items."""
        caught: dict[str, list[Item]] = {}
        for name in found.re.groupindex:
            if found.start(name) >= 0:
                run = self.items[self._index[found.start(name)] : self._index[found.end(name)]]
                members = [i for i in run if len(run) == 1 or not i.has(*JOINTS)]
                caught.setdefault(name.rstrip("_"), []).extend(members)
        return Match(self._index[found.start()], self._index[found.end()], caught)


def _one_of(tags: Sequence[str]) -> str:
    return f"(?:<[^>]* (?:{'|'.join(tags)}) [^>]*>)"


_ANY_JOINT, _COMMA, _AND = _one_of(JOINTS), _one_of(("comma",)), _one_of(("and",))


def _compiled(pattern: str) -> re.Pattern[str]:
    out: list[str] = []
    used: set[str] = set()
    for piece in _PIECE.finditer(pattern):
        tag, name = piece["tag"], piece["name"]
        while (
            name and name in used
        ):  # a group's name is used once; `Coded.match` takes the "_"s off
            name += "_"
        used.add(name or "")
        if tag is None:
            opening = f"(?P<{name}>" if name else "(?:"
            out.append(opening if piece["open"] else piece.group().strip())
            continue
        one = _one_of(SETS.get(tag, (tag,)))
        if piece["list"] == "~":
            one = f"(?:{one}(?:{_ANY_JOINT}+{one})*)"
        elif piece["list"]:
            one = f"(?:{one}(?:(?:{_COMMA}{one})*{_COMMA}?{_AND}+{one})?)"
        out.append(f"(?P<{name}>{one})" if name else one)
    return re.compile("".join(out))


_BITS: dict[str, int] = {}


def _bits(tags: Iterable[str]) -> int:
    """A set of tags as one number, a bit for each."""
    return reduce(or_, (_BITS.setdefault(tag, 1 << len(_BITS)) for tag in tags), 0)


def _needed(pattern: str) -> tuple[int, ...]:
    """Sets of tags, as bits, of each of which a match has at least one."""
    needed, depth = list[int](), 0
    pieces = [p for p in _PIECE.finditer(pattern) if p.group().strip()]
    for piece, after in zip_longest(pieces, pieces[1:]):
        depth += (piece["open"] is not None) - (piece.group() == ")")
        optional = after is not None and after.group() in ("?", "*", "|")
        if piece["tag"] and depth == 0 and not optional:
            needed.append(_bits(SETS.get(piece["tag"], (piece["tag"],))))
    return tuple(sorted(needed, key=int.bit_count))


class Pattern:
    """A compiled pattern over items."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._compiled = _compiled(text)
        self._needed = _needed(text)

    def possible(self, coded: Coded) -> bool:
        """Whether the items have at all what the pattern needs; cheap."""
        return all(bits & coded.bits for bits in self._needed)

    def fullmatch(self, coded: Coded) -> Match | None:
        """The captures when the pattern covers all the items."""
        found = self._compiled.fullmatch(coded.text)
        return coded.match(found) if found else None

    def match(self, coded: Coded, at: int) -> Match | None:
        """The captures when the pattern fits the items from index `at` on."""
        found = self._compiled.match(coded.text, coded.starts[at])
        return coded.match(found) if found and found.end() > found.start() else None
