"""Frames that take something away: "lose the tagline", "no gradients", "the dots can go"."""

from __future__ import annotations

from service.engines.embedded.language.acts import (
    WHOLE,
    Act,
    Acts,
    Aim,
    Narrow,
    Protect,
    Topic,
    aims_of,
    with_excepts,
)
from service.engines.embedded.language.frames.frame import Reading, frames
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.plan import Declined, Edit, Keep, Op, Part, Target

_BAKED = "Taking away a shadow or a texture that is part of the picture needs a generative engine."


def _removed(aim: Aim) -> Edit | None:
    target = aim.target
    if target.part is Part.BACKGROUND and target.noun is None:
        return Edit(Op.BACKGROUND, Target(Part.BACKGROUND), "")
    if aim.aspect == "palette":
        return Edit(Op.MONOCHROME, target, "")
    nothing_named = target.part in WHOLE and target.colour is None and target.noun is None
    if aim.aspect or nothing_named:
        return None
    return Edit(Op.REMOVE, target, "")


def _remove(m: Match, _: Reading) -> Acts:
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        if aim.excepts and aim.target.part in WHOLE:
            return [Narrow(aim.excepts)]
        edit = _removed(aim)
        if edit is None:
            return None
        acts.append(edit)
        acts = with_excepts(acts, aim)
    return acts


def _flatten(m: Match, _: Reading) -> Acts:
    return [Edit(Op.FLATTEN, a.target, "") for a in aims_of(m.items("t"))]


def _flat(m: Match, _: Reading) -> Acts:
    """ "make the gradient flat"."""
    flat = any(s.key == "flatness" and s.sign > 0 for i in m.items("q") for s in i.senses)
    return [Edit(Op.FLATTEN, Target(Part.IMAGE), "")] if flat else None


def _baked(_m: Match, _: Reading) -> Acts:
    return [Declined("", "needs_generative", _BAKED)]


def _away(m: Match, reading: Reading) -> Acts:
    """ "out with the brown" waits for what comes in instead."""
    aims = aims_of(m.items("t"))
    if aims[0].target.colour is not None and aims[0].target.part is Part.IMAGE:
        return [Topic((aims[0].target,), "disliked")]
    return _remove(m, reading)


def _textless(_m: Match, _: Reading) -> Acts:
    return [Edit(Op.REMOVE, Target(Part.TEXT), "")]


def _only(m: Match, _: Reading) -> Acts:
    if any(i.has("colour") and not i.article for i in m.items("t")):
        return None
    return [Narrow(tuple(a.target for a in aims_of(m.items("t"))))]


def _only_change(m: Match, _: Reading) -> Acts:
    """ "only the text should change" waits for how, and keeps the rest."""
    targets = tuple(a.target for a in aims_of(m.items("t")))
    return [Topic(targets), Protect(Keep.EVERYTHING, Target(Part.ARTWORK), rest=True)]


def _not_so(m: Match, _: Reading) -> Acts:
    """ "I don't want the background transparent" waits for how it is wanted."""
    if "want" not in m.item("r").words:
        return None
    return [Topic(tuple(a.target for a in aims_of(m.items("t"))), "disliked")]


FRAMES = frames(
    ("P* (remove|no|without|down) gradient (O+ t:T+)?", _flatten),
    ("P* gradient (P* remove|go_away)", _flatten),
    ("gradient (displeases|dislike)", _flatten),
    ("(is|dislike)+ gradient", _flatten),
    ("P* (swap|remove) gradient (O)+ (style|X|W)", _flatten),
    ("P* gradient P* q:adj", _flat),
    ("q:causes gradient", _flat),
    ("(P|remove|less)* (less|without|no) gradient", _flatten),
    ("(P|T|X|W)* instead gradient", _flatten),
    ("P* remove baked (O+ t:T+)?", _baked),
    ("no baked", _baked),
    ("only t:T+ modal* (change|be|shift)+", _only_change),
    ("(P|keep)* only (P|keep)* t:T+", _only),
    ("(P|keep)* t:T+ only", _only),
    ("P* r:remove t:T+ P* X", _not_so),
    ("P* remove t:U~ ((from|in|of|around) N)?", _remove),
    ("away t:U", _away),
    ("no t:U needed", _remove),
    ("(P|T)* textless look?", _textless),
    ("P* (no|without) t:U~ (O+ T)?", _remove),
    ("P* t:T+ P* remove", _remove),
    ("P* t:T+ P* go_away", _remove),
)
