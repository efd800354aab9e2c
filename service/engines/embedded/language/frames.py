"""The sentence patterns: what a clause of items asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.engines.embedded.language.acts import Act, asked_of, on_scale, targets_of
from service.engines.embedded.language.patterns import Item, Match, Pattern
from service.engines.embedded.plan import Constraint, Declined, Edit, Keep, Op, Part, Target

type Reading = Callable[[Match], list[Act] | None]


def _give_values(m: Match) -> list[Act] | None:
    acts: list[Act] = []
    for target in targets_of(m.items("t")):
        for value in m.items("v"):
            asked = asked_of(value, target)
            if asked is None:
                return None
            acts += asked
    return acts


def _pred_targets(m: Match) -> list[Act] | None:
    acts: list[Act] = []
    for item in m.items("v"):
        for target in item.sense("ptarget").targets:
            asked = asked_of(item, target)
            if asked is None:
                return None
            acts += asked
    return acts


def _cause(m: Match) -> list[Act] | None:
    sense = m.item("q").sense("causes")
    degree = m.item("d").sense("degree") if "d" in m else None
    edits = [on_scale(sense.key, sense.sign, t, degree) for t in targets_of(m.items("t"))]
    return None if None in edits else [e for e in edits if e]


def _direction(m: Match) -> list[Act] | None:
    sign = -1 if "down" in m else 1
    degree = m.item("d").sense("degree") if "d" in m else None
    scale = m.item("q").sense("measure").key
    edits = [on_scale(scale, sign, t, degree) for t in targets_of(m.items("t"))]
    return None if None in edits else [e for e in edits if e]


def _exchange(m: Match) -> list[Act] | None:
    return [
        edit for t in targets_of(m.items("t")) for edit in asked_of(m.item("v"), t) or ()
    ] or None


def _remove(m: Match) -> list[Act] | None:
    acts: list[Act] = []
    for target in targets_of(m.items("t")):
        if target.part is Part.BACKGROUND and target.colour is None and target.noun is None:
            acts.append(Edit(Op.BACKGROUND, target, ""))
        else:
            acts.append(Edit(Op.REMOVE, target, ""))
    return acts


def _keep(m: Match) -> list[Act]:
    return [Constraint(Keep.EVERYTHING, t) for t in targets_of(m.items("t"))]


def _style(m: Match) -> list[Act]:
    op = Op(m.item("s").sense("style", "does").key)
    return [Edit(op, t, "") for t in targets_of(m.items("t"))]


def _background(m: Match) -> list[Act]:
    sense = m.item("b").sense("cpart")
    if sense.key != Part.BACKGROUND:
        return []
    return [Edit(Op.BACKGROUND, Target(Part.BACKGROUND), "", to=sense.colour)]


def _generative(_: Match) -> list[Act]:
    return [Declined("", "needs_generative", "Drawing new things needs a generative engine.")]


_FRAMES: tuple[tuple[Pattern, Reading], ...] = tuple(
    (Pattern(text), reading)
    for text, reading in (
        ("(without|not|no_need) (change|touch|make|remove|causes|swap) t:T+", _keep),
        ("keep t:T+ as_is?", _keep),
        ("except t:T+", _keep),
        ("(make|change|use|want|put) with? b:cpart", _background),
        ("(put|make|want) T (of|with|to) b:cpart", _background),
        ("with? b:cpart", _background),
        ("(make|change|use|want|give)? v:ptarget+", _pred_targets),
        ("(make|change|want|use)? t:T+ (to|of|be|with|modal)* v:X+", _give_values),
        ("(make|change|want|use|be)? (to|of)* v:X+ degree?", _give_values),
        ("(make|change|want|use)? t:T+ (to|of|be|with|modal)* (v:X d:degree)", _give_values),
        ("q:causes t:T+ d:degree?", _cause),
        ("d:degree? q:causes t:T+", _cause),
        ("up q:measure (of t:T+)? d:degree?", _direction),
        ("down:down q:measure (of t:T+)? d:degree?", _direction),
        ("add v:pred (to t:T+)?", _give_values),
        ("swap t:T+ (to|with) v:colour", _exchange),
        ("use? v:colour instead t:T+", _exchange),
        ("t:T (arrow|become) v:colour", _exchange),
        ("remove t:T+", _remove),
        ("(no|without) t:T+", _remove),
        ("(make|change|use|want|render)? t:T* (to|of|be|with)* s:style", _style),
        ("s:does t:T*", _style),
        ("(add|swap) (noun|word|T) (to|with)? T?", _generative),
    )
)


def read_clause(items: Sequence[Item]) -> list[Act] | None:
    """What the first frame that covers the whole clause makes of it."""
    for pattern, reading in _FRAMES:
        match = pattern.fullmatch(items)
        if match is not None:
            acts = reading(match)
            if acts:
                return acts
    return None
