"""What the descriptions of a logo tell of its nouns: drawn or lettered, and in which colour."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from service.engines.embedded.language.chunks import chunked
from service.engines.embedded.language.lexicon.forms import plural
from service.engines.embedded.language.phrases import phrased
from service.engines.embedded.language.spelling import british
from service.engines.embedded.language.tokens import tokenise
from service.engines.embedded.plan import Colour, Part, Target

_QUOTED = re.compile(r"[\"“”]([^\"“”]+)[\"“”]|(?<!\w)['‘]([^'’]+)['’](?!\w)")
_WORD = re.compile(r"[A-Za-z]+")
_TAGLINE = re.compile(r"\b(?:tagline|slogan|strapline|subtitle)\b[^.]{0,20}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Description:
    """`drawn` are words for what is drawn, `lettered` those that stand in the logo as lettering,
    `tagline` those of its smaller line; `colours` gives the colour that a noun was said to have.
    """

    drawn: frozenset[str] = frozenset()
    lettered: frozenset[str] = frozenset()
    tagline: frozenset[str] = frozenset()
    colours: tuple[tuple[str, Colour], ...] = ()

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


def _singular(word: str) -> str:
    for ending, stem in (("ves", "f"), ("ies", "y"), ("es", ""), ("s", "")):
        short = word.removesuffix(ending) + stem
        if short != word and len(short) > 2 and plural(short) == word:
            return short
    return {"leaves": "leaf"}.get(word, word)


def described(*texts: str | None) -> Description:
    """Read the descriptions; those that are absent tell nothing."""
    drawn, lettered, tagline = set[str](), set[str](), set[str]()
    colours: list[tuple[str, Colour]] = []
    for text in filter(None, texts):
        rest = list(text)
        for quoted in _QUOTED.finditer(text):
            words = {_singular(w.lower()) for w in _WORD.findall(quoted.group())}
            (tagline if _TAGLINE.search(text[: quoted.start()]) else lettered).update(words)
            rest[quoted.start() : quoted.end()] = " " * (quoted.end() - quoted.start())
        bare = "".join(rest)
        for word in _WORD.finditer(bare):
            capitals = word.group().isupper() and len(word.group()) > 1
            (lettered if capitals else drawn).add(_singular(british(word.group().lower())))
        colours += _colours_in(bare)
    return Description(frozenset(drawn), frozenset(lettered), frozenset(tagline), tuple(colours))


def _colours_in(text: str) -> list[tuple[str, Colour]]:
    """ "a brown coffee bean" makes the bean brown."""
    tokens = [replace(t, text=british(t.text)) if t.kind == "word" else t for t in tokenise(text)]
    found: list[tuple[str, Colour]] = []
    for item in phrased(chunked(tokens)):
        for target in (t for s in item.senses for t in s.targets):
            if target.noun is not None and target.colour is not None:
                found += [(_singular(w), target.colour) for w in target.noun.split()[-1:]]
    return list(dict.fromkeys(found))
