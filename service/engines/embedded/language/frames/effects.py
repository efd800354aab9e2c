"""Frames that add an effect or a line around: "a soft shadow", "outline the text in white"."""

from __future__ import annotations

from service.engines.embedded.language.acts import Act, Acts, aims_of, styled, with_excepts
from service.engines.embedded.language.amounts import amount_of
from service.engines.embedded.language.frames.frame import Reading, frames
from service.engines.embedded.language.items import Degree, Sense
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.plan import Colour, Edit, Op, Part


def _strength(sense: Sense) -> Degree:
    """ "a soft shadow" is half of one, "a heavy shadow" a strong one."""
    soft = sense.key == "softness" or (sense.key == "lightness") == (sense.sign > 0)
    return Degree(0.5 if soft else 1.7)


def _colour(m: Match) -> Colour | None:
    return next((m.sense(n, "colour").colour for n in ("c", "k") if n in m), None)


def _effect(m: Match, reading: Reading) -> Acts:
    op = Op(m.sense("e", "effect").key)
    degree = next((_strength(i.sense("adj")) for i in m.items("x")), None)
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        edit = Edit(op, aim.target, "", amount_of(op, 1, reading.degree or degree), to=_colour(m))
        acts += with_excepts([edit], aim)
    return acts


def _line(m: Match, reading: Reading) -> Acts:
    """ "add a thin white border": an outline that is a part elsewhere is new here."""
    sense = m.sense("o", "cpart", "ptarget", "target")
    if any(t.part is not Part.OUTLINE for t in sense.targets):
        return None
    colour = sense.colour if sense.colour is not None else _colour(m)
    return [
        Edit(Op.ADD_OUTLINE, a.target, "", amount_of(Op.ADD_OUTLINE, 1, reading.degree), to=colour)
        for a in aims_of(m.items("t"))
    ]


def _new_line(m: Match, reading: Reading) -> Acts:
    """ "a white border" is new, "white lines" are there already."""
    one = m.item("o")
    return None if one.words.endswith("s") and not one.article else _line(m, reading)


def _does(m: Match, reading: Reading) -> Acts:
    key = m.sense("s", "does").key
    acts: list[Act] = []
    for aim in aims_of(m.items("t")):
        edit = styled(key, aim)
        if edit is None:
            return None
        amount = amount_of(edit.op, 1, reading.degree)
        acts += with_excepts([Edit(edit.op, edit.target, "", amount, to=_colour(m))], aim)
    return acts


def _centred(m: Match, _: Reading) -> Acts:
    """ "centre the icon horizontally"."""
    if m.sense("s", "does").key != Op.CENTRE:
        return None
    mode = m.sense("way", "mirrored").key
    return [Edit(Op.CENTRE, aim.target, "", mode=mode) for aim in aims_of(m.items("t"))]


_SMALL = "(x:adj|mod|degree)*"

FRAMES = frames(
    (
        f"(add|P)* {_SMALL} (c:colour)? {_SMALL} e:effect (O+ k:colour)? ((O|place|on)+ t:T+)?"
        " (O+ k:colour)? (comma (x:adj|degree))?",
        _effect,
    ),
    ("P* give t:T+ x:adj? c:colour? e:effect", _effect),
    ("P* t:T+ (P|add)+ x:adj? c:colour? e:effect", _effect),
    ("(add|P)* o:cpart ((O|place|on)+ t:T+)?", _new_line),
    ("(add|give|put) o:(target|cpart|ptarget) ((O|place|on)+ t:T+)?", _line),
    ("(add|give|put) t:T o:(target|cpart|ptarget)", _line),
    ("P* s:does (t:T+)? (O+ c:colour)?", _does),
    ("P* s:does (O+ t:T+)?", _does),
    ("P* s:does (t:T+)? way:mirrored", _centred),
    ("P* t:T+ P* s:does (O+ c:colour)?", _does),
    ("modal t:T+ P* s:does", _does),
)
