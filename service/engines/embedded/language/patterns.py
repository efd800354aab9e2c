"""Match sequences of tagged items by patterns, as regular expressions match letters.

A pattern is written in tags: `make target:T L* values:X+`. A capital letter stands for a set of
tags (`SETS`), `name:` captures, `?`, `*`, `( | )` mean what they mean in a regular expression,
and `+` is a list whose members stand beside "and" or a comma. A name may be used more than once:
it then catches all that its places caught.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

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
    "L": ("to", "in", "on", "of", "with", "for", "be", "is", "seem", "modal", "as", "become"),
    "O": ("to", "in", "on", "of", "with", "for", "from", "as"),
    "J": ("and", "comma"),
}  # fmt: skip
JOINTS = SETS["J"]
_PIECE = re.compile(
    r"(?:(?P<name>[a-z]\w*):)?(?:(?P<tag>[A-Za-z]\w*)(?P<list>\+)?|(?P<open>\())|[)|?*]|\s+"
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
        if piece["list"]:
            one = f"(?:{one}(?:{_one_of(JOINTS)}+{one})*)"
        out.append(f"(?P<{name}>{one})" if name else one)
    return re.compile("".join(out))


class Pattern:
    """A compiled pattern over items."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._compiled = _compiled(text)

    def fullmatch(self, coded: Coded) -> Match | None:
        """The captures when the pattern covers all the items."""
        found = self._compiled.fullmatch(coded.text)
        return coded.match(found) if found else None

    def match(self, coded: Coded, at: int) -> Match | None:
        """The captures when the pattern fits the items from index `at` on."""
        found = self._compiled.match(coded.text, coded.starts[at])
        return coded.match(found) if found and found.end() > found.start() else None
