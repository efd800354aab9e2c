"""What a clause asks for before its pronouns and omissions are filled in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from service.engines.embedded.language.amounts import amount_of
from service.engines.embedded.language.items import Degree, Item, Sense
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.plan import Colour, Declined, Edit, Keep, Op, Part, Target

IT = Target(noun="\0it")
"""Stands for a pronoun until the context gives what it means."""

SAME = Target(noun="\0same")
"""Stands for a target that was not said."""

WHOLE = (Part.IMAGE, Part.ARTWORK)
_DARK, _LIGHT = Colour("near black", (29, 31, 35)), Colour("off white", (247, 246, 243))
"""What "a dark background" and "a light background" are where no colour was said."""

_OF_THE_WHOLE = (Op.SQUARE, Op.CROP, Op.UPSCALE, Op.VECTORIZE, Op.DARK_MODE, Op.LIGHT_MODE)
"""Styles that only the whole picture can have: a ring that is to be square is redrawn."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What an edit is for: a target, and which of its aspects was named ("the text's colour").

    `rest` is true of "everything else".
    """

    target: Target
    aspect: str = ""
    excepts: tuple[Target, ...] = ()
    rest: bool = False

    @property
    def kind(self) -> str:
        """The kind of thing for scales that mean different ops for different things."""
        if self.aspect:
            return self.aspect
        if self.target.noun is not None and self.target not in (IT, SAME):
            return "noun"
        if self.target.colour is not None:
            return "colour"
        return str(self.target.part) if self.target.part not in WHOLE else "image"


@dataclass(frozen=True, slots=True)
class Topic:
    """Something spoken of without a wish.

    What is only `named` ("the background:") must come back in a wish, else nobody knows what it
    was said for; what is `disliked` should; what is `told` ("the text is navy") need not.
    `otherwise` is the wish that it is if nothing comes back: "navy".
    """

    targets: tuple[Target, ...]
    manner: Literal["named", "disliked", "told"] = "named"
    otherwise: Edit | None = None


@dataclass(frozen=True, slots=True)
class Narrow:
    """ "Only the text": what was asked before, or is asked next, is for these alone."""

    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Soften:
    """ "But not too dark": what was asked before is meant mildly, or else asked now."""

    op: Op | None = None
    otherwise: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Protect:
    """A wish that something stays. `soft` gives way to an explicit edit of the same thing:
    "keep the text but make it navy". With `op`, only that one change is unwanted; with `rest`,
    it is all that no edit is for.
    """

    keep: Keep
    target: Target
    soft: bool = False
    op: Op | None = None
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Assume:
    """A sentence for the report about how words were taken; "%s" stands for the clause's own."""

    sentence: str


type Act = Edit | Protect | Declined | Topic | Narrow | Soften | Assume
type Acts = list[Act] | None
"""None: the frame fits in form and makes no sense."""


def aims_of(items: Iterable[Item]) -> tuple[Aim, ...]:
    """What the items of a capture name; SAME when there are none."""
    found: list[Aim] = []
    for item in items:
        if item.has("target", "noun", "ctarget"):
            sense = item.sense("target", "noun", "ctarget")
            rest = sense.key == "rest"
            found += [Aim(t, excepts=sense.excepts, rest=rest) for t in sense.targets]
        elif item.has("aspect"):
            sense = item.sense("aspect")
            found += [Aim(t, sense.key) for t in sense.targets]
        elif item.has("pronoun"):
            found.append(Aim(IT))
        elif item.has("colour"):
            found.append(Aim(Target(colour=item.sense("colour").colour)))
    return tuple(found) or (Aim(SAME),)


