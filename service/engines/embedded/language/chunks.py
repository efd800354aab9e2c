"""Turn tokens into items: the longest phrases of the lexicon, numbers, colours, unknown words."""

from __future__ import annotations

from collections.abc import Sequence

from service.engines.embedded.language.colours import coded, named
from service.engines.embedded.language.lexicon import Phrase, lexicon
from service.engines.embedded.language.patterns import Item, Sense
from service.engines.embedded.language.tokens import Token

_REACH = 6
"""How many words may stand between a verb and its particle: "tone the bright red words down"."""


def _fits(phrase: Phrase, words: Sequence[str], at: int) -> int | None:
    """Where a phrase without its gap ends when it stands at `at`."""
    end = at + len(phrase.words)
    return end if tuple(words[at:end]) == phrase.words else None


def _particle(phrase: Phrase, words: Sequence[str], at: int) -> int | None:
    """Where the particle of "tone ~ down" stands when its object is between."""
    if phrase.gap is None:
        return None
    head, tail = phrase.words[: phrase.gap], phrase.words[phrase.gap :]
    start = at + len(head)
    if tuple(words[at:start]) != head:
        return None
    for place in range(start + 1, min(start + _REACH, len(words) - len(tail)) + 1):
        if words[place - 1] in (".", ","):
            return None
        if tuple(words[place : place + len(tail)]) == tail:
            return place
    return None


def _lexical(words: Sequence[str], at: int) -> tuple[int, list[Sense], range]:
    """End and senses of the longest phrase at `at`, and the tokens of a particle apart."""
    best, senses = at, list[Sense]()
    apart = range(0)
    for phrase in lexicon().by_first.get(words[at], ()):
        end = _fits(phrase, words, at)
        if end is not None and end >= best and end > at:
            senses = [*senses, phrase.sense] if end == best else [phrase.sense]
            best = end
    for phrase in lexicon().by_first.get(words[at], ()):
        place = _particle(phrase, words, at)
        if place is not None and phrase.gap is not None and best <= at + phrase.gap:
            tail = len(phrase.words) - phrase.gap
            return at + phrase.gap, [phrase.sense], range(place, place + tail)
    return best, senses, apart


def _single(token: Token) -> list[Sense]:
    match token.kind:
        case "number":
            return [Sense("number", amount=float(token.text))]
        case "quote":
            return [Sense("quote", token.text)]
        case "mark":
            return [Sense("stop" if token.text == "." else "comma", token.text)]
        case "colour":
            colour = coded(token.text)
            return [Sense("colour", colour=colour)] if colour else [Sense("word", token.text)]
        case "word":
            colour = named(token.text)
            return [Sense("hue", token.text)] if colour else [Sense("word", token.text)]


def chunked(tokens: Sequence[Token]) -> list[Item]:
    """One item for each phrase; a particle that stood apart from its verb disappears."""
    words = [t.text if t.kind in ("word", "mark") else "\0" for t in tokens]
    items: list[Item] = []
    taken: set[int] = set()
    at = 0
    while at < len(tokens):
        if at in taken:
            at += 1
            continue
        end, senses, apart = _lexical(words, at)
        if not senses:
            end, senses = at + 1, _single(tokens[at])
        taken.update(apart)
        text = " ".join(t.text for t in tokens[at:end])
        if text in lexicon().modifiers:
            senses.append(Sense("mod", text))
        items.append(Item(at, end, tuple(senses), text))
        at = end
    return items
