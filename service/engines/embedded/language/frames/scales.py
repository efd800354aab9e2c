"""Frames that move a thing along a scale: "lighten the brown", "turn up the contrast"."""

from __future__ import annotations

from service.engines.embedded.language.acts import (
    IT,
    SAME,
    Act,
    Acts,
    Aim,
    aims_of,
    on_scale,
    with_excepts,
)
from service.engines.embedded.language.frames.frame import Reading, frames
from service.engines.embedded.language.items import Item
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.plan import Part

_SIZING = ("increas", "reduc", "decreas", "lower", "rais")
_QUIETING = (
    "ton", "dial", "turn", "knock", "play", "damp", "water", "take the edge", "taking the edge",
    "rein", "ease", "go eas", "back off",
)  # fmt: skip
_GOOD_ALONE = ("space", "earthiness", "pastel", "neon", "coolness")
_LOUDER, _LEVELS = (
    "saturation",
    ("saturation", "extent", "size", "strength", "weight", "brightness"),
)


def _moved(items: list[Item], aims: tuple[Aim, ...], sign: int, reading: Reading) -> Acts:
    """Move every aim along the scale of every item."""
    acts: list[Act] = []
    for aim in aims:
        for item in items:
            sense = item.sense("causes", "measure", "pred", "adj")
            own = Aim(sense.targets[0]) if sense.targets else aim
            edit = on_scale(sense.key, sense.sign * sign, own, sense.degree or reading.degree)
            if edit is None:
                return None
            acts.append(edit)
        acts = with_excepts(acts, aim)
    return acts


def _cause(m: Match, reading: Reading) -> Acts:
    return _moved(m.items("q"), aims_of(m.items("t")), 1, reading)


def _up(m: Match, reading: Reading) -> Acts:
    return _moved(m.items("q"), aims_of(m.items("t")), 1, reading)


def _down(m: Match, reading: Reading) -> Acts:
    return _moved(m.items("q"), aims_of(m.items("t")), -1, reading)


def _wanted(m: Match, reading: Reading) -> Acts:
    """ "breathing space please"."""
    return _up(m, reading) if m.sense("q", "measure").key in _GOOD_ALONE else None


def _bothered(m: Match, reading: Reading) -> Acts:
    """ "the clutter bothers me"; of other qualities nobody can tell which way."""
    return _down(m, reading) if m.sense("q", "measure").key == "complexity" else None


def _by_factor(m: Match, _: Reading) -> Acts:
    """ "reduce by half the size of the icon"."""
    sense = m.sense("q", "pred")
    if sense.degree is None or sense.degree.kind == "factor":
        return None
    aim = Aim(sense.targets[0]) if sense.targets else Aim(SAME)
    edit = on_scale(sense.key, -1, aim, sense.degree)
    return [edit] if edit else None


def _level(m: Match, reading: Reading) -> Acts:
    """ "the contrast is too low", "make the padding bigger"."""
    how = m.sense("v", "pred", "adj")
    sign = how.sign
    if how.key == "lightness" and m.sense("q", "measure").key == "weight":
        sign = -sign  # "lighter line weight" is thinner
    elif how.key not in _LEVELS:
        return None
    degree = how.degree or reading.degree
    return _moved(m.items("q"), aims_of(m.items("t")), sign, Reading(reading.items, degree))


def _caused(m: Match, reading: Reading) -> Acts:
    """ "soften the contrast", "smooth out the rough edges"."""
    cause, scale = m.sense("c", "causes"), m.sense("q", "measure")
    if cause.key in ("softness", "strength"):
        sign = 1 if (cause.key == "strength") == (cause.sign > 0) else -1
        return _moved(m.items("q"), aims_of(m.items("t")), sign, reading)
    if cause.key != scale.key:
        return None
    edits = [on_scale(cause.key, cause.sign, a, reading.degree) for a in aims_of(m.items("t"))]
    return None if None in edits else [e for e in edits if e]