def on_scale(scale: str, sign: int, aim: Aim, degree: Degree | None = None) -> Edit | None:
    """The edit that moves a target along a scale; None where no op goes that way."""
    quality = lexicon().scales[scale]
    if aim.kind in quality.on:
        other = quality.on[aim.kind]
        sign = -sign if other.startswith("-") else sign
        return on_scale(other.removeprefix("-"), sign, replace(aim, aspect=""), degree)
    if aim.aspect and (allowed := lexicon().aspects[aim.aspect].scales) and scale not in allowed:
        return None
    name = quality.more if sign > 0 else quality.less
    if name is None:
        return None
    op, direction = Op(name.removeprefix("-")), -1 if name.startswith("-") else 1
    if op is Op.SCALE:
        direction = sign
        name = "scale"
    return Edit(op, aim.target, "", amount_of(op, direction, degree))


def with_excepts(acts: Sequence[Act], aim: Aim) -> list[Act]:
    """The acts and the constraints for what an aim leaves out."""
    return [*acts, *(Protect(Keep.EVERYTHING, t) for t in aim.excepts)]


def coloured(colour: Colour | None, aim: Aim, *, shades: bool = False) -> Edit | None:
    """The edit that gives a target a colour; None for what has no colour."""
    target = aim.target
    if aim.aspect in ("edges", "corners", "layout", "style"):
        return None
    if target == Target(Part.BACKGROUND):
        return Edit(Op.BACKGROUND, target, "", to=colour)
    if shades and aim.kind in ("image", "palette"):
        return Edit(Op.MONOCHROME, Target(Part.IMAGE), "", to=colour)
    return Edit(Op.RECOLOUR, target, "", to=colour)


def _vague(sense: Sense, aim: Aim) -> list[Edit] | None:
    if aim.aspect in ("font", "layout", "shapes", "corners", "edges"):
        return None
    vague = lexicon().vague[sense.key]
    lettering = aim.target.part in (Part.TEXT, Part.TAGLINE)
    edits = []
    for scale, sign in vague.text_edits if lettering else vague.edits:
        edit = on_scale(scale, sign, aim)
        if edit is None:
            return None
        edits.append(replace(edit, confidence=0.4))
    return edits


def styled(key: str, aim: Aim) -> Edit | None:
    """The edit that a style names: "greyscale", "transparent"."""
    if key == "transparent":
        whole = aim.kind in ("image", "background")
        return Edit(Op.BACKGROUND, Target(Part.BACKGROUND), "") if whole else None
    if aim.aspect in ("font", "layout", "corners", "edges"):
        return None
    if key == Op.ONE_COLOUR and (aim.target.colour or aim.kind == "noun"):
        key = Op.FLATTEN  # "the moon in one solid colour"
    if key == Op.FLIP:
        return Edit(Op.FLIP, aim.target, "", mode="horizontal")
    if key in _OF_THE_WHOLE and aim.kind != "image":
        return None
    return Edit(Op(key), aim.target, "", amount_of(Op(key), 1, None))


def wished(sense: Sense, aim: Aim, degree: Degree | None = None) -> list[Edit] | None:
    """The edits that give a target a value: "lighter", "navy", "greyscale"; None for nonsense."""
    edit: Edit | None
    ground = aim.target == Target(Part.BACKGROUND)
    match sense.tag:
        case "adj" if ground and sense.key == "lightness" and not (sense.degree or degree):
            edit = Edit(Op.BACKGROUND, aim.target, "", to=_LIGHT if sense.sign > 0 else _DARK)
        case "pred" | "adj" | "causes" | "measure":
            if sense.targets and aim.target == SAME:
                aim = Aim(sense.targets[0])
            edit = on_scale(sense.key, sense.sign, aim, sense.degree or degree)
        case "colour":
            edit = coloured(sense.colour, aim, shades=sense.key == "shades")
        case "style" | "does":
            edit = styled(sense.key, aim)
        case "scheme":
            edit = Edit(Op.HARMONY, Target(Part.IMAGE), "", mode=sense.key)
        case "vague" | "stresses":
            return _vague(sense, aim)
        case _:
            return None
    return [edit] if edit else None
