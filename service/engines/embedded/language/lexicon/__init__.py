"""The vocabulary, read once from the TOML files beside this module; knows no grammar."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from service.engines.embedded.language.items import Degree, Sense
from service.engines.embedded.language.lexicon.forms import (
    comparative,
    plural,
    superlative,
    verb_forms,
)
from service.engines.embedded.plan import Keep, Part, Target

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
class Scale:
    """Ops in the two directions of a quality; `on` sends kinds of target to other scales."""

    more: str | None
    less: str | None
    keep: Keep
    on: dict[str, str]
    complaints: frozenset[str]


@dataclass(frozen=True, slots=True)
class Aspect:
    """What a part has; `scales` are those it can be moved on, empty for all of them."""

    keep: Keep
    scales: frozenset[str]


@dataclass(frozen=True, slots=True)
class Vague:
    """The edits taken for a vague word, as scale and sign, and how the report says so.

    `text_edits` are those where it is said of lettering.
    """

    edits: tuple[tuple[str, int], ...]
    text_edits: tuple[tuple[str, int], ...]
    said: str
    opposite: str | None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`by_first` finds phrases by their first word; `words` is every word of every phrase.

    `content` are the words that carry meaning of their own, `things` the colours that are also
    things, `compounds` those that are part of a thing's name, `bad` what nobody wishes for,
    `foreign` small words of other languages, and `beyond` the sentences about what needs a
    generative engine.
    """

    by_first: dict[str, tuple[Phrase, ...]]
    words: frozenset[str]
    scales: dict[str, Scale]
    aspects: dict[str, Aspect]
    vague: dict[str, Vague]
    beyond: dict[str, str]
    colours: dict[str, str]
    modifiers: dict[str, tuple[float, float]]
    aliases: dict[str, str]
    expansions: dict[str, str]
    things: frozenset[str]
    compounds: frozenset[str]
    bad: tuple[str, ...]
    foreign: frozenset[str]
    content: frozenset[str]
    count: int


def _phrases(words: Iterable[str], sense: Sense, *, verb: bool = False) -> Iterator[Phrase]:
    for phrase in words:
        head, *tail = phrase.split()
        gap = tail.index(GAP) + 1 if GAP in tail else None
        rest = tuple(w for w in tail if w != GAP)
        for form in verb_forms(head) if verb else (head,):
            yield Phrase((form, *rest), sense, gap)


def _nouns(words: Iterable[str], sense: Sense) -> Iterator[Phrase]:
    for phrase in words:
        *front, last = phrase.split()
        yield Phrase((*front, last), sense)
        yield Phrase((*front, plural(last)), sense)


def _qualities(key: str, table: Table) -> Iterator[Phrase]:
    for name, sign in (("comparatives", 1), ("opposite_comparatives", -1)):
        yield from _phrases(table.get(name, ()), Sense("comp", key, sign))
    for name, sign in (("adjectives", 1), ("opposites", -1)):
        words = table.get(name, ())
        yield from _phrases(words, Sense("adj", key, sign))
        single = [w for w in words if " " not in w and len(w) < 9]
        yield from _phrases(map(comparative, single), Sense("comp", key, sign))
        yield from _phrases(map(superlative, single), Sense("most", key, sign))
    yield from _phrases(table.get("verbs", ()), Sense("causes", key, 1), verb=True)
    yield from _phrases(table.get("unverbs", ()), Sense("causes", key, -1), verb=True)
    yield from _phrases(table.get("nouns", ()), Sense("measure", key))
    yield from _phrases(table.get("unnouns", ()), Sense("measure", key, -1))


def _styles(key: str, table: Table) -> Iterator[Phrase]:
    yield from _phrases(table.get("words", ()), Sense("style", key))
    yield from _phrases(table.get("verbs", ()), Sense("does", key), verb=True)
    yield from _nouns(table.get("effect", ()), Sense("effect", key))


def _idioms(_: str, table: Table) -> Iterator[Phrase]:
    """An idiom is the scale or the style that it stands for."""
    if "style" in table:
        key = table["style"]
        done, told, word = Sense("does", key), Sense("told", key), Sense("style", key)
    else:
        ((key, sign),) = _moves([table["wish"]])
        done, told = Sense("causes", key, sign), Sense("trouble", key, sign)
        word = Sense("pred", key, sign)
    yield from _phrases(table.get("verbs", ()), done, verb=True)
    yield from _phrases(table.get("said", ()), told)
    yield from _phrases(table.get("words", ()), word)


def _departures(_: str, table: Table) -> Iterator[Phrase]:
    yield from _phrases(table["verbs"], Sense("remove"), verb=True)
    yield from _phrases(table["said"], Sense("go_away"))


def _vaguely(key: str, table: Table) -> Iterator[Phrase]:
    yield from _phrases(table["words"], Sense("vague", key))
    single = [w for w in table["words"] if " " not in w and len(w) < 10]
    yield from _phrases(map(comparative, single), Sense("vague", key))
    yield from _phrases(table.get("verbs", ()), Sense("stresses", key), verb=True)


def _troubles(_: str, table: Table) -> Iterator[Phrase]:
    scale, sign = table["mend"][:-1], 1 if table["mend"].endswith("+") else -1
    return _phrases(table["words"], Sense("trouble", scale, sign))


