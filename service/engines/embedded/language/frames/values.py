"""Frames that give a thing a value: "make the text navy", "lighter browns", "should be bolder"."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from service.engines.embedded.language.acts import (
    IT,
    SAME,
    WHOLE,
    Act,
    Acts,
    Aim,
    Assume,
    Protect,
    Topic,
    aims_of,
    coloured,
    on_scale,
    styled,
    wished,
    with_excepts,
)
from service.engines.embedded.language.frames.frame import Reading, frames
from service.engines.embedded.language.items import Item, Sense
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.plan import Edit, Keep, Op, Part, Target

_VALUES = ("pred", "colour", "vague", "style", "scheme", "adj")


def give(aims: tuple[Aim, ...], values: list[Item], reading: Reading) -> Acts:
    """Every value for every aim; None when one of them makes no sense."""
    acts: list[Act] = []
    for aim in aims:
        for value in values:
            used = any(item.has("use") for item in reading.items)
            the = value.has("colour") and value.article == "the" and " " not in value.words
            if the and aim.target == SAME and not used:
                return None  # "the brown" is a thing and no wish
            if is_thing(value) and aim.target.colour is None:
                return None
            edits = wished(value.sense(*_VALUES), aim, reading.degree)
            if edits is None:
                return None
            acts += edits
        acts = with_excepts(acts, aim)
    return [*acts, *assumed(values)]


def assumed(values: list[Item]) -> list[Assume]:
    """How the vague words among values are taken."""
    vague = [v for v in values if not v.has(*_VALUES[:2]) and v.has("vague")]
    return [Assume(lexicon().vague[v.sense("vague").key].said % v.words) for v in vague]


def is_thing(value: Item) -> bool:
    """ "a rose" is a flower where no colour was spoken of."""
    colour = value.sense("colour").colour if value.has("colour") else None
    return colour is not None and value.article == "a" and colour.name in lexicon().things


def _give(m: Match, reading: Reading) -> Acts:
    if "t" in m and _juxtaposed(m, reading):
        return None
    return give(aims_of(m.items("t")), m.items("v"), reading)


def _juxtaposed(m: Match, reading: Reading) -> bool:
    """ "razor sharp": an unknown word right before a quality is no thing that has it."""
    thing, value = m.item("t"), m.item("v")
    if thing.words.endswith("s") and value.has("colour"):
        return False  # "petals purple"
    if not thing.has("noun") or thing.article or thing.first != reading.items[0].first:
        return False
    between = [i for i in reading.items if thing.end <= i.first < value.first]
    return not between or not all(
        i.has("is", "be", "modal", "seem", "in", "to", "become") for i in between
    )


def _give_bare(m: Match, reading: Reading) -> Acts:
    """ "warmer, please"; a colour alone may only name what the next clause is about."""
    values = m.items("v")
    if len(values) == 1 and values[0].has("colour"):
        return None
    return give((Aim(SAME),), values, reading)


def _bare_colour(m: Match, _: Reading) -> Acts:
    """ "navy": a wish if nothing else is said, the topic if "make it lighter" comes after."""
    item = m.item("v")
    sense = item.sense("colour")
    wish = coloured(sense.colour, Aim(SAME), shades=sense.key == "shades")
    if item.article == "the" or wish is None:
        return None
    return [Topic((aims_of([item])[0].target,), otherwise=wish)]


def _values_of(item: Item) -> tuple[Sense, ...]:
    """What "bigger text" or "a cream background" wishes for its thing."""
    sense = item.sense("ptarget", "cpart", "placed")
    return sense.values or (replace(sense, tag="colour", key=""),)


def _things(m: Match, reading: Reading) -> Acts:
    acts: list[Act] = []
    for item in m.items("v"):
        sense = item.sense("ptarget", "cpart", "placed")
        aims = [Aim(t, sense.key if sense.tag == "ptarget" else "") for t in sense.targets]
        for aim, value in product(aims, _values_of(item)):
            edits = wished(value, aim, reading.degree)
            if edits is None:
                return None
            acts += edits
    return acts


def _new_ground(m: Match, reading: Reading) -> Acts:
    """ "add a white background"; what else is added would have to be drawn."""
    grounds = all(t.part is Part.BACKGROUND for t in m.sense("v", "ptarget", "cpart").targets)
    return _things(m, reading) if grounds else None


def _on(m: Match, _: Reading) -> Acts:
    """ "put it on cream" is a background."""
    colour = m.sense("v", "colour").colour
    return [Edit(Op.BACKGROUND, Target(Part.BACKGROUND), "", to=colour)]


def _complaint(m: Match, reading: Reading) -> Acts:
    """ "the text feels heavy" wishes for the opposite, where the word is a complaint."""
    sense, words = m.sense("v", "adj"), m.item("v").words
    aims = aims_of(m.items("t"))
    if not any(words.endswith(c) for c in lexicon().scales[sense.key].complaints):
        return [Topic(tuple(a.target for a in aims), "told")]
    edits = [on_scale(sense.key, -sense.sign, a, sense.degree or reading.degree) for a in aims]
    return None if None in edits else [replace(e, confidence=0.7) for e in edits if e]


def _bare_complaint(m: Match, reading: Reading) -> Acts:
    """ "dull", "a bit busy": nobody wishes for these."""
    return _complaint(m, reading) if _is_bad(m.item("v")) else None


def _is_bad(item: Item) -> bool:
    return any(item.words.endswith(word) for word in lexicon().bad)


def _so_much(m: Match, reading: Reading) -> Acts:
    """ "why is the text so small", "it's so dark"."""
    sense = m.sense("v", "adj", "excess")
    sign = -sense.sign if sense.tag == "adj" else sense.sign
    edits = [on_scale(sense.key, sign, aim, reading.degree) for aim in aims_of(m.items("t"))]
    return None if None in edits else [replace(e, confidence=0.7) for e in edits if e]


def _stress(m: Match, reading: Reading) -> Acts:
    """ "emphasise the name"."""
    sense = m.sense("v", "stresses")
    acts: list[Act] = [Assume(lexicon().vague[sense.key].said)]
    for aim in aims_of(m.items("t")):
        edits = wished(sense, aim, reading.degree)
        if edits is None:
            return None
        acts += edits
    return acts


def _told(m: Match, _: Reading) -> Acts:
    """ "it should face the other way"."""
    edits = [styled(m.sense("v", "told").key, aim) for aim in aims_of(m.items("t"))]
    return None if None in edits else [replace(e, confidence=0.7) for e in edits if e]


def _where(m: Match, _: Reading) -> Acts:
    """ "where the logo is brown" names what is brown of it."""
    whole = aims_of(m.items("t"))[0].target
    part = Part.IMAGE if whole in (IT, SAME) or whole.part in WHOLE else whole.part
    return [Topic((Target(part, m.sense("c", "colour").colour),))]


def _all_of(m: Match, reading: Reading) -> Acts:
    """ "everything orange should turn teal"."""
    if m.item("e").words != "everything":
        return None
    return give(aims_of(m.items("t")), m.items("v"), reading)


def _hardly(m: Match, reading: Reading) -> Acts:
    """ "I can barely read the tagline"."""
    edits = [on_scale("contrast", 1, aim, reading.degree) for aim in aims_of(m.items("t"))]
    return None if None in edits else [replace(e, confidence=0.7) for e in edits if e]


def _mentioned(m: Match, _: Reading) -> Acts:
    """ "can I have the logo (without the text)" asks for nothing by itself."""
    aims = aims_of(m.items("t"))
    return [Topic((aims[0].target,), "told")] if aims[0].target.part in WHOLE else None


def _unmet(m: Match, reading: Reading) -> Acts:
    """ "it doesn't look warm" wishes for what is missing."""
    sense = m.sense("v", "unmet", "adj", "vague")
    value = replace(sense, tag="vague" if sense.tag == "vague" else "adj")
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        edits = wished(value, aim, reading.degree)
        if edits is None:
            return None
        acts += edits
    return [*acts, *assumed(m.items("v"))]


def _trouble(m: Match, reading: Reading) -> Acts:
    """ "the tagline gets lost" wishes for what mends it."""
    sense = m.sense("v", "trouble")
    edits = [on_scale(sense.key, sense.sign, a, reading.degree) for a in aims_of(m.items("t"))]
    return None if None in edits else [replace(e, confidence=0.7) for e in edits if e]


def _cluttered(m: Match, _: Reading) -> Acts:
    sense = m.sense("v", "clutter")
    edits = [on_scale(sense.key, sense.sign, a, sense.degree) for a in aims_of(m.items("t"))]
    return None if None in edits else [e for e in edits if e]


def _topic(m: Match, _: Reading) -> Acts:
    if m.item("t").has("noun") and not m.item("t").article:
        return None
    aims = aims_of(m.items("t"))
    if any(aim.rest for aim in aims):  # "make the text red, nothing else"
        return [Protect(Keep.EVERYTHING, aim.target, rest=True) for aim in aims]
    if any(aim.excepts for aim in aims):  # "darker, everything but the background"
        spared = [x for aim in aims for x in with_excepts([], aim)]
        return [*spared, Topic((aims[0].target,), "told")]
    return [Topic(tuple(a.target for a in aims_of(m.items("t"))))]


def _disliked(m: Match, _: Reading) -> Acts:
    return [Topic(tuple(a.target for a in aims_of(m.items("t"))), "disliked")]


def _liked(m: Match, _: Reading) -> Acts:
    return [Topic(tuple(a.target for a in aims_of(m.items("t"))), "told")]


FRAMES = frames(
    ("is* praise t:T (and t:T)*", _liked),
    ("t:T (and t:T)* praise", _liked),
    ("is* dislike t:T (and t:T)*", _disliked),
    ("(t:T+)? (seem|is|modal|ensure)* v:trouble ((O)+ T)?", _trouble),
    ("(t:T+)? (P)* v:told", _told),
    ("t:T (and t:T)* displeases", _disliked),
    ("(t:T+)? (seem|is|as)+ v:adj", _complaint),
    ("v:adj", _bare_complaint),
    ("want? t:T+ v:adj", _bare_complaint),
    ("(t:T+)? (is|seem)* so+ v:adj", _so_much),
    ("why (P|so|pronoun)* (t:T+)? (is|seem|P)* (so|too)* v:(adj|excess)", _so_much),
    ("hardly t:T+", _hardly),
    ("(is|dislike|P)* how so? v:adj t:T is*", _so_much),
    ("P* v:stresses t:T+", _stress),
    ("t:T (P)+ v:stresses", _stress),
    ("not t:colour", _disliked),
    ("relative t:T is c:colour", _where),
    ("P* e:target t:colour (P)+ v:X~", _all_of),
    ("(make|use|want|give|put)+ t:(target|pronoun)", _mentioned),
    ("(t:T+)? modal* not? (seem|is|be|as)+ v:unmet", _unmet),
    ("t:T+ modal* not (seem|as|be|want)* v:(adj|vague) enough?", _unmet),
    ("t:T is (colour|style)", _liked),
    ("P* v:clutter (O+ t:T+)?", _cluttered),
    ("(put|make|use|want|give)* T (put|be|to|modal|of|as)* on v:colour", _on),
    ("on v:colour", _on),
    ("(t:T+)? P* not X (comma|save)* v:(pred|colour|style)", _give),
    ("P* t:U+ M* v:X~", _give),
    ("P* t:U+ (M|with|on|of)* v:(pred|adj|style|vague|scheme)", _give),
    ("modal t:U+ M* v:X~", _give),
    ("(P)+ look? P* v:X~", _give),
    ("look? v:X~", _give_bare),
    ("P* v:X~ O+ t:T+", _give),
    ("P* T? P* v:W ((on|in|with)+ v:W)?", _things),
    ("swap in v:W", _things),
    ("P* v:placed", _things),
    ("P* add P* v:W (O+ T)?", _new_ground),
    ("add v:X~ (O+ t:T+)?", _give),
    ("change t:(colour|target)", _topic),
    ("v:colour", _bare_colour),
    ("t:T", _topic),
)
