"""The vocabulary, read once from the TOML files beside this module; knows no grammar."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from service.engines.embedded.language.patterns import Sense
from service.engines.embedded.plan import Part, Target

GAP = "~"
"""Where the object of a verb may stand: "tone ~ down"."""

type Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as words, with what it means; after the words before `gap` an object may stand."""

    words: tuple[str, ...]
    sense: Sense
    gap: int | None = None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`by_first` finds phrases by their first word; `words` is every word of every phrase."""

    by_first: dict[str, tuple[Phrase, ...]]
    words: frozenset[str]
    scales: dict[str, tuple[str | None, str | None]]
    colours: dict[str, str]
    modifiers: dict[str, tuple[float, float]]
    count: int


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else word + "s"


def _doubled(word: str) -> str:
    """The stem before -ed, -ing, -er: the last consonant twice after a single short vowel."""
    ends = word[-3:]
    short = len(ends) == 3 and ends[0] not in "aeiou" and ends[1] in "aeiou"
    doubles = (short and ends[2] not in "aeiouwxyn") or word in ("thin", "slim", "tan", "trim")
    return word + word[-1] if doubles and len(word) <= 5 else word


def _verb_forms(word: str) -> Iterator[str]:
    stem = word[:-1] if word.endswith("e") and not word.endswith("ee") else _doubled(word)
    past = word[:-1] + "ied" if word.endswith("y") and word[-2:-1] not in "aeiou" else stem + "ed"
    yield from (word, _plural(word), past, stem + "ing")


def _comparatives(word: str) -> Iterator[str]:
    if word.endswith("y"):
        stem = word[:-1] + "i"
    else:
        stem = word[:-1] if word.endswith("e") else _doubled(word)
    yield stem + "er"


def _phrases(words: Iterable[str], sense: Sense, *, verb: bool = False) -> Iterator[Phrase]:
    for phrase in words:
        head, *tail = phrase.split()
        gap = tail.index(GAP) + 1 if GAP in tail else None
        rest = tuple(w for w in tail if w != GAP)
        for form in _verb_forms(head) if verb else (head,):
            yield Phrase((form, *rest), sense, gap)


def _of_qualities(table: Table, key: str) -> Iterator[Phrase]:
    for name, sign in (("adjectives", 1), ("opposites", -1)):
        words = table.get(name, ())
        yield from _phrases(words, Sense("adj", key, sign))
        single = [w for w in words if " " not in w and len(w) < 9]
        made = [form for word in single for form in _comparatives(word)]
        yield from _phrases(made, Sense("comp", key, sign))
    for name, sign in (("comparatives", 1), ("opposite_comparatives", -1)):
        yield from _phrases(table.get(name, ()), Sense("comp", key, sign))
    yield from _phrases(table.get("verbs", ()), Sense("causes", key, 1), verb=True)
    yield from _phrases(table.get("unverbs", ()), Sense("causes", key, -1), verb=True)
    yield from _phrases(table.get("nouns", ()), Sense("measure", key))


def _of_nouns(table: Table, key: str) -> Iterator[Phrase]:
    sense = Sense(table["tag"], key, targets=(Target(Part(key)),))
    for phrase in table["words"]:
        *front, last = phrase.split()
        yield Phrase((*front, last), sense)
        yield Phrase((*front, _plural(last)), sense)


def _entries(kind: str, key: str, table: Table) -> Iterator[Phrase]:
    match kind:
        case "qualities":
            yield from _of_qualities(table, key)
        case "nouns":
            yield from _of_nouns(table, key)
        case "verbs":
            yield from _phrases(table["words"], Sense(key), verb=True)
        case "styles":
            yield from _phrases(table.get("words", ()), Sense("style", key))
            yield from _phrases(table.get("verbs", ()), Sense("does", key), verb=True)
        case "degrees":
            literal = bool(table.get("literal"))
            sense = Sense("degree", key, amount=table["amount"], literal=literal)
            yield from _phrases(table["words"], sense)
        case _:
            yield from _phrases(table["words"], Sense(key))


def _tables() -> Iterator[tuple[str, str, Table]]:
    for path in sorted(files(__package__).iterdir(), key=lambda p: p.name):
        if path.name.endswith(".toml"):
            content = tomllib.loads(path.read_text("utf-8"))
            kind = content.pop("kind")
            for key, table in content.items():
                yield kind, key, table


@cache
def lexicon() -> Lexicon:
    """The whole vocabulary; the first call reads it, later ones cost nothing."""
    phrases: list[Phrase] = []
    scales: dict[str, tuple[str | None, str | None]] = {}
    colours: dict[str, str] = {}
    modifiers: dict[str, tuple[float, float]] = {}
    for kind, key, table in _tables():
        if kind == "colours":
            if key == "modifiers":
                modifiers |= {name: (float(a), float(b)) for name, (a, b) in table.items()}
            else:
                colours |= table
            continue
        if kind == "qualities":
            scales[key] = (table.get("more"), table.get("less"))
        phrases += _entries(kind, key, table)
    for name in colours:
        *front, last = name.split()
        phrases += [Phrase((*front, w), Sense("hue", name)) for w in (last, _plural(last))]
    by_first: dict[str, list[Phrase]] = {}
    for phrase in phrases:
        by_first.setdefault(phrase.words[0], []).append(phrase)
    return Lexicon(
        {w: tuple(sorted(ps, key=lambda p: -len(p.words))) for w, ps in by_first.items()},
        frozenset(w for p in phrases for w in p.words) | frozenset(modifiers),
        scales,
        colours,
        modifiers,
        len(phrases),
    )