def _degrees(key: str, table: Table) -> Iterator[Phrase]:
    degree = Degree(table["amount"], table.get("kind", "factor"), table.get("shades", False))
    return _phrases(table["words"], Sense("degree", key, degree=degree))


def _numbers(key: str, table: Table) -> Iterator[Phrase]:
    tag = "turn_of" if key == "turns" else "number"
    for word, number in table.items():
        yield from _phrases([word], Sense(tag, number=number))


def _modes(key: str, table: Table) -> Iterator[Phrase]:
    tag, mode = key.split()
    return _phrases(table["words"], Sense(tag, mode))


def _parts(key: str, table: Table) -> Iterator[Phrase]:
    part = Part.ARTWORK if key == "rest" else Part(key)
    return _nouns(table["words"], Sense("target", key, targets=(Target(part),)))


def _aspects(key: str, table: Table) -> Iterator[Phrase]:
    sense = Sense("aspect", key, targets=(Target(Part(table["part"])),))
    return (_nouns if table.get("plural", True) else _phrases)(table["words"], sense)


_KINDS: dict[str, Callable[[str, Table], Iterator[Phrase]]] = {
    "qualities": _qualities,
    "styles": _styles,
    "idioms": _idioms,
    "departures": _departures,
    "troubles": _troubles,
    "degrees": _degrees,
    "numbers": _numbers,
    "modes": _modes,
    "parts": _parts,
    "aspects": _aspects,
    "verbs": lambda key, table: _phrases(table["words"], Sense(key), verb=True),
    "words": lambda key, table: _phrases(table["words"], Sense(key)),
    "vague": _vaguely,
    "generative": lambda key, table: _phrases(table["words"], Sense("cue", key)),
    "harmonies": lambda key, table: _phrases(table["words"], Sense("scheme", key)),
}


_CONTENT = frozenset(
    {"hue", "adj", "comp", "causes", "measure", "target", "aspect", "style", "does", "effect"}
    | {"make", "change", "swap", "use", "remove", "add", "keep", "rotate", "flip", "gradient"}
)
"""Tags of the words that people come to say; the others only join them."""


def _files() -> Iterator[tuple[str, Table]]:
    for path in sorted(files(__package__).iterdir(), key=lambda p: p.name):
        if path.name.endswith(".toml"):
            content = tomllib.loads(path.read_text("utf-8"))
            yield content.pop("kind"), content


def _scale(table: Table) -> Scale:
    return Scale(
        table.get("more"),
        table.get("less"),
        Keep(table["keep"]),
        table.get("on", {}),
        frozenset(table.get("complaints", ())),
    )


def _vague(table: Table) -> Vague:
    edits = _moves(table["edits"])
    text_edits = _moves(table["text_edits"]) if "text_edits" in table else edits
    return Vague(edits, text_edits, table["said"], table.get("opposite"))


def _moves(names: list[str]) -> tuple[tuple[str, int], ...]:
    """Scales with a direction: "contrast+"."""
    return tuple((name[:-1], 1 if name.endswith("+") else -1) for name in names)


@cache
def lexicon() -> Lexicon:
    """The whole vocabulary; the first call reads it, later ones cost nothing."""
    groups: dict[str, Table] = {}
    phrases: list[Phrase] = []
    bad: tuple[str, ...] = ()
    for kind, tables in _files():
        if kind == "qualities":
            bad = tuple(tables.pop("bad")["words"])
        groups[kind] = tables
        if kind in _KINDS:
            phrases += [p for key, table in tables.items() for p in _KINDS[kind](key, table)]
    colours: dict[str, str] = groups["colours"]["basic"] | groups["colours"]["design"]
    phrases += [p for name in colours for p in _nouns([name], Sense("hue", name))]
    phrases += _phrases(groups["colours"]["modifiers"], Sense("mod"))
    for word, name in groups["colours"]["tinted"].items():
        phrases += _phrases([word], Sense("tinted", name))
    by_first: dict[str, list[Phrase]] = {}
    for phrase in phrases:
        by_first.setdefault(phrase.words[0], []).append(phrase)
    return Lexicon(
        {w: tuple(sorted(ps, key=lambda p: -len(p.words))) for w, ps in by_first.items()},
        frozenset(w for p in phrases for w in p.words),
        {key: _scale(table) for key, table in groups["qualities"].items()},
        {
            key: Aspect(Keep(table["keep"]), frozenset(table.get("scales", ())))
            for key, table in groups["aspects"].items()
        },
        {key: _vague(table) for key, table in groups["vague"].items()},
        {key: table["said"] for key, table in groups["generative"].items()},
        colours,
        {name: (float(a), float(b)) for name, (a, b) in groups["colours"]["modifiers"].items()},
        groups["aliases"]["aliases"],
        groups["aliases"]["expansions"],
        frozenset(groups["colours"]["things"]["words"]),
        frozenset(groups["colours"]["compounds"]["words"]),
        bad,
        frozenset(groups["foreign"]["foreign"]["words"]),
        frozenset(w for p in phrases if p.sense.tag in _CONTENT for w in p.words),
        len({p.words for p in phrases}),
    )
