"""Frames that exchange colours and set palettes: "swap blue for teal", "only red and white"."""

from __future__ import annotations

from dataclasses import replace

from service.engines.embedded.language.acts import (
    SAME,
    Act,
    Acts,
    Aim,
    Assume,
    aims_of,
    coloured,
    wished,
    with_excepts,
)
from service.engines.embedded.language.frames.frame import Reading, frames
from service.engines.embedded.language.frames.values import is_thing
from service.engines.embedded.language.items import Item
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.plan import Colour, Edit, Op, Part, Target

_IMAGE = Target(Part.IMAGE)
_INSTEAD = "“%s” was taken as the one colour instead of the other."


def _colours(items: list[Item]) -> tuple[Colour, ...]:
    found = (item.sense("colour").colour for item in items)
    return tuple(c for c in found if c is not None)


def _swap(m: Match, _: Reading) -> Acts:
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        edit = coloured(m.sense("v", "colour").colour, aim)
        if edit is None or aim.target == SAME or (not aim.target.colour and is_thing(m.item("v"))):
            return None
        acts += with_excepts([edit], aim)
    return acts


def _substituted(m: Match, reading: Reading) -> Acts:
    """ "substitute teal for pink" puts teal in; "swap teal for pink" takes it out."""
    words = m.item("s").words
    return _swap(m, reading) if words.startswith("sub") or "in" in m else None


def _put_instead(m: Match, reading: Reading) -> Acts:
    """ "not brown, green"; but "not the brown, the green" only points."""
    points = m.item("i").words == "not" and m.item("v").article == "the"
    return None if points else _swap(m, reading)


def _put_in(m: Match, reading: Reading) -> Acts:
    """ "substitute olive wherever there is brown"."""
    target = aims_of(m.items("t"))[0].target
    return _swap(m, reading) if target.colour is not None else None


def _exchange(m: Match, _: Reading) -> Acts:
    """ "swap the blue and the red": each takes the place of the other."""
    one, other = _colours(m.items("a")), _colours(m.items("b"))
    return [Edit(Op.RECOLOUR, Target(colour=one[0]), "", to=other[0], mode="exchange")]


def _within(m: Match, _: Reading) -> Acts:
    """ "change the text from green to black"."""
    found = m.sense("a", "colour").colour
    aims = [
        a if a.kind == "background" else Aim(replace(a.target, colour=found))
        for a in aims_of(m.items("t"))
    ]
    edits = [coloured(m.sense("v", "colour").colour, aim) for aim in aims if aim.target != SAME]
    return [e for e in edits if e] or None


def _palette(m: Match, _: Reading) -> Acts:
    """Some colours and no others; one alone is one ink."""
    found = _colours(m.items("v"))
    if len(found) == 1:
        return [Edit(Op.ONE_COLOUR, _IMAGE, "", to=found[0])]
    return [Edit(Op.LIMIT_PALETTE, _IMAGE, "", colours=_colours(m.items("v")))]


def _two_or_more(m: Match, reading: Reading) -> Acts:
    return _palette(m, reading) if len(m.items("v")) > 1 else None


def _rather(m: Match, _: Reading) -> Acts:
    """ "less brown and more green"."""
    edits = [coloured(m.sense("v", "colour").colour, a) for a in aims_of(m.items("t"))]
    return [*(replace(e, confidence=0.5) for e in edits if e), Assume(_INSTEAD)]


def _scheme(m: Match, _: Reading) -> Acts:
    return [Edit(Op.HARMONY, _IMAGE, "", mode=m.sense("v", "scheme").key)]


def _stick(m: Match, reading: Reading) -> Acts:
    """ "stick to black, white and red"; but "reduce the red" is about one colour."""
    return _palette(m, reading) if m.item("s").words.endswith(("to", "with")) else None


def _style(m: Match, _: Reading) -> Acts:
    edits = wished(m.sense("s", "style"), Aim(_IMAGE))
    return list(edits) if edits else None


def _count(m: Match, _: Reading) -> Acts:
    number = int(m.sense("n", "number").number or 0)
    if number == 1:
        return [Edit(Op.ONE_COLOUR, _IMAGE, "")]
    if not 2 <= number <= 32:
        return None
    return [Edit(Op.LIMIT_PALETTE, _IMAGE, "", count=number)]


def _fewer(m: Match, _: Reading) -> Acts:
    if m.sense("q", "aspect").key != "palette":
        return None
    return [Edit(Op.LIMIT_PALETTE, _IMAGE, "")]


def _tinted(m: Match, _: Reading) -> Acts:
    """A style in a colour: "monochrome in green", "one colour, black"."""
    op, found = Op(m.sense("s", "style").key), _colours(m.items("c"))
    match op:
        case Op.MONOCHROME | Op.ONE_COLOUR if len(found) == 1:
            return [Edit(op, _IMAGE, "", to=found[0])]
        case Op.DUOTONE if len(found) == 2:
            return [Edit(op, _IMAGE, "", to=found[0], to2=found[1])]
        case _:
            return None


