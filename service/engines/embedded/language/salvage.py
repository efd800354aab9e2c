"""Make out what a clause asks for from its known words, where they leave one reading.

For turns of phrase that no frame covers: "the browns want a lighter hand". Whatever hints at a
negation, a drawing or a second reading ends the attempt; what is made out has little confidence
and an assumption says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from service.engines.embedded.language.acts import (
    SAME,
    WHOLE,
    Act,
    Acts,
    Aim,
    Assume,
    aims_of,
    coloured,
    on_scale,
    styled,
)
from service.engines.embedded.language.items import Item, Sense
from service.engines.embedded.plan import Edit, Op, Part, Target

_CONFIDENCE = 0.5
_LONGEST, _MOST_UNKNOWN = 12, 3
_FORBIDDING = (
    "cue", "quote", "single", "ordinal", "refrain", "not", "no", "without", "save", "except",
    "everything_but", "keep", "as_is", "only", "why", "overdone", "unmet", "praise", "number",
    "risk", "touch", "place", "shift", "rotate", "flip", "effect", "gradient", "baked", "add",
    "and", "comma", "but", "colon", "relative",
)  # fmt: skip
_WISHING = ("make", "change", "want", "use", "give", "put", "modal", "ensure", "causes")
_REMOVING = ("remove", "go_away")


def made_out(items: Sequence[Item]) -> Acts:
    """The one thing that the known words can mean together; None when there is none, or several."""
    unknown = [item for item in items if item.has("noun")]
    if len(items) > _LONGEST or len(unknown) > _MOST_UNKNOWN:
        return None
    if any(item.has(*_FORBIDDING) for item in items):
        return None
    edits = [edit for attempt in _ATTEMPTS for edit in attempt(items)]
    if len({(edit.op, edit.target, edit.to) for edit in edits}) != 1:
        return None
    edit = edits[0]
    if edit.target == SAME and any(item.article == "the" for item in unknown):
        return None  # it may be about the thing that is not known
    told: list[Act] = [Assume(f"“%s” was taken as a wish to {_told(edit)}.")]
    return [replace(edit, confidence=_CONFIDENCE), *told]


def _aims(items: Sequence[Item], *, colours: bool) -> list[Aim]:
    """The known things that are named, each once; general ones only where there is no other."""
    named = [i for i in items if i.has("target", "aspect") or (colours and i.has("colour"))]
    aims = list(dict.fromkeys(aim for item in named for aim in aims_of([item])))
    special = [aim for aim in aims if aim.target.part not in WHOLE or aim.target.colour]
    return special or aims[:1] or [Aim(SAME)]


def _scaled(items: Sequence[Item]) -> list[Edit]:
    """A comparison or a verb of quality, and at most one thing that it can be about."""
    senses = [s for i in items for s in _qualities(i)]
    wishes = any(item.has(*_WISHING) for item in items)
    said = any(item.has("is", "seem") for item in items)
    adjectives = [i.sense("adj") for i in items if i.has("adj") and not i.has("colour")]
    if not senses and wishes and not said and len(adjectives) == 1:
        senses = adjectives
    if len({(s.key, s.sign) for s in senses}) != 1:
        return []
    aims = _aims(items, colours=True)
    if len(aims) > 1:
        return []
    own = [Aim(t) for t in senses[0].targets]
    found = [on_scale(senses[0].key, senses[0].sign, a, senses[0].degree) for a in own or aims]
    return [edit for edit in found if edit]


def _qualities(item: Item) -> list[Sense]:
    if item.has("pred", "causes", "trouble"):
        return [item.sense("pred", "causes", "trouble")]
    if item.has("ptarget"):
        return [
            replace(value, targets=item.sense("ptarget").targets)
            for value in item.sense("ptarget").values
            if value.tag in ("pred", "adj")
        ]
    return []


def _styled(items: Sequence[Item]) -> list[Edit]:
    """A style, of the whole."""
    keys = {i.sense("style", "does").key for i in items if i.has("style", "does")}
    aims = _aims(items, colours=True)
    if any(item.has("colour") for item in items):
        return []  # it would be lost
    if len(keys) != 1 or (aims[0].target.part not in WHOLE and aims[0].target != SAME):
        return []
    edit = styled(keys.pop(), Aim(Target(Part.ARTWORK)))
    return [edit] if edit else []


def _recoloured(items: Sequence[Item]) -> list[Edit]:
    """One colour that becomes another, or a part that gets one."""
    if _qualities_of(items) or any(i.has("style", "does", "remove") for i in items):
        return []
    colours = [i for i in items if i.has("colour")]
    parts = [a for a in _aims(items, colours=False) if a.target.part not in WHOLE]
    parts = [a for a in parts if a.target != SAME]
    to_colour = _led_to(items, colours[-1]) if colours else False
    if len(colours) == 2 and not parts and to_colour:
        source, last = aims_of([colours[0]])[0], colours[1].sense("colour").colour
        edit = coloured(last, source)
    elif len(colours) == 1 and len(parts) == 1 and to_colour:
        edit = coloured(colours[0].sense("colour").colour, parts[0])
    else:
        return []
    return [edit] if edit else []


def _led_to(items: Sequence[Item], colour: Item) -> bool:
    """Whether "to", "into", "in" or "as" stands right before a colour."""
    before = [item for item in items if item.end <= colour.first]
    return bool(before) and before[-1].has("to", "in", "as", "become", "arrow")


def _qualities_of(items: Sequence[Item]) -> list[Sense]:
    return [s for i in items for s in _qualities(i)]


def _measured(items: Sequence[Item]) -> list[Edit]:
    """A quality by name that goes up or down."""
    measures = [i.sense("measure") for i in items if i.has("measure")]
    up, down = (any(i.has(tag) for i in items) for tag in ("up", "down"))
    if len(measures) != 1 or up == down or _qualities_of(items):
        return []
    aims = [Aim(t) for t in measures[0].targets] or _aims(items, colours=True)
    found = [on_scale(measures[0].key, measures[0].sign * (1 if up else -1), a) for a in aims]
    return [edit for edit in found if edit]


def _removed(items: Sequence[Item]) -> list[Edit]:
    """A verb of taking away, and one known part."""
    if not any(item.has(*_REMOVING) for item in items) or _qualities_of(items):
        return []
    if any(item.has("colour", "measure") for item in items):
        return []
    aims = [a for a in _aims(items, colours=False) if a.target.part not in WHOLE and not a.aspect]
    if len(aims) != 1 or aims[0].target == SAME or not _beside(items):
        return []
    if aims[0].target == Target(Part.BACKGROUND):
        return [Edit(Op.BACKGROUND, aims[0].target, "")]
    return [Edit(Op.REMOVE, aims[0].target, "")]


def _beside(items: Sequence[Item]) -> bool:
    """Whether a verb of taking away stands right before a part, or after it."""
    return any(
        (one.has("remove") and two.has("target")) or (one.has("target") and two.has("go_away"))
        for one, two in pairwise(items)
    )


_ATTEMPTS = (_scaled, _styled, _recoloured, _measured, _removed)


def _told(edit: Edit) -> str:
    """An edit in words, for the assumption."""
    target = edit.target
    if target == SAME or (target.part in WHOLE and target.colour is None):
        thing = "the logo"
    elif target.colour is not None:
        thing = f"the {target.colour.name}"
    else:
        thing = f"the {target.part}"
    to = edit.to.name if edit.to else "its new colour"
    return _WISHES.get(edit.op, f"{str(edit.op).replace('_', ' ')} {{}}").format(thing, to)


_WISHES = {
    Op.WARMER: "make {} warmer",
    Op.COOLER: "make {} cooler",
    Op.PASTEL: "make {} pastel",
    Op.EARTHY: "make {} earthier",
    Op.NEON: "make {} neon",
    Op.VIVID: "make {} more vivid",
    Op.MONOCHROME: "turn {} to greys",
    Op.ONE_COLOUR: "show {} in one colour",
    Op.BLACK_AND_WHITE: "show {} in black and white",
    Op.DUOTONE: "show {} in two colours",
    Op.LIMIT_PALETTE: "use fewer colours",
    Op.DARK_MODE: "suit {} to a dark background",
    Op.LIGHT_MODE: "suit {} to a light background",
    Op.CONTRAST: "change the contrast of {}",
    Op.BRIGHTNESS: "change the brightness of {}",
    Op.BOLDER: "make {} bolder",
    Op.THINNER: "make {} thinner",
    Op.OUTLINE_ONLY: "show {} as outlines",
    Op.SCALE: "change the size of {}",
    Op.PAD: "change the space around the logo",
    Op.ROUND: "round {}",
    Op.BACKGROUND: "change the background",
    Op.RECOLOUR: "recolour {} to {}",
    Op.VINTAGE: "give {} a vintage look",
    Op.GRAIN: "add grain to {}",
    Op.CROP: "crop to the artwork",
    Op.SQUARE: "make the canvas square",
}
