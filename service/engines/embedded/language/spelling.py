"""Bring words to the lexicon's British spelling, and mend typing errors without inventing any."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from service.engines.embedded.language.colours import named
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.tokens import Token

type Correction = tuple[str, str]

_RULES = (
    (re.compile(r"color"), "colour"),
    (re.compile(r"^gray"), "grey"),
    (re.compile(r"center"), "centre"),
    (re.compile(r"^centreed"), "centred"),
    (re.compile(r"^centreing"), "centring"),
    (re.compile(r"(?<=[a-z]{3})(?<!s)iz(e|es|ed|er|ing|ation)$"), r"is\1"),
)
_SHORTEST = 4
_TWO_SLIPS_FROM = 7
_TIE = 0.012


def british(word: str) -> str:
    """The British form: colour, grey, centre, vectorise."""
    for pattern, form in _RULES:
        word = pattern.sub(form, word)
    return word


@cache
def _english() -> dict[tuple[str, int], frozenset[str]]:
    """Common English words by first letter and length."""
    text = files("service.engines.embedded.language").joinpath("english.txt").read_text("utf-8")
    groups: dict[tuple[str, int], set[str]] = {}
    for word in text.splitlines():
        if not word.startswith("#"):
            groups.setdefault((word[0], len(word)), set()).add(word)
    return {key: frozenset(words) for key, words in groups.items()}


@cache
def _known() -> tuple[str, ...]:
    """The lexicon's words that a typing error may be mended to."""
    words = {w for w in lexicon().words if len(w) >= _SHORTEST - 1 and w.isalpha()}
    return tuple(sorted(words | {"center", "color", "colors", "gray"}))


def is_word(word: str) -> bool:
    """Whether the lexicon or common English has the word."""
    if word in lexicon().words or word in lexicon().expansions or named(word) is not None:
        return True
    return word in _english().get((word[0], len(word)), frozenset())


def _slips(word: str) -> int:
    return 2 if len(word) >= _TWO_SLIPS_FROM else 1


def _near_english(word: str, slips: int) -> bool:
    """Whether a common English word is at most so many slips away."""
    near = (_english().get((word[0], len(word) + d), frozenset()) for d in (-1, 0, 1))
    return any(
        OSA.distance(word, other, score_cutoff=slips) <= slips for group in near for other in group
    )


@cache
def mended(word: str) -> str | None:
    """The lexicon's word that was most likely meant; None when there is doubt.

    A word of common English is never changed, nor one to which another such word is nearer:
    "drop" must not become "crop".
    """
    if len(word) < _SHORTEST or is_word(word):
        return None
    found = process.extract(
        word, _known(), scorer=OSA.distance, score_cutoff=_slips(word), limit=12
    )
    if not found:
        return None
    least = min(distance for _, distance, _ in found)
    if least > 1 and _near_english(word, int(least) - 1):
        return None
    ranked = sorted(
        (
            (_likeness(word, other), other)
            for other, slips, _ in found
            if slips == least
            and (other[0] == word[0] or sorted(other) == sorted(word))
            and (other in lexicon().content or len(other) >= len(word))
        ),
        reverse=True,
    )
    if not ranked:
        return None
    if (
        len(ranked) > 1
        and ranked[0][0] - ranked[1][0] < _TIE
        and not _akin(ranked[0][1], ranked[1][1])
    ):
        return None
    return british(ranked[0][1])


def _likeness(word: str, other: str) -> float:
    """Nearness beyond the count of slips: a letter left out is likelier than a wrong one."""
    shorter = 0.05 if len(other) > len(word) else 0.0
    swapped = 0.08 if sorted(word) == sorted(other) else 0.0
    content = 0.06 if other in lexicon().content else 0.0
    colour = 0.06 if other in lexicon().colours else 0.0
    return JaroWinkler.similarity(word, other) + shorter + swapped + content + colour


def _akin(one: str, other: str) -> bool:
    """Forms of one word: "bold", "bolder"."""
    return one.startswith(other[:4]) and other.startswith(one[:4])


def _halves(word: str) -> tuple[str, str] | None:
    """Two words written as one: "lightbrown"."""
    if is_word(word):
        return None
    for at in range(3, len(word) - 2):
        if word[:at] in _joinable() and word[at:] in _joinable():
            return word[:at], word[at:]
    return None


@cache
def _joinable() -> frozenset[str]:
    return lexicon().content | frozenset(lexicon().modifiers)


def _proper(token: Token, prompt: str, last: Token | None) -> bool:
    """A name: capitalised within a sentence that is not all capitals."""
    initial = last is None or last.kind == "mark"
    written = prompt[token.start : token.end]
    return written[:1].isupper() and not initial and not prompt.isupper()


def corrected(
    tokens: Sequence[Token], prompt: str, names: Collection[str]
) -> tuple[list[Token], tuple[Correction, ...]]:
    """The tokens in the lexicon's spelling, and what was mended; `names` are left alone."""
    out: list[Token] = []
    made: list[Correction] = []
    for token in tokens:
        if token.kind != "word":
            out.append(token)
            continue
        word = british(token.text)
        if word in lexicon().expansions:
            out += [replace(token, text=part) for part in lexicon().expansions[word].split()]
            continue
        parts = lexicon().aliases.get(word, "").split()
        if not parts and word not in names and not _proper(token, prompt, out[-1] if out else None):
            better = mended(word)
            parts = [better] if better else list(_halves(word) or ())
        if parts:
            made.append((prompt[token.start : token.end], " ".join(parts)))
        out += [replace(token, text=part) for part in parts or [word]]
    return out, tuple(made)
