"""Build larger items from smaller ones: amounts, colours, comparisons, and what they are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from service.engines.embedded.language.colours import modified, named
from service.engines.embedded.language.patterns import Coded, Item, Match, Pattern, Sense
from service.engines.embedded.plan import Colour, Part, Target

type Build = Callable[[Match], Sense | tuple[Sense, ...]]


def _percent(m: Match) -> Sense:
    return Sense("degree", amount=(m.item("n").sense("number").amount or 0) / 100, literal=True)


def _times(m: Match) -> Sense:
    return Sense("degree", "times", amount=m.item("n").sense("number").amount, literal=True)


def _colour(m: Match) -> tuple[Sense, ...]:
    hue = m.items("hue")[-1].sense("hue")
    base = named(hue.key)
    assert base is not None
    colour = modified(base, [i.sense("mod").key for i in m.items("mods")])
    return (Sense("colour", colour=colour),)


def _colour_parts(m: Match) -> Sense:
    colour = m.item("c").sense("colour").colour
    return Sense("target", targets=(Target(colour=colour),))


def _degree(m: Match, default: float = 1.0) -> tuple[float, bool]:
    amount, literal = default, False
    for item in m.items("d"):
        sense = item.sense("degree")
        amount, literal = sense.amount or 1.0, sense.literal
    return amount, literal


def _pred(m: Match, sign: int, default: float = 1.0) -> Sense:
    scale = m.item("q").sense("comp", "adj", "measure")
    amount, literal = _degree(m, default)
    return Sense("pred", scale.key, scale.sign * sign, amount, literal)


def _more(m: Match) -> Sense:
    return _pred(m, 1)


def _less(m: Match) -> Sense:
    return _pred(m, -1)


def _rather_less(m: Match) -> Sense:
    return _pred(m, -1, 0.5)


def of_sense(item: Item) -> tuple[Target, ...]:
    """The targets that an item names: a part, a colour, a noun."""
    if item.has("target", "noun"):
        return item.sense("target", "noun").targets
    return (Target(colour=item.sense("colour").colour),)


def _pred_target(m: Match) -> Sense:
    pred = m.item("p").sense("pred")
    return replace(pred, tag="ptarget", targets=of_sense(m.item("t")), values=(pred,))


def _coloured_part(m: Match) -> tuple[Sense, ...]:
    colour: Colour | None = m.item("c").sense("colour").colour
    part = m.item("t").sense("target").targets[0]
    within = replace(part, colour=colour)
    return (
        Sense("cpart", part.part, colour=colour, targets=(part,)),
        Sense("target", part.part, targets=(within,)),
    )


def _within(m: Match) -> Sense:
    inner, outer = of_sense(m.item("a"))[0], of_sense(m.item("b"))[0]
    if outer.part in (Part.IMAGE, Part.ARTWORK):
        return Sense("target", targets=(inner,))
    return Sense("target", targets=(Target(outer.part, inner.colour, outer.noun),))


def _noun(m: Match) -> Sense:
    words = " ".join(i.words for i in m.items("w"))
    return Sense("noun", words, targets=(Target(noun=words),))


_STAGES: tuple[tuple[tuple[Pattern, Build], ...], ...] = tuple(
    tuple((Pattern(text), build) for text, build in stage)
    for stage in (
        (("with? n:number percent", _percent), ("n:number times", _times)),
        (("mods:(mod*) hue:hue", _colour),),
        (("shades c:colour", lambda m: m.item("c").senses), ("c:colour bits", _colour_parts)),
        (
            ("d:degree? q:comp", _more),
            ("d:degree? too more? q:(adj|measure)", _less),
            ("d:degree? more q:(adj|measure)", _more),
            ("d:degree? less q:(adj|measure)", _less),
            ("not d:degree? (so|too|more) q:adj", _rather_less),
            ("not q:adj enough", _more),
            ("not enough q:(adj|measure)", _more),
        ),
        (("p:pred c:colour", lambda m: _pred_target(_renamed(m))),),
        (("c:colour t:target", _coloured_part), ("p:pred t:target", _pred_target)),
        (("a:colour of b:target", _within),),
        (("w:(word word? word?)", _noun),),
    )
)


def _renamed(m: Match) -> Match:
    return Match(m.first, m.end, {"p": m.caught["p"], "t": m.caught["c"]})


def _applied(items: list[Item], rules: tuple[tuple[Pattern, Build], ...]) -> list[Item]:
    coded = Coded(items)
    out: list[Item] = []
    at = 0
    while at < len(items):
        found = max(
            ((m, build) for p, build in rules if (m := p.match(coded, at))),
            key=lambda pair: pair[0].end,
            default=None,
        )
        if found is None:
            out.append(items[at])
            at += 1
            continue
        match, build = found
        made = build(match)
        senses = made if isinstance(made, tuple) else (made,)
        run = items[at : match.end]
        words = " ".join(i.words for i in run)
        out.append(Item(run[0].first, run[-1].end, senses, words))
        at = match.end
    return out


def phrased(items: list[Item]) -> list[Item]:
    """The items after every stage, fillers left out."""
    kept = [i for i in items if not i.has("filler")]
    for stage in _STAGES:
        kept = _applied(kept, stage)
    return kept
