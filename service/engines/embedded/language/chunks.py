"""Turn tokens into items: the longest phrases of the lexicon, numbers, colours, unknown words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from service.engines.embedded.language.colours import coded, named
from service.engines.embedded.language.items import Item, Sense
from service.engines.embedded.language.lexicon import Phrase, lexicon
from service.engines.embedded.language.tokens import Token
from service.engines.embedded.plan import Part, Target

_REACH = 7
"""How many words may stand between a verb and its particle: "tone the bright red words down"."""

_LONGEST_NOUN = 3
_FIRMLY = ("right", "way", "all")
"""Words before a particle that only stress it: "pare it right back"."""

VERBS = frozenset(
    {
        "make", "change", "swap", "use", "remove", "add", "give", "put", "keep", "touch", "want",
        "up", "down", "become", "limit", "shift", "rotate", "flip", "scale_to", "dislike",
        "praise", "go_away", "causes", "does", "stresses",
    }
)  # fmt: skip
"""Tags of verbs; such a word right after "the" is a noun: "the leaves"."""


def _covered(words: Sequence[str], start: int, place: int) -> bool:
    """Whether the word at `place` belongs to a phrase that begins before: "upside down"."""
    return any(_together(words, i)[0] > place for i in range(start, place))


def _particle(phrase: Phrase, words: Sequence[str], at: int) -> int | None:
    """Where the particle of "tone ~ down" stands when its object is between."""
    if phrase.gap is None:
        return None
    head, tail = phrase.words[: phrase.gap], phrase.words[phrase.gap :]
    start = at + len(head)
    if tuple(words[at:start]) != head:
        return None
    for place in range(start + 1, min(start + _REACH, len(words) - len(tail)) + 1):
        if words[place - 1] in (".", ",", "and"):
            return None
        if tuple(words[place : place + len(tail)]) == tail and not _covered(words, start, place):
            return place
    return None


def _together(words: Sequence[str], at: int) -> tuple[int, list[Sense]]:
    """End and senses of the longest phrase that stands at `at` in one piece."""
    end, senses = at, list[Sense]()
    for phrase in lexicon().by_first.get(words[at], ()):
        size = len(phrase.words)
        if at + size < end:
            break
        if tuple(words[at : at + size]) == phrase.words:
            end = at + size
            senses.append(phrase.sense)
    return end, senses


def _apart(words: Sequence[str], at: int, end: int) -> tuple[int, list[Sense], range] | None:
    """The same for a verb whose particle follows its object; None when there is none."""
    found: tuple[int, list[Sense], range] | None = None
    for phrase in lexicon().by_first.get(words[at], ()):
        place = _particle(phrase, words, at)
        if place is None or phrase.gap is None or at + phrase.gap < end:
            continue
        firmly = words[place - 1] in _FIRMLY and place - 1 > at + phrase.gap
        tail = range(place - firmly, place + len(phrase.words) - phrase.gap)
        if found is None or len(tail) > len(found[2]):
            found = (at + phrase.gap, [phrase.sense], tail)
        elif found[2] == tail:
            found[1].append(phrase.sense)
    return found


def _single(token: Token) -> list[Sense]:
    match token.kind:
        case "number":
            return [Sense("number", number=float(token.text))]
        case "quote":
            return [Sense("quote", token.text)]
        case "name":
            return [Sense("target", token.text, targets=(Target(Part(token.text)),))]
        case "mark":
            return [Sense({".": "stop", ":": "colon"}.get(token.text, "comma"))]
        case "colour":
            colour = coded(token.text)
            return [Sense("colour", colour=colour)] if colour else [Sense("word")]
        case "word":
            return [Sense("hue", token.text)] if named(token.text) else [Sense("word")]


def _articles(words: Sequence[str]) -> list[str]:
    """For each word the "a" or "the" right before it; "those browns" counts as "the"."""
    found = []
    for last, word in pairwise(["", *words]):
        pointing = last in ("these", "those") and word.endswith("s") and named(word[:-1])
        the = last in ("the", "our", "my", "your", "their", "its") or pointing
        found.append("the" if the else "a" if last in ("a", "an") else "")
    return found


def _items(tokens: Sequence[Token]) -> list[Item]:
    words = [t.text if t.kind in ("word", "mark", "number") else "\0" for t in tokens]
    articles = _articles(words)
    items: list[Item] = []
    taken: set[int] = set()
    at = 0
    while at < len(tokens):
        if at in taken:
            at += 1
            continue
        end, senses = _together(words, at)
        if words[at] == "'s":  # "the palette's screaming" may be "is screaming"
            opened = _together([*words[:at], "is", *words[at + 1 :]], at)
            end, senses = max((end, senses), opened, key=lambda pair: pair[0])
        reach = 0
        if apart := _apart(words, at, end):
            end, senses, tail = apart
            taken.update(tail)
            reach = tail.stop
        if not senses:
            end, senses = at + 1, _single(tokens[at])
        text = " ".join(t.text for t in tokens[at:end])
        if articles[at] and end == at + 1:  # "the leaves" are no verb
            senses = [s for s in senses if s.tag not in VERBS] or [Sense("word")]
            if articles[at] == "the" and any(s.tag == "cue" for s in senses):
                # "a triangle" is to be drawn, "the triangle" is there
                senses.append(Sense("noun", text, targets=(Target(noun=text),)))
        items.append(Item(at, end, tuple(dict.fromkeys(senses)), text, articles[at], reach))
        at = end
    return items


def chunked(tokens: Sequence[Token]) -> list[Item]:
    """One item for each phrase, number, colour; a run of unknown words is one noun.

    Fillers and articles are left out, and a particle that stood apart from its verb.
    """
    out: list[Item] = []
    for item in _items(tokens):
        if item.has("ordinal"):
            if item.article == "the" or item.words.endswith(" the"):
                out.append(replace(item, senses=(Sense("ordinal"),)))
                continue
            item = replace(item, senses=tuple(s for s in item.senses if s.tag != "ordinal"))
        if item.tags <= {"filler", "a", "the"}:
            continue
        if item.tags != {"word"}:
            out.append(item)
        elif len(item.words) == 1:
            out.append(replace(item, senses=(Sense("single"),)))
        elif out and _continues(out[-1], item):
            last = out.pop()
            words = f"{last.words} {item.words}"
            out.append(_noun(last.first, item.end, words, last.article))
        else:
            out.append(_noun(item.first, item.end, item.words, item.article))
    return out


def _continues(last: Item, item: Item) -> bool:
    adjacent = last.end == item.first and not item.article
    return adjacent and last.has("noun") and last.words.count(" ") < _LONGEST_NOUN - 1


def _noun(first: int, end: int, words: str, article: str) -> Item:
    return Item(first, end, (Sense("noun", words, targets=(Target(noun=words),)),), words, article)
