"""What the descriptions of a logo tell of its nouns: drawn or lettered, and in which colour."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.engines.embedded.language.chunks import chunked
from service.engines.embedded.language.lexicon.forms import plural
from service.engines.embedded.language.phrases import phrased
from service.engines.embedded.language.spelling import british
from service.engines.embedded.language.tokens import Token, tokenise
from service.engines.embedded.plan import Colour, Part, Target

_ODD_PLURALS = {"leaves": "leaf", "wolves": "wolf", "knives": "knife", "people": "person"}
_QUOTED = re.compile(r"[\"“”]([^\"“”]+)[\"“”]|(?<!\w)['‘]([^'’]+)['’](?!\w)")
_WORD = re.compile(r"[A-Za-z]+")
_TAGLINE = re.compile(r"\b(?:tagline|slogan|strapline|subtitle)\b[^.]{0,20}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Description:
    """`drawn` are words for what is drawn, `lettered` those that stand in the logo as lettering,
    `tagline` those of its smaller line; `colours` gives the colour that a noun was said to have and
    `names` whole lettering as it was quoted, longest first.
    """

    drawn: frozenset[str] = frozenset()
    lettered: frozenset[str] = frozenset()
    tagline: frozenset[str] = frozenset()
    colours: tuple[tuple[str, Colour], ...] = ()
    names: tuple[tuple[tuple[str, ...], Part], ...] = ()

    def named(self, tokens: Sequence[Token]) -> list[Token]:
        """The tokens with each name of the lettering as one token."""
        out: list[Token] = []
        at = 0
        while at < len(tokens):
            end, part = self._name_at(tokens, at)
            if part is None:
                out.append(tokens[at])
                at += 1
            else:
                out.append(Token(str(part), "name", tokens[at].start, tokens[end - 1].end))
                at = end
        return out

    def _name_at(self, tokens: Sequence[Token], at: int) -> tuple[int, Part | None]:
        if tokens[at].kind == "quote":
            found = _words_of(tokens[at].text)
            return at + 1, next((p for words, p in self.names if words == found), None)
        for words, part in self.names:
            run = tokens[at : at + len(words)]
            written = tuple(t.text for t in run if t.text != "and")
            joined = tuple(t.text for t in tokens[at : at + len(words) + 1] if t.text != "and")
            if written == words and (len(words) > 1 or words[0] not in self.drawn):
                return at + len(words), part
            if joined == words and len(words) > 1:
                return at + len(words) + 1, part
        return at, None

    @property
    def words(self) -> frozenset[str]:
        """Every word of the descriptions, which the speller leaves alone."""
        return self.drawn | self.lettered | self.tagline

    def placed(self, target: Target) -> Target:
        """The target with what the description makes plain about its noun."""
        if target.noun is None:
            return target
        words = {_singular(w) for w in _WORD.findall(target.noun.lower())}
        if target.part is not Part.IMAGE:
            return target
        if words & self.drawn:
            hints = [colour for noun, colour in self.colours if noun in words]
            colour = target.colour or (hints[0] if hints else None)
            return replace(target, part=Part.ICON, colour=colour)
        if words and words <= self.tagline:
            return Target(Part.TAGLINE)
        if words and words <= self.lettered:
            return Target(Part.TEXT)
        return target


def _words_of(name: str) -> tuple[str, ...]:
    """The words of a name without "and", which may be written "&"."""
    return tuple(w for w in _WORD.findall(name.lower()) if w != "and")


def _singular(word: str) -> str:
    if word in _ODD_PLURALS:
        return _ODD_PLURALS[word]
    for ending, stem in (("ies", "y"), ("es", ""), ("s", "")):
        short = word.removesuffix(ending) + stem
        if short != word and len(short) > 2 and plural(short) == word:
            return short
    return word


def described(*texts: str | None) -> Description:
    """Read the descriptions; those that are absent tell nothing."""
    drawn, lettered, tagline = set[str](), set[str](), set[str]()
    colours: list[tuple[str, Colour]] = []
    names: dict[tuple[str, ...], Part] = {}
    for text in filter(None, texts):
        rest = list(text)
        for quoted in _QUOTED.finditer(text):
            small = _TAGLINE.search(text[: quoted.start()]) is not None
            words = _words_of(quoted.group())
            names[words] = Part.TAGLINE if small else Part.TEXT
            (tagline if small else lettered).update(_singular(w) for w in words)
            rest[quoted.start() : quoted.end()] = " " * (quoted.end() - quoted.start())
        bare = "".join(rest)
        for word in _WORD.finditer(bare):
            capitals = word.group().isupper() and len(word.group()) > 1
            (lettered if capitals else drawn).add(_singular(british(word.group().lower())))
            if capitals:
                names.setdefault((word.group().lower(),), Part.TEXT)
        colours += _colours_in(bare)
    return Description(
        frozenset(drawn),
        frozenset(lettered),
        frozenset(tagline),
        tuple(colours),
        tuple(sorted(((w, p) for w, p in names.items() if w), key=lambda pair: -len(pair[0]))),
    )


def _colours_in(text: str) -> list[tuple[str, Colour]]:
    """ "a brown coffee bean" makes the bean brown."""
    tokens = [replace(t, text=british(t.text)) if t.kind == "word" else t for t in tokenise(text)]
    found: list[tuple[str, Colour]] = []
    for item in phrased(chunked(tokens)):
        for target in (t for s in item.senses for t in s.targets):
            if target.noun is not None and target.colour is not None:
                found += [(_singular(w), target.colour) for w in target.noun.split()[-1:]]
    return list(dict.fromkeys(found))
