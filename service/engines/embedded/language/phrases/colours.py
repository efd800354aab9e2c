"""Rules for colours: "pale muted green", "reddish brown", "shades of blue", "the brown parts"."""

from __future__ import annotations

from dataclasses import replace

from service.engines.embedded.language.colours import mixed, modified, named
from service.engines.embedded.language.items import Sense
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.language.phrases.rule import degree_of, same, stage
from service.engines.embedded.plan import Target

_PLAIN = ("solid", "plain", "flat", "pure", "simple")


def _colour(m: Match) -> list[Sense]:
    base = named(m.sense("h", "hue").key)
    assert base is not None
    modifiers = [i.words for i in m.items("m") if i.words in lexicon().modifiers]
    degree = degree_of(m)
    if degree is not None and modifiers and degree.amount > 1:
        modifiers.insert(0, modifiers[0])
    if "tint" in m:
        tint = named(m.sense("tint", "tinted").key)
        assert tint is not None
        base = mixed(base, tint, m.item("tint").words)
    many = m.item("h").words not in (base.name, m.sense("h", "hue").key)
    return [Sense("colour", "shades" if many else "", colour=modified(base, modifiers))]


def _tinted(m: Match) -> list[Sense]:
    base = named(m.sense("tint", "tinted").key)
    assert base is not None
    return [Sense("colour", colour=modified(base, [i.words for i in m.items("m")]))]


def _shades(m: Match) -> list[Sense]:
    key = "shades" if m.item("s").words.split()[0].endswith("s") else ""
    return [replace(m.sense("c", "colour"), key=key)]


def _toned(m: Match) -> list[Sense]:
    many = m.item("b").words.endswith("s")
    return [replace(m.sense("c", "colour"), key="shades" if many else "")]


def _colour_of(m: Match) -> list[Sense] | None:
    """ "the colour of wine"; a scheme of two colours is more than one."""
    return [m.sense("c", "colour")] if m.item("t").words in ("colour", "shade", "hue") else None


def _coloured(m: Match) -> list[Sense]:
    return [Sense("target", targets=(Target(colour=m.sense("c", "colour").colour),))]


def _plain_code(m: Match) -> list[Sense] | None:
    """ "a solid #ffeedd" is that colour."""
    colour = m.sense("c", "colour").colour
    if colour is None or colour.family:
        return None
    word = m.item("m").words
    return [Sense("colour", colour=modified(colour, [word] if word not in _PLAIN else []))]


def _same_as(m: Match) -> list[Sense] | None:
    """ "the same navy as #001f3f"."""
    return [m.sense("k", "colour")] if m.item("p").words == "the same" else None


def _more_of(m: Match) -> list[Sense] | None:
    """ "more vivid greens" wishes it of the greens; "a vivid green" is one."""
    how, colour = m.item("m"), named(m.sense("h", "hue").key)
    if not how.has("adj") or colour is None:
        return None
    sign = -1 if "less" in m else 1
    adjective = how.sense("adj")
    wish = Sense("pred", adjective.key, sign * adjective.sign)
    return [Sense("ptarget", targets=(Target(colour=colour),), values=(wish,))]


STAGES = (
    stage(
        ("(more|less:less) m:mod h:hue", _more_of),
        ("(d:degree? m:(mod (comma? mod)*))? tint:tinted? h:hue ish?", _colour),
        ("m:mod? tint:tinted", _tinted),
    ),
    stage(
        ("m:mod c:colour", _plain_code),
        ("p:pronoun colour as k:colour", _same_as),
        ("s:shades c:colour bits?", _shades),
        ("c:colour b:tones", _toned),
        ("tones (comma|colon)? c:colour", same("c", "colour")),
        ("t:tones of c:colour", _colour_of),
        ("c:colour bits", _coloured),
        ("any (be|seem)? c:colour", _coloured),
    ),
)
