"""Frames with a negation: "don't make it darker", "without altering the text", "not too warm"."""

from __future__ import annotations

from dataclasses import replace

from service.engines.embedded.language.acts import (
    SAME,
    Act,
    Acts,
    Aim,
    Protect,
    Soften,
    Topic,
    aims_of,
    on_scale,
    wished,
)
from service.engines.embedded.language.frames.frame import Reading, frames
from service.engines.embedded.language.frames.keeping import keep_all, kept_of, protected
from service.engines.embedded.language.items import Degree, Item
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.plan import Edit, Keep, Op

_MILDLY = Degree(0.5)


def _keep_shape(m: Match, _: Reading) -> Acts:
    """ "don't remove the text" forbids no other change of it."""
    return [protected(aim, None if aim.aspect else Keep.SHAPE) for aim in aims_of(m.items("t"))]


def _edits_of(item: Item, aim: Aim) -> list[Edit]:
    sense = item.sense(
        "pred", "adj", "comp", "causes", "does", "measure", "colour", "style", "vague", "scheme"
    )
    as_wish = replace(sense, tag="adj") if sense.tag == "comp" else sense
    return wished(as_wish, aim) or []


def _unwanted(m: Match, _: Reading) -> Acts:
    """ "don't make it darker" forbids that and no other change."""
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        for item in m.items("q"):
            keep = kept_of(
                item.sense(
                    "pred",
                    "adj",
                    "comp",
                    "causes",
                    "measure",
                    "does",
                    "colour",
                    "style",
                    "vague",
                    "scheme",
                )
            )
            acts += [Protect(keep, e.target, op=e.op) for e in _edits_of(item, aim)]
    return acts or None


def _nothing(_m: Match, _: Reading) -> Acts:
    """ "don't add a shadow", "without losing detail": nobody meant to."""
    return [Topic((SAME,), "told")]


def _flatten(m: Match, _: Reading) -> Acts:
    return [Edit(Op.FLATTEN, aim.target, "") for aim in aims_of(m.items("t"))]


def _soften(_m: Match, _: Reading) -> Acts:
    return [Soften()]


def _not_too(m: Match, _: Reading) -> Acts:
    """ "but not too dark": mild if dark was asked for, a wish of its own if not."""
    sense = m.sense("v", "overdone", "excess")
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        asked = on_scale(sense.key, -sense.sign, aim)
        wish = on_scale(sense.key, sense.sign, aim, _MILDLY)
        if wish is None:
            return None
        acts.append(Soften(asked.op if asked else None, (wish,)))
    return acts


def _mildly(m: Match, _: Reading) -> Acts:
    """ "don't make it too bright" tempers what was asked, and asks for nothing itself."""
    sense = m.sense("v", "excess")
    asked = [on_scale(sense.key, -sense.sign, aim) for aim in aims_of(m.items("t"))]
    return [Soften(edit.op if edit else None) for edit in asked]


def _less(m: Match, _: Reading) -> Acts:
    """ "it shouldn't be so dark"."""
    sense = m.sense("v", "adj", "comp")
    edits = [on_scale(sense.key, -sense.sign, a, _MILDLY) for a in aims_of(m.items("t"))]
    return None if None in edits else [e for e in edits if e]


def _not_this(m: Match, _: Reading) -> Acts:
    """ "the text shouldn't be black"."""
    return [Topic(tuple(a.target for a in aims_of(m.items("t"))), "disliked")]


_NO = "(refrain|not)"
_DOING = "(touch|change|make|shift|swap|up|down|scale_to|rotate|flip)"

FRAMES = frames(
    (f"{_NO} too_much", _soften),
    (f"refrain ({_DOING}|remove|add|use) (pronoun)? (too_much|too)", _soften),
    ("(t:T)? P* v:overdone", _not_too),
    (f"t:T {_NO} be v:excess", _not_too),
    (f"{_NO} {_DOING} t:T (be|seem)* v:excess", _mildly),
    (f"t:T {_NO} P* (so|as|more|also|likewise)* v:(adj|comp)", _less),
    (f"t:T {_NO} be colour", _not_this),
    ("refrain remove t:T+ (O+ T)?", _keep_shape),
    (f"refrain {_DOING} t:U+ P* q:(X|comp)", _unwanted),
    (f"refrain {_DOING} q:(pred|adj|comp|style|vague)", _unwanted),
    ("refrain P* q:(causes|does)~ (t:U+)?", _unwanted),
    ("refrain (make|P)* T+ P* (go_away|trouble)", _nothing),
    ("refrain risk q:measure~ (O+ T+)?", _nothing),
    (f"refrain {_DOING} q:measure~ (O+ t:T+)?", _unwanted),
    ("refrain (use|want|P)* gradient", _flatten),
    ("refrain (add|use|P)+ (x:adj|degree|mod)* (effect|noun|measure)", _nothing),
    (f"refrain {_DOING} t:U+ (O+ T)?", keep_all),
    (f"modal? t:T+ modal* refrain (be|{_DOING})* as_is?", keep_all),
    ("(refrain|no) change* to t:T+", keep_all),
)