def _mended(m: Match, reading: Reading) -> Acts:
    """ "clean up the jaggies": what nobody wants is mended by less of it."""
    bad = all(i.sense("measure").sign < 0 for i in m.items("q"))
    return _down(m, reading) if bad else None


def _too_much_of(m: Match, reading: Reading) -> Acts:
    """ "remove the extra space"."""
    return _moved(m.items("q"), aims_of(m.items("t")), -1, reading)


def _louder(m: Match, reading: Reading) -> Acts:
    """ "turn up the reds": how much of a colour is how vivid it is; "increase the text"."""
    name = "up" if "up" in m else "down"
    sign, verb = (1 if name == "up" else -1), m.item(name).words
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        colour = aim.target.colour is not None or aim.kind in ("palette", "background")
        sized = not colour and verb.startswith(_SIZING) and aim.target.noun in (None, IT.noun)
        if aim.target.part in (Part.DARKEST, Part.LIGHTEST):
            acts += _moved_tone(aim, sign, reading)
            continue
        shades = reading.degree is not None and reading.degree.shades
        quieted = name == "down" and verb.startswith(_QUIETING)
        if not (sized or colour or shades or quieted):
            return None
        scale = "lightness" if shades else "size" if sized else _LOUDER
        edit = on_scale(scale, sign, aim, reading.degree)
        if edit is None:
            return None
        acts.append(edit)
    return acts


def _moved_tone(aim: Aim, sign: int, reading: Reading) -> list[Act]:
    """ "lift the shadows", "pull the highlights down"."""
    edit = on_scale("lightness", sign, aim, reading.degree)
    return [edit] if edit else []


def _reduced(m: Match, reading: Reading) -> Acts:
    """ "reduce it to the bare minimum"."""
    sense = m.sense("v", "adj")
    if sense.key != "complexity" or sense.sign > 0:
        return None
    return _moved(m.items("v"), aims_of(m.items("t")), 1, reading)


def _twice(m: Match, reading: Reading) -> Acts:
    """ "strip it back to the essentials" says the same thing twice."""
    if m.sense("q", "causes").key != m.sense("more", "adj").key:
        return None
    return _cause(m, reading)


FRAMES = frames(
    ("P* q:causes~ L* t:U~ more?", _cause),
    ("P* q:causes~", _cause),
    ("P* t:T+ P* q:causes~", _cause),
    ("modal t:T+ P* q:causes~", _cause),
    ("P* up q:measure~ (O+ t:T+)?", _up),
    ("P* down q:measure~ (O+ t:T+)?", _down),
    ("P* up t:T possessive? q:measure", _up),
    ("P* down t:T possessive? q:measure", _down),
    ("P* q:measure~ (O+ t:T+)? P* up", _up),
    ("P* q:measure~ (O+ t:T+)? P* down", _down),
    ("(add|want|give|use|put|with)+ q:measure~ (O+ t:T+)? O*", _up),
    ("give t:T+ q:measure~", _up),
    ("t:T+ (modal|want)+ q:measure~", _up),
    ("P* down q:pred", _by_factor),
    ("(remove|no|without) q:measure~ (O+ t:T+)?", _down),
    ("q:measure go_away", _down),
    ("(is|dislike)+ q:measure", _bothered),
    ("q:measure (displeases|dislike)", _bothered),
    ("P* q:measure", _wanted),
    ("P* q:measure~ (O+ t:T+)? P* v:(pred|adj)", _level),
    ("P* v:(pred|adj) O+ q:measure", _level),
    ("P* c:causes q:measure (O+ t:T+)?", _caused),
    ("P* remove q:pred (O+ t:T+)?", _too_much_of),
    ("P* mends q:measure~ (O+ t:T+)?", _mended),
    ("P* up:up t:T+", _louder),
    ("P* down:down t:T+", _louder),
    ("P* t:T+ P* up:up", _louder),
    ("P* t:T+ P* down:down", _louder),
    ("P* q:causes~ L* (t:U+)? P* more:adj", _twice),
    ("P* (down|limit|remove)+ (t:T+)? P* v:adj", _reduced),
)
