"""Frames that protect something: "leave the background alone", "keep the text the same size"."""

from __future__ import annotations

from dataclasses import replace

from service.engines.embedded.language.acts import Acts, Aim, Protect, aims_of
from service.engines.embedded.language.constraints import kind_of
from service.engines.embedded.language.frames.frame import Reading, frames
from service.engines.embedded.language.items import Sense
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.plan import Keep, Op


def protected(aim: Aim, keep: Keep | None = None, *, soft: bool = False) -> Protect:
    """What protects one aim; an aspect protects what it is of: its colour, shape, place."""
    if keep is None:
        keep = lexicon().aspects[aim.aspect].keep if aim.aspect else Keep.EVERYTHING
    return Protect(keep, aim.target, soft=soft and keep is Keep.EVERYTHING, rest=aim.rest)


def kept_of(sense: Sense) -> Keep:
    """What a word for a quality is a quality of: "size" of the place, "bold" of the shape."""
    if sense.tag == "aspect":
        return lexicon().aspects[sense.key].keep
    if sense.key in lexicon().scales:
        return lexicon().scales[sense.key].keep
    known = sense.tag in ("style", "does") and sense.key in Op
    return kind_of(Op(sense.key)) if known else Keep.COLOUR


def keep_all(m: Match, _: Reading) -> Acts:
    """Everything about the targets stays."""
    return [protected(aim) for aim in aims_of(m.items("t"))]


def _keep_softly(m: Match, _: Reading) -> Acts:
    return [protected(aim, soft=True) for aim in aims_of(m.items("t"))]


def _spared(m: Match, _: Reading) -> Acts:
    """ "but not the text"; "not navy" spares nothing."""
    if any(i.has("colour") and not i.article for i in m.items("t")):
        return None
    return [protected(aim, soft=True) for aim in aims_of(m.items("t"))]


def _keep_quality(m: Match, _: Reading) -> Acts:
    """ "keep the text dark", "keep the size of the icon", "keep it brown"."""
    aims = aims_of(m.items("t"))
    senses = [i.sense("measure", "adj", "pred", "colour", "aspect") for i in m.items("q")]
    return [
        protected(
            replace(aim, target=s.targets[0]) if s.tag == "measure" and s.targets else aim,
            kept_of(s),
        )
        for aim in aims
        for s in senses
    ]


FRAMES = frames(
    ("P* keep L* t:U~", _keep_softly),
    ("P* keep L* t:U~ L* as_is", keep_all),
    ("P* keep q:measure~ (O+ t:T+)? (L* as_is)?", _keep_quality),
    ("P* keep t:T+ P* as_is q:(measure|aspect)", _keep_quality),
    ("P* keep t:T+ L* q:(colour|adj|pred)", _keep_quality),
    ("modal? t:T+ P* keep L* q:(colour|adj)", _keep_quality),
    ("modal? t:T+ P* keep (L* as_is)?", keep_all),
    ("P* t:T+ P* as_is", keep_all),
    ("(except|save) O* t:T+", _spared),
)
