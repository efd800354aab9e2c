"""Frames that place, turn and size: "text above the icon", "rotate 45° left", "20 % bigger"."""

from __future__ import annotations

from service.engines.embedded.language.acts import Act, Acts, Aim, aims_of
from service.engines.embedded.language.amounts import amount_of
from service.engines.embedded.language.frames.frame import Reading, frames
from service.engines.embedded.language.items import Degree
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.plan import Edit, Op, Part, Target

_IMAGE = Target(Part.IMAGE)
_TEXTS = (Part.TEXT, Part.TAGLINE)
_MOVABLE = (Part.TEXT, Part.TAGLINE, Part.ICON, Part.ARTWORK)
_LIFTS = (("rais", "up"), ("lift", "up"), ("hoist", "up"), ("lower", "down"))
_TILT_DEGREES, _TURN_DEGREES = 10.0, 90.0


def _rotate(m: Match, reading: Reading) -> Acts:
    degrees = m.sense("n", "number", "turn_of").number if "n" in m else None
    if degrees is None:
        verb = m.item("r").words.split()[0]
        if "way" not in m and verb.startswith("turn"):
            return None
        small = verb.startswith(("tilt", "angl", "tip", "twist")) or (
            reading.degree is not None and reading.degree.amount < 1
        )
        degrees = _TILT_DEGREES if small else _TURN_DEGREES
    left = "way" in m and m.sense("way", "turned").key == "anticlockwise"
    return [
        Edit(Op.ROTATE, aim.target, "", degrees=-degrees if left else degrees)
        for aim in aims_of(m.items("t"))
    ]


def _overturn(m: Match, _: Reading) -> Acts:
    return [Edit(Op.ROTATE, aim.target, "", degrees=180.0) for aim in aims_of(m.items("t"))]


def _flip(m: Match, _: Reading) -> Acts:
    mode = m.sense("way", "mirrored").key if "way" in m else "horizontal"
    return [Edit(Op.FLIP, aim.target, "", mode=mode) for aim in aims_of(m.items("t"))]


def _flip_over(m: Match, _: Reading) -> Acts:
    return [Edit(Op.FLIP, aim.target, "", mode="vertical") for aim in aims_of(m.items("t"))]


def _move(m: Match, reading: Reading) -> Acts:
    amount = amount_of(Op.MOVE, 1, reading.degree)
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        if aim.target.part is Part.BACKGROUND or aim.target.colour is not None:
            return None
        mode = m.sense("way", "direction").key
        acts.append(Edit(Op.MOVE, aim.target, "", amount, mode=mode))
    return acts


def _lift(m: Match, reading: Reading) -> Acts:
    """ "raise the icon a bit", "lower the text"."""
    verb = m.item("s").words.split()[0]
    mode = next((mode for start, mode in _LIFTS if verb.startswith(start)), None)
    if mode is None:
        return None
    amount = amount_of(Op.MOVE, 1, reading.degree)
    aims = aims_of(m.items("t"))
    if any(a.aspect or a.target.part not in _MOVABLE or a.target.colour for a in aims):
        return None
    return [Edit(Op.MOVE, a.target, "", amount, mode=mode) for a in aims]


def _raise(m: Match, reading: Reading) -> Acts:
    """ "the tagline a bit lower"."""
    sense = m.sense("v", "pred")
    if sense.key != "extent" or not m.item("v").words.endswith(("higher", "lower")):
        return None
    amount = amount_of(Op.MOVE, 1, sense.degree or reading.degree)
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        if aim.aspect or aim.target.part is Part.BACKGROUND or aim.target.colour is not None:
            return None
        acts.append(Edit(Op.MOVE, aim.target, "", amount, mode="up" if sense.sign > 0 else "down"))
    return acts


def _sides(one: Aim, other: Aim, place: str) -> Acts:
    """The arrangement in which `one` is above, below, left or right of `other`."""
    if one.target.part in _TEXTS and other.target.part not in _TEXTS:
        mode = place
    elif other.target.part in _TEXTS and one.target.part not in _TEXTS:
        mode = {"above": "below", "below": "above", "left": "right", "right": "left"}[place]
    else:
        return None
    text = one if one.target.part in _TEXTS else other
    target = text.target if text.target.part is Part.TAGLINE else _IMAGE
    return [Edit(Op.ARRANGE, target, "", mode=f"text_{mode}")]


def _other_than(target: Target) -> Target:
    return Target(Part.ICON if target.part in _TEXTS else Part.TEXT)


def _arrange(m: Match, _: Reading) -> Acts:
    one = aims_of(m.items("a"))[0]
    if "b" not in m and one.target not in (Target(Part.ICON), *map(Target, _TEXTS)):
        return None
    other = aims_of(m.items("b"))[0] if "b" in m else Aim(_other_than(one.target))
    return _sides(one, other, m.sense("p", "place").key)


def _resize(m: Match, reading: Reading) -> Acts:
    """ "scale the icon to 80 %", "resize the text by 20 %"."""
    if reading.degree is None or reading.degree.kind == "factor":
        return None
    return [
        Edit(Op.SCALE, aim.target, "", amount_of(Op.SCALE, 1, reading.degree))
        for aim in aims_of(m.items("t"))
    ]


def _times(m: Match, _: Reading) -> Acts:
    number = m.sense("n", "number").number or 1
    amount = amount_of(Op.UPSCALE, 1, Degree(number, "times"))
    return [Edit(Op.UPSCALE, _IMAGE, "", amount)]


def _enlarged(m: Match, _: Reading) -> Acts:
    """ "upscale to twice the size"."""
    size = m.sense("v", "pred")
    if m.sense("s", "does").key != Op.UPSCALE or size.key not in ("size", "resolution"):
        return None
    return [Edit(Op.UPSCALE, _IMAGE, "", amount_of(Op.UPSCALE, 1, size.degree))]


def _fill(_m: Match, _: Reading) -> Acts:
    return [Edit(Op.CROP, _IMAGE, "")]


FRAMES = frames(
    ("P* (rotate|flip|make|put) (t:T+)? P* overturned", _overturn),
    ("P* overturned look", _overturn),
    ("P* (rotate|make) (t:T+)? P* n:number degrees P* way:turned?", _rotate),
    ("P* rotate* (t:T+)? P* n:turn_of P* way:turned?", _rotate),
    ("P* r:rotate (t:T+)? O* (n:number degrees?)? P* way:turned?", _rotate),
    ("P* r:rotate (t:T+)? P* way:turned (by|O)* n:number degrees", _rotate),
    ("P* (flip|make|change) (t:T+)? P* way:mirrored", _flip),
    ("P* flip (t:T+)? P*", _flip),
    ("P* t:T+ P* flip (way:mirrored)?", _flip),
    ("P* shift t:T+ P* way:direction", _move),
    ("P* t:T+ P* shift P* way:direction", _move),
    ("t:(target|pronoun) way:direction", _move),
    ("P* shift* way:direction", _move),
    ("P* s:shift t:T+", _lift),
    ("P* shift* t:T+ P* (shift|P)* v:pred", _raise),
    ("P* (put|shift|make|P)* a:T P* p:place b:T", _arrange),
    ("P* (put|shift|make|P)* a:T P* p:place", _arrange),
    ("P* scale_to (t:T+)? P*", _resize),
    ("P* s:does (t:T+)? to v:pred", _enlarged),
)
