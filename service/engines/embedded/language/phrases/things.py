"""Rules for what an edit is about: "the text's colour", "bigger text", "the brown in the icon"."""

from __future__ import annotations

from dataclasses import replace

from service.engines.embedded.language.colours import modified
from service.engines.embedded.language.items import Item, Sense
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.language.phrases.rule import same, stage
from service.engines.embedded.plan import Part, Target

_POINTING = ("this", "that", "these", "those", "its")
_SCALES_OF_COLOUR = (
    "lightness", "darkness", "brightness", "warmth", "saturation", "pastel", "neon", "strength",
    "softness", "earthiness", "vintage",
)  # fmt: skip
_WHOLE = (Part.IMAGE, Part.ARTWORK)


def named_targets(item: Item) -> tuple[Target, ...]:
    """The targets that an item names: a part, what a part has, a colour, a noun."""
    if item.has("target", "noun", "aspect"):
        return item.sense("target", "noun", "aspect").targets
    return (Target(colour=item.sense("colour").colour),)


def _measured(m: Match) -> list[Sense]:
    return [replace(m.sense("q", "measure"), targets=named_targets(m.item("t")))]


def _aspect_of(m: Match) -> list[Sense] | None:
    beside = "of" not in m and "own" not in m
    if beside and (m.item("a").article or m.item("a").has("seem")):
        return None
    return [replace(m.sense("a", "aspect"), targets=named_targets(m.item("t")))]


def _wished(m: Match) -> list[Sense] | None:
    """ "bigger text" is a wish, "the bigger text" only says which text."""
    values = tuple(i.sense("pred", "adj", "style", "vague") for i in m.items("p"))
    value, thing = values[-1], m.item("t")
    if len(values) > 1 and m.first > 0 and m.item("p").article != "a":
        return None  # "make the icon bigger, bolder text"
    of_colour = value.tag in ("pred", "adj") and value.key in _SCALES_OF_COLOUR
    if thing.article or value.targets or (thing.has("colour") and not of_colour):
        return None
    targets = named_targets(thing)
    if "the" in m and m.item("the").words not in _POINTING:
        return None
    if m.item("p").article != "the" and "the" not in m:
        key = thing.sense("aspect").key if thing.has("aspect") else ""
        return [Sense("ptarget", key, targets=targets, values=values)]
    if value.key == "size" and value.sign < 0 and targets == (Target(Part.TEXT),):
        return [Sense("target", targets=(Target(Part.TAGLINE),))]
    colour = targets[0].colour
    if value.key == "lightness" and colour is not None and thing.has("colour"):
        told = modified(colour, ["light" if value.sign > 0 else "dark"])
        return [Sense("target", targets=(Target(colour=told),))]
    return [
        replace(s, targets=targets) for s in thing.senses if s.tag in ("target", "noun", "aspect")
    ]


def _coloured_part(m: Match) -> list[Sense] | None:
    thing, colour = m.item("t"), m.sense("c", "colour").colour
    if thing.article or colour is None:
        return None
    if thing.has("noun") and colour.name in lexicon().compounds:  # "coffee cup" is one name
        noun = f"{m.item('c').words} {thing.words}"
        return [Sense("noun", noun, targets=(Target(noun=noun),))]
    whole = named_targets(thing)[0]
    ground = whole == Target(Part.BACKGROUND)
    targets = (whole if ground else replace(whole, colour=colour),)
    if m.item("c").article == "the":
        return [Sense("target", targets=targets)]
    wish = Sense("cpart", whole.part, colour=colour, targets=(whole,))
    return [wish, Sense("ctarget", targets=targets)]


def _within(m: Match) -> list[Sense] | None:
    inner, outer = named_targets(m.item("a"))[0], named_targets(m.item("b"))[0]
    colour_alone = m.item("a").has("colour")
    if m.item("b").has("cpart") or (inner.part in _WHOLE and not colour_alone and not inner.noun):
        return None
    if outer == Target(Part.BACKGROUND) and colour_alone:
        return [Sense("placed", colour=inner.colour, targets=(outer,))]
    if outer.part in _WHOLE and outer.noun is None:
        return [Sense("target", targets=(inner,))]
    part = outer.part if inner.part is Part.IMAGE else inner.part
    target = Target(part, inner.colour, inner.noun or outer.noun)
    if not colour_alone:
        return [Sense("target", targets=(target,))]
    return [
        Sense("target", targets=(target,)),
        Sense("placed", colour=inner.colour, targets=(outer,)),
    ]


def _compound(m: Match) -> list[Sense] | None:
    """ "bean icon" is the icon, "coffee text" the text."""
    thing = m.item("t")
    if thing.article:
        return None
    return [s for s in thing.senses if s.tag in ("target", "aspect", "measure")]


def _portion(m: Match) -> list[Sense] | None:
    """ "a dusting of grain" is grain."""
    return list(m.item("x").senses) if m.item("n").article == "a" else None


def _single(_: Match) -> list[Sense]:
    """ "the first letter", "the left leaf": one of several alike."""
    return [Sense("single")]


def _except(m: Match) -> list[Sense]:
    left_out = tuple(t for i in m.items("e") for t in named_targets(i))
    thing = m.sense("t", "target") if "t" in m else Sense("target", targets=(Target(Part.ARTWORK),))
    return [replace(thing, excepts=left_out)]


def _pointed(m: Match) -> list[Sense] | None:
    """ "this icon"; but "make it text"."""
    if m.item("this").words not in _POINTING or m.item("t").has("cpart"):
        return None
    return list(m.item("t").senses)


NAMES = (
    stage(("this:pronoun t:(N|measure|gradient|baked|effect)", _pointed)),
    stage(
        ("t:target possessive? q:measure", _measured),
        ("q:measure between (T|X) and (T|X)", same("q")),
        ("q:measure (of|in|on|for) t:N", _measured),
        ("t:(target|noun) own:possessive a:aspect", _aspect_of),
        ("t:(target|noun) a:aspect", _aspect_of),
        ("a:aspect of:(of|in|on|for) t:(target|noun)", _aspect_of),
        ("n:noun t:(target|aspect)", _compound),
        ("n:noun of x:(effect|measure)", _portion),
        ("(ordinal|single) (target|noun|aspect|colour|single)", _single),
        ("(target|noun) single", _single),
    ),
)
"""Before comparisons are read."""

WISHES = (
    stage(
        ("(p:(pred|adj) (and|comma)+)? p:(pred|adj|style|vague) t:(N|colour)", _wished),
        ("the:pronoun p:(pred|adj|style|vague) t:N", _wished),
    ),
    stage(
        ("c:colour t:(target|noun)", _coloured_part),
        ("c:colour possessive? look", same("c", "colour")),
    ),
    stage(("adj c:cpart", same("c"))),
    stage(
        ("a:(target|colour) (in|on|of) b:(target|noun)", _within),
        ("b:(target|noun) possessive a:(target|colour)", _within),
    ),
    stage(
        ("everything_but e:T+", _except),
        ("t:target (bits|look)? comma? except e:T+", _except),
    ),
)
"""After comparisons were read."""
