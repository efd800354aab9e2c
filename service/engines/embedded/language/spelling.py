"""Bring words to British spelling, which is the lexicon's."""

from __future__ import annotations

import re

_RULES = (
    (re.compile(r"color"), "colour"),
    (re.compile(r"^gray"), "grey"),
    (re.compile(r"^center(ed|ing|s)?$"), r"centr\1"),
    (re.compile(r"(?<=[a-z]{3})iz(e|es|ed|ing|ation)$"), r"is\1"),
)


def british(word: str) -> str:
    """The British form: colour, grey, centre, vectorise."""
    for pattern, form in _RULES:
        word = pattern.sub(form, word)
    return "centre" if word == "centr" else word
