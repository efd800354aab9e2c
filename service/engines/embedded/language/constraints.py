"""Weigh what must stay against what was asked: conflicts are declined, the rest protects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from service.engines.contract import PreserveAspect
from service.engines.embedded.plan import Constraint, Declined, Edit, Keep, Op, Part, Target

_TONES = {Op.LIGHTEN, Op.DARKEN, Op.PASTEL, Op.MUTE, Op.VIVID, Op.CONTRAST, Op.BRIGHTNESS}
_COLOURING = _TONES | {
    Op.RECOLOUR, Op.WARMER, Op.COOLER, Op.EARTHY, Op.NEON, Op.MONOCHROME, Op.ONE_COLOUR,
    Op.BLACK_AND_WHITE, Op.DUOTONE, Op.LIMIT_PALETTE, Op.HARMONY, Op.INVERT, Op.DARK_MODE,
    Op.LIGHT_MODE, Op.VINTAGE,
}  # fmt: skip
_SHAPING = {Op.BOLDER, Op.THINNER, Op.OUTLINE_ONLY, Op.ROUND, Op.REMOVE}
_PLACING = {Op.SCALE, Op.MOVE, Op.ARRANGE, Op.ROTATE, Op.FLIP}
_STYLING = {Op.OUTLINE_ONLY, Op.VINTAGE}
_OF = {Keep.COLOUR: _COLOURING, Keep.SHAPE: _SHAPING, Keep.PLACE: _PLACING}

_ARTWORK = Target(Part.ARTWORK)
_PRESERVED: dict[PreserveAspect, Constraint] = {
    "layout": Constraint(Keep.PLACE, _ARTWORK),
    "proportions": Constraint(Keep.PLACE, _ARTWORK),
    "colors": Constraint(Keep.COLOUR, _ARTWORK),
    "shapes": Constraint(Keep.SHAPE, _ARTWORK),
    "symbols": Constraint(Keep.SHAPE, Target(Part.ICON)),
}
_SCHEME_KEPT = (
    "The colour scheme is preserved: colours may get lighter, darker or calmer, not others."
)
_TO_BE_KEPT = "This would change what is to be kept."


@dataclass(frozen=True, slots=True)
class Protection:
    """A constraint from the prompt. `soft` gives way to an explicit edit of its target; with
    `op`, only that change is unwanted.
    """

    constraint: Constraint
    soft: bool = False
    op: Op | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """Edits that may go ahead, what protects the rest, and what was given up."""

    edits: tuple[Edit, ...]
    constraints: tuple[Constraint, ...]
    declined: tuple[Declined, ...]
    assumptions: tuple[str, ...]


def kind_of(op: Op) -> Keep:
    """What an op by its nature changes."""
    if op in _COLOURING or op in (Op.BACKGROUND, Op.FLATTEN):
        return Keep.COLOUR
    if op in _PLACING or op in (Op.CROP, Op.CENTRE, Op.SQUARE, Op.PAD, Op.UPSCALE):
        return Keep.PLACE
    return Keep.SHAPE


def covers(whole: Target, part: Target) -> bool:
    """Whether all of `part` lies within `whole`."""
    if whole.noun is not None:
        return whole.noun == part.noun
    if whole.colour is not None:
        same = part.colour is not None and part.colour.name == whole.colour.name
        return same and whole.part in (Part.IMAGE, part.part)
    match whole.part:
        case Part.IMAGE:
            return True
        case Part.ARTWORK:
            return part.part is not Part.BACKGROUND
        case Part.TEXT:
            return part.part in (Part.TEXT, Part.TAGLINE)
        case _:
            return part.part is whole.part


def _changes(edit: Edit, keep: Keep) -> bool:
    """Whether an edit by its nature changes what is kept."""
    if keep is Keep.EVERYTHING:
        return True
    whole = edit.target.part in (Part.IMAGE, Part.ARTWORK) and edit.target.colour is None
    if keep is Keep.PLACE and edit.op is Op.SCALE and whole:
        return False  # all of it together keeps its layout
    return edit.op in _OF[keep]


def _clashes(edit: Edit, constraint: Constraint) -> bool:
    general = constraint.target.part in (Part.IMAGE, Part.ARTWORK)
    if edit.op is Op.REMOVE and constraint.keep is Keep.SHAPE and general:
        return edit.target.part is Part.ICON  # shapes are to be kept, not every word
    return covers(constraint.target, edit.target) and _changes(edit, constraint.keep)


def _against(edit: Edit, protections: Sequence[Protection], aspects: Iterable[str]) -> bool:
    """Whether something forbids the edit."""
    if "color_scheme" in aspects and edit.op in _COLOURING - _TONES:
        return True
    if "style" in aspects and edit.op in _STYLING:
        return True
    for one in protections:
        if one.soft or (one.op is not None and one.op is not edit.op):
            continue
        if _clashes(edit, one.constraint):
            return True
    return False


def _standing(one: Protection, edits: Sequence[Edit]) -> list[Constraint]:
    """What is left of a protection beside the edits that go ahead."""
    touching = [e for e in edits if covers(one.constraint.target, e.target)]
    if not (one.soft or one.op is not None) or not touching:
        return [one.constraint]
    if one.op is not None:
        same = any(_changes(e, one.constraint.keep) for e in touching)
        return [] if same else [one.constraint]
    kinds = (Keep.COLOUR, Keep.SHAPE, Keep.PLACE)
    return [
        replace(one.constraint, keep=keep)
        for keep in kinds
        if not any(e.op in _OF[keep] or e.op is Op.BACKGROUND for e in touching)
    ]


def _eased(constraint: Constraint, edits: Sequence[Edit]) -> Constraint | None:
    """A general constraint less what was asked: the logo made bigger as a whole keeps its layout,
    and shapes are still kept where a word is taken away.
    """
    if constraint.target.part not in (Part.IMAGE, Part.ARTWORK) or constraint.target.colour:
        return constraint
    whole = any(e.op is Op.SCALE and e.target == _ARTWORK for e in edits)
    if constraint.keep is Keep.PLACE and whole:
        return None
    if constraint.keep is Keep.SHAPE and any(e.op is Op.REMOVE for e in edits):
        return replace(constraint, target=Target(Part.ICON))
    return constraint


def weighed(
    edits: Sequence[Edit], protections: Sequence[Protection], aspects: Sequence[PreserveAspect]
) -> Weighed:
    """Decline the edits that clash with what must stay, and keep what protects the others."""
    ticked = dict.fromkeys(_PRESERVED[a] for a in aspects if a in _PRESERVED)
    every = [*protections, *(Protection(c) for c in ticked)]
    allowed, declined = list[Edit](), list[Declined]()
    for edit in edits:
        if _against(edit, every, aspects):
            declined.append(Declined(edit.span, "conflict", _TO_BE_KEPT))
        else:
            allowed.append(edit)
    standing = [c for one in every for c in _standing(one, allowed)]
    constraints = dict.fromkeys(c for c in (_eased(c, allowed) for c in standing) if c)
    toned = "color_scheme" in aspects and any(e.op in _TONES for e in allowed)
    return Weighed(
        tuple(allowed),
        tuple(constraints),
        tuple(dict.fromkeys(declined)),
        (_SCHEME_KEPT,) if toned else (),
    )
