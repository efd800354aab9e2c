"""English word forms by rule: plurals, forms of verbs, comparatives."""

from __future__ import annotations

import re
from collections.abc import Iterator

_VOWELS = "aeiou"
_DOUBLING = ("omit",)
_SHORT = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")
"""One syllable that ends in one vowel and one consonant: trim, flat, thin."""
_NO_FORMS = frozenset(
    {
        "is", "are", "am", "was", "were", "has", "have", "had", "do", "does", "did", "can",
        "could", "should", "would", "must", "may", "might", "will", "no", "not", "got", "be",
        "needs", "i", "we", "they", "she", "he", "really", "looks", "works", "feels", "more",
        "looking", "happy", "fed", "sick", "tired", "bored",
    }
)  # fmt: skip
_IRREGULAR = {
    "colour": ("colour", "coloured", "colouring"),
    "tone": ("tone", "toned", "toning"),
    "shade": ("shade", "shaded"),
    "tint": ("tint", "tinted", "tinting"),
    "fill": ("fill", "filled", "filling"),
    "style": ("style", "styled", "styling"),
    "lose": ("lose", "loses", "lost", "losing"),
    "get": ("get", "gets", "got", "getting"),
    "make": ("make", "makes", "made", "making"),
    "take": ("take", "takes", "taken", "taking", "took"),
    "cut": ("cut", "cuts", "cutting"),
    "put": ("put", "puts", "putting"),
    "set": ("set", "sets", "setting"),
    "keep": ("keep", "keeps", "kept", "keeping"),
    "leave": ("leave", "left", "leaving"),  # "leaves" grow on trees
    "give": ("give", "gives", "gave", "given", "giving"),
    "bring": ("bring", "brings", "brought", "bringing"),
    "become": ("become", "becomes", "became", "becoming"),
    "go": ("go", "goes", "going", "gone"),
    "blow": ("blow", "blows", "blown", "blowing"),
    "grow": ("grow", "grows", "grown", "growing"),
    "throw": ("throw", "throws", "thrown", "throwing"),
    "shrink": ("shrink", "shrinks", "shrunk", "shrinking"),
    "hold": ("hold", "holds", "held", "holding"),
    "draw": ("draw", "draws", "drawn", "drawing"),
    "spin": ("spin", "spins", "spun", "spinning"),
    "hide": ("hide", "hides", "hidden", "hiding"),
    "do": ("do", "does", "did", "done", "doing"),
    "let": ("let", "lets", "letting"),
    "feel": ("feel", "feels", "felt", "feeling"),
    "choose": ("choose", "chooses", "chose", "chosen", "choosing"),
    "rid": ("rid",),
    "dial": ("dial", "dials", "dialled", "dialed", "dialling", "dialing"),
}


def plural(word: str) -> str:
    """The plural of a noun, or the third person of a verb."""
    if word.endswith(("s", "x", "ch", "sh", "z")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return word[:-1] + "ies"
    return word + "s"


def _stem(word: str) -> str:
    """What stands before -ed, -ing and -er: without its e, or with its last letter twice."""
    if word.endswith("e") and not word.endswith("ee"):
        return word[:-1]
    if word in _DOUBLING or _SHORT.fullmatch(word):
        return word + word[-1]
    return word


def verb_forms(word: str) -> Iterator[str]:
    """The base, the third person, the past and the -ing form."""
    if word in _NO_FORMS:
        yield word
        return
    if word in _IRREGULAR:
        yield from _IRREGULAR[word]
        return
    past = plural(word)[:-1] + "d" if plural(word).endswith("ies") else _stem(word) + "ed"
    yield from (word, plural(word), past, _stem(word) + "ing")


def comparative(word: str) -> str:
    """The -er form of an adjective."""
    if word.endswith("y"):
        return word[:-1] + "ier"
    return _stem(word) + "er"


def superlative(word: str) -> str:
    """The -est form of an adjective."""
    return comparative(word)[:-1] + "st"
