"""Frames that protect something: "leave the background alone", "without altering the text"."""

from __future__ import annotations

from dataclasses import replace

from service.engines.embedded.language.acts import (
    Act,
    Acts,
    Aim,
    Protect,
    Soften,
    aims_of,
    on_scale,
    wished,
)
from service.engines.embedded.language.frames.frame import Reading, frames
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.plan import Keep


def protected(aim: Aim, keep: Keep | None = None, *, soft: bool = False) -> Protect:
    """What protects one aim; an aspect protects what it is of: its colour, shape, place."""
    if keep is None:
        keep = lexicon().aspects[aim.aspect].keep if aim.aspect else Keep.EVERYTHING
    return Protect(keep, aim.target, soft=soft and keep is Keep.EVERYTHING)


def _keep(m: Match, _: Reading) -> Acts:
    return [protected(aim) for aim in aims_of(m.items("t"))]


def _keep_softly(m: Match, _: Reading) -> Acts:
    return [protected(aim, soft=True) for aim in aims_of(m.items("t"))]


def _keep_shape(m: Match, _: Reading) -> Acts:
    """ "don't remove the text" forbids no other change of it."""
    return [protected(aim, None if aim.aspect else Keep.SHAPE) for aim in aims_of(m.items("t"))]


def _keep_colour(m: Match, _: Reading) -> Acts:
    return [protected(aim, Keep.COLOUR) for aim in aims_of(m.items("t"))]


def _unwanted(m: Match, _: Reading) -> Acts:
    """ "don't make it darker" forbids that and no other change."""
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        for item in m.items("q"):
            sense = item.sense(
                "pred", "adj", "comp", "causes", "colour", "style", "vague", "scheme"
            )
            edits = wished(replace(sense, tag="adj") if sense.tag == "comp" else sense, aim)
            for edit in edits or ():
                keep = (
                    lexicon().scales[sense.key].keep
                    if sense.key in lexicon().scales
                    else Keep.COLOUR
                )
                acts.append(Protect(keep, edit.target, op=edit.op))
    return acts or None


def _keep_measure(m: Match, _: Reading) -> Acts:
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        for item in m.items("q"):
            sense = item.sense(
                "measure", "pred", "adj", "comp", "colour", "causes", "style", "vague"
            )
            quality = lexicon().scales.get(sense.key)
            keep = quality.keep if quality else Keep.COLOUR
            own = replace(aim, target=sense.targets[0]) if sense.targets else aim
            acts.append(protected(own, keep))
    return acts


def _soften(_m: Match, _: Reading) -> Acts:
    return [Soften()]


def _not_too(m: Match, _: Reading) -> Acts:
    """ "but not too dark": mild if dark was asked for, a wish of its own if not."""
    sense = m.sense("v", "overdone")
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        asked = on_scale(sense.key, -sense.sign, aim)
        wish = on_scale(sense.key, sense.sign, aim, sense.degree)
        if wish is None and asked is None:
            return None
        acts.append(Soften(asked.op if asked else None, (wish,) if wish else ()))
    return acts


_DOING = (
    "(touch|change|make|remove|causes|does|swap|shift|up|down|scale_to|add|rotate|flip|limit"
    "|use|put|give)"
)

FRAMES = frames(
    ("(refrain|not|but_not) too_much", _soften),
    ("(P|refrain)* t:T* P* v:overdone", _not_too),
    (f"refrain {_DOING} (it|pronoun)? too_much", _soften),
    (f"refrain {_DOING} (too_much|too)", _soften),
    ("refrain (remove|limit) t:T+ (O+ T)?", _keep_shape),
    (f"refrain {_DOING} t:U+ (O+ T)?", _keep),
    (f"refrain {_DOING} q:measure+ (O+ t:T+)?", _keep_measure),
    (f"refrain {_DOING} t:U+ P* q:(X|comp)+", _unwanted),
    (f"refrain {_DOING} q:(X|comp)+", _unwanted),
    ("refrain q:causes+ t:U+", _unwanted),
    (f"modal? t:T+ modal* refrain (P|{_DOING})* as_is?", _keep),
    ("(refrain|no) change* to t:T+", _keep),
    ("P* keep L* t:U+", _keep_softly),
    ("P* keep L* t:U+ L* as_is", _keep),
    ("P* keep q:measure+ (O+ t:T+)? (L* as_is)?", _keep_measure),
    ("P* keep t:T+ L* colour", _keep_colour),
    ("P* keep t:T+ L* q:(adj|pred)", _keep_measure),
    ("modal? t:T+ P* keep (L* as_is)?", _keep),
    ("P* t:T+ P* as_is", _keep),
    ("(except|but_not) O* t:T+", _keep),
)
