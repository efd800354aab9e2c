"""Split an instruction into lower-case words that remember where they stood in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "number", "colour", "quote", "mark", "name"]
"""A "name" is lettering that a description told of; its text is then the part it is."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number, colour code, quotation or mark; `start` and `end` index the prompt."""

    text: str
    kind: Kind
    start: int
    end: int


_PATTERN = re.compile(
    r"""
      (?P<quote>"[^"\n]{1,80}"|(?<![a-z0-9])'[^'\n]{1,80}'(?![a-z0-9]))
    | (?P<colour>\#[0-9a-f]{3,8}(?![0-9a-z])
        |rgba?\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}[^)]{0,12}\))
    | (?P<bullet>(?:(?<=\n)|^)[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+|(?<=[\s(])[1-9][.)][ \t]+(?=[a-z]))
    | (?P<signed>(?<=[\s:])[+\-\u2212](?=\d+(?:[.,]\d+)?\s*(?:%|percent)))
    | (?P<number>(?<![a-z])\d+(?:[.,]\d+)?)
    | (?P<with>\bw/o?(?![a-z]))
    | (?P<arrow>-+>|=+>|→|⇒|»)
    | (?P<word>[a-z]+(?:'[a-z]+)*)
    | (?P<dash>(?<=\s)-+(?=\s)|--+|[–—])
    | (?P<mark>[.,;:!?()\n%°&+/])
    """,
    re.VERBOSE,
)

_MARKS = {
    "&": "and",
    "+": "and",
    "/": "and",
    ".": ".",
    ":": ":",
    "!": ".",
    "?": ".",
    "\n": ".",
    ";": ".",
    "(": ",",
    ")": ",",
    "%": "percent",
    "°": "degrees",
}

# Letters that break a match (curly quotes, accents) are replaced one for one, so that offsets hold.
_PLAIN = str.maketrans("‘’ʼ`´“”„«×éèêáàíóúñç", "'''''\"\"\"\"xeeeaaiounc")

_CONTRACTED = {
    "n't": ("", "not"),
    "'re": ("", "are"),
    "'ve": ("", "have"),
    "'ll": ("", "will"),
    "'d": ("", "would"),
    "'m": ("", "am"),
}
_WHOLE = {
    "can't": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "ain't": ("is", "not"),
    "let's": ("let", "us"),
    "cannot": ("can", "not"),
    "dont": ("do", "not"),
    "doesnt": ("does", "not"),
    "didnt": ("did", "not"),
    "isnt": ("is", "not"),
    "arent": ("are", "not"),
    "wasnt": ("was", "not"),
    "cant": ("can", "not"),
    "wont": ("will", "not"),
    "shouldnt": ("should", "not"),
    "wouldnt": ("would", "not"),
    "lets": ("let", "us"),
    "id": ("i", "would"),
    "im": ("i", "am"),
    "ive": ("i", "have"),
    "thats": ("that", "is"),
    "theres": ("there", "is"),
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "gotta": ("got", "to"),
}


_SUBJECTS = ("the", "it", "this", "that", "these", "those", "we", "you", "there", "our", "they")
_AUX = ("should", "could", "would", "can", "is", "are", "do", "does", "will", "might")
_IS = (
    "whatever",
    "it",
    "that",
    "there",
    "what",
    "here",
    "who",
    "where",
    "this",
    "he",
    "she",
    "how",
)
"""After these "'s" is "is"; after a noun it may be that or a possessive."""


def _words_of(word: str) -> tuple[str, ...]:
    if word in _WHOLE:
        return _WHOLE[word]
    for ending, (_, second) in _CONTRACTED.items():
        if word.endswith(ending):
            return word.removesuffix(ending), second
    if word.endswith("'s"):
        stem = word.removesuffix("'s")
        return stem, "is" if stem in _IS else "'s"
    return (word.replace("'", ""),)


def plain_letters(text: str) -> str:
    """The text without curly quotes and the commonest accents, as long as before."""
    return text.translate(_PLAIN)


def tokenise(prompt: str) -> list[Token]:
    """The tokens of a prompt; contractions are opened ("don't" is "do", "not")."""
    plain = prompt.translate(_PLAIN).lower()
    if len(plain) != len(prompt):  # a letter whose lower case is two letters
        plain = "".join(letter.lower()[:1] for letter in prompt.translate(_PLAIN))
    found = [t for match in _PATTERN.finditer(plain) for t in _tokens_of(match)]
    return _without_rhetoric(found, plain)


def _without_rhetoric(tokens: list[Token], plain: str) -> list[Token]:
    """ "Shouldn't the text be darker?" asks for what "should the text be darker?" asks for."""
    out: list[Token] = []
    start = 0
    for i, token in enumerate(tokens):
        if token.text == "." or i == len(tokens) - 1:
            sentence = tokens[start : i + 1]
            opens = [t.text for t in sentence[:3]]
            asked = "?" in plain[token.start : token.end] or (opens[2:] and opens[2] in _SUBJECTS)
            if asked and opens[1:2] == ["not"] and opens[0] in _AUX:
                del sentence[1]
            out += sentence
            start = i + 1
    return out


def _tokens_of(match: re.Match[str]) -> Iterator[Token]:
    text = match.group()
    start, end = match.span()
    match match.lastgroup:
        case "word":
            yield from (Token(word, "word", start, end) for word in _words_of(text) if word)
        case "number":
            yield Token(text.replace(",", "."), "number", start, end)
        case "colour":
            yield Token(text.replace(" ", ""), "colour", start, end)
        case "quote":
            yield Token(text[1:-1].strip(), "quote", start, end)
        case "with":
            yield Token("without" if text.endswith("o") else "with", "word", start, end)
        case "signed":
            yield Token("up" if text == "+" else "down", "word", start, end)
        case "arrow":
            yield Token("->", "word", start, end)
        case "bullet":
            yield Token(".", "mark", start, end)
        case "mark" if text in "&+/%°":
            yield Token(_MARKS[text], "word", start, end)
        case _:
            yield Token(_MARKS.get(text, ","), "mark", start, end)