def _wholly(m: Match, reading: Reading) -> Acts:
    """ "completely navy", "all in one navy": one ink."""
    if reading.degree is None or reading.degree.amount < 2 or reading.degree.kind != "factor":
        return None
    return [Edit(Op.ONE_COLOUR, _IMAGE, "", to=m.sense("v", "colour").colour)]


def _on_paper(m: Match, _: Reading) -> Acts:
    """ "navy on cream": an ink and its paper."""
    return [
        Edit(Op.ONE_COLOUR, _IMAGE, "", to=m.sense("v", "colour").colour),
        Edit(Op.BACKGROUND, Target(Part.BACKGROUND), "", to=_colours(m.items("b"))[0]),
    ]


def _whole_thing(item: Item) -> bool:
    return all(
        t.part in (Part.IMAGE, Part.ARTWORK) and t.colour is None
        for a in aims_of([item])
        for t in [a.target]
    )


def _shades_only(m: Match, _: Reading) -> Acts:
    sense = m.sense("v", "colour")
    if sense.key != "shades":
        return None
    return [Edit(Op.MONOCHROME, _IMAGE, "", to=sense.colour)]


FRAMES = frames(
    ("P* (swap|change) a:colour and b:colour", _exchange),
    ("s:swap in:in? v:colour for t:T+", _substituted),
    ("P* t:T P* from a:colour (to|become) P* v:colour", _within),
    ("modal? t:T+ P* (swap|change) (O|become)+ v:colour", _swap),
    ("(swap|change|make|P)+ from? t:T+ (to|with|become|arrow|as)+ (be|make)* v:colour", _swap),
    ("P* swap from? t:T+ (for|as)+ (be|make)* v:colour", _swap),
    ("P* (remove|swap|change)? t:T+ favour P* v:colour", _swap),
    ("P* remove t:T+ for v:colour", _swap),
    ("(swap|remove) t:colour (comma|and)+ (put|use|add|make)+ v:colour in?", _swap),
    ("P* t:T+ P* swap (for|to|with)+ v:colour", _swap),
    ("swap t:T+ colon? v:colour", _swap),
    ("P* v:colour P* instead (P|change)* t:T+", _swap),
    ("i:instead t:T+ P* v:colour", _put_instead),
    ("P* t:T+ P* v:colour instead T", _swap),
    ("P* t:T+ (arrow|become) v:colour", _swap),
    ("from t:T to v:colour", _swap),
    ("(P|limit|at_most)* n:number palette_count (O* T)? at_most*", _count),
    ("(P|limit|at_most|down)+ T? to* n:number palette_count at_most*", _count),
    ("P* (limit|causes|down) aspect to? n:number", _count),
    ("(P|too_much|less)* aspect comma? P* limit pronoun to? n:number palette_count?", _count),
    ("(P|limit|at_most|only)* n:number palette_count (comma|colon|P)* v:colour~", _palette),
    ("P* v:colour relative t:T is*", _swap),
    ("P* v:colour relative T is t:colour", _swap),
    ("swap v:colour t:target seem?", _put_in),
    ("P* v:colour P* replaces t:T+", _swap),
    ("P* v:colour in t:T possessive stead", _swap),
    ("P* v:colour P* suits t:T more?", _swap),
    ("P* less of? t:colour (and|comma|save|but)* (more|as) of? v:colour", _rather),
    ("flip T? to s:style", _style),
    ("(flip|P)* T? P* v:scheme", _scheme),
    ("(P|limit)* (less|too_much|limit) q:aspect (O+ T)?", _fewer),
    ("P* q:aspect P* limit", _fewer),
    ("(P|limit)* only P* v:colour~ (look|tones)?", _palette),
    ("(P|limit)* v:colour~ only", _palette),
    ("limit (target|aspect|pronoun)? to P* only? v:colour~", _palette),
    ("s:limit only? v:colour~ only?", _stick),
    ("(keep|limit) T? to? s:style only?", _style),
    ("use v:colour~", _two_or_more),
    ("P* T? in v:colour~", _two_or_more),
    ("P* T? P* aspect P* v:colour~", _two_or_more),
    ("P* (pronoun|target) P* v:colour~", _two_or_more),
    ("P* (T+)? P* s:style (O|comma|be|colon|use)* c:colour~ (only|tones)?", _tinted),
    ("P* (T+)? P* c:colour s:style", _tinted),
    ("P* only v:colour", _shades_only),
    ("P* v:colour only", _shades_only),
    ("P* (target|pronoun)? P* v:colour", _wholly),
    ("P* T? P* v:colour T? on b:colour", _on_paper),
)
