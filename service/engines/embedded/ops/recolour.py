"""Give surfaces another colour, keeping how light they are beside each other."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import (
    ColourMap,
    Floats,
    chroma,
    distance,
    from_lch,
    hex_of,
    oklab,
)
from service.engines.embedded.families import members
from service.engines.embedded.ops.base import CannotApply, Done, named, share
from service.engines.embedded.plan import Colour, Edit, Part
from service.engines.embedded.scene.core import Flags

_LIGHTNESS_KEPT = 0.6
_DARKEST = 0.6  # of the goal's lightness: deep shades of a dark colour keep its hue
_NEUTRAL = 0.03
_PALE = 0.93


def recolour(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Turn the chosen surfaces into `edit.to`; shades of one colour stay shades."""
    assert edit.to is not None
    if edit.mode == "exchange":
        others = _others(canvas, edit, chosen)
        if others.any():
            return _exchanged(canvas, edit, chosen, others)
    if edit.target.colour is None and edit.target.part in (Part.IMAGE, Part.ARTWORK, Part.ICON):
        chosen = _without_whites(canvas, chosen)
    if not chosen.any():
        raise CannotApply("not_in_image", f"Nothing in {named(edit.target)} could be recoloured.")
    after = canvas.changed(chosen, toward(canvas, chosen, edit.to.rgb, exact=_is_lettering(edit)))
    return _told(canvas, after, edit, chosen)


def _told(canvas: Canvas, after: Canvas, edit: Edit, chosen: Flags) -> Done:
    assert edit.to is not None
    measured = {
        "area": share(canvas, chosen),
        "distance_before": _away(canvas, chosen, edit.to),
        "distance_after": _away(after, chosen, edit.to),
    }
    return Done(after, f"Changed {named(edit.target)} to {called(edit.to)}", measured)


def _others(canvas: Canvas, edit: Edit, chosen: Flags) -> Flags:
    """The surfaces that have the colour to exchange with, in the same part of the image."""
    assert edit.to is not None
    rows = np.flatnonzero((canvas.alphas() > 0.02) & (canvas.scene.regions.area > 0) & ~chosen)
    others = np.zeros(len(chosen), np.bool_)
    others[rows[members(canvas.colours()[rows], edit.to)]] = True
    return others


def _exchanged(canvas: Canvas, edit: Edit, chosen: Flags, others: Flags) -> Done:
    """Both families of surfaces, each in the main colour of the other."""
    assert edit.to is not None
    one, other = _main(canvas, chosen), _main(canvas, others)
    after = canvas.changed(chosen, toward(canvas, chosen, other, exact=False))
    after = after.changed(others, toward(canvas, others, one, exact=False))
    done = _told(canvas, after, edit, chosen)
    summary = f"Exchanged {named(edit.target)} ({hex_of(one)}) and {edit.to.name} ({hex_of(other)})"
    return Done(after, summary, done.measured)


def _main(canvas: Canvas, chosen: Flags) -> tuple[int, int, int]:
    """The colour of the chosen surfaces that people would name: large, and clearly coloured."""
    weight = canvas.scene.regions.area * (chroma(canvas.colours()) + np.float32(0.01))
    main = int(np.argmax(np.where(chosen, weight, -1)))
    red, green, blue = np.rint(canvas.means[main, :3]).astype(int).tolist()
    return red, green, blue


def toward(canvas: Canvas, chosen: Flags, to: tuple[int, int, int], *, exact: bool) -> ColourMap:
    """The change of colour that brings the middle of the chosen surfaces to `to`."""
    lab = canvas.colours()[chosen]
    weight = canvas.scene.regions.area[chosen] + 1e-3
    middle = np.average(lab, axis=0, weights=weight)
    goal = oklab(np.array(to, np.uint8))
    goal_chroma, goal_hue = float(np.hypot(goal[1], goal[2])), float(np.arctan2(goal[2], goal[1]))
    middle_chroma = max(float(np.hypot(middle[1], middle[2])), 1e-3)
    kept = 0.0 if exact else _LIGHTNESS_KEPT

    def change(colours: Floats) -> Floats:
        relative = (colours[:, 0] - middle[0]) * kept
        relative = np.where(np.abs(relative) < 0.004, 0, relative)
        lightness = np.clip(goal[0] + relative, _DARKEST * goal[0], 1).astype(np.float32)
        ratio = np.clip(chroma(colours) / middle_chroma, 0.75, 1.2)
        ratio = np.where(np.abs(relative) > 0, ratio, 1)
        if middle_chroma < _NEUTRAL or goal_chroma < _NEUTRAL or exact:
            ratio = np.ones_like(ratio)
        return from_lch(
            lightness,
            (goal_chroma * ratio).astype(np.float32),
            np.full(len(colours), goal_hue, np.float32),
        )

    return change


def _without_whites(canvas: Canvas, chosen: Flags) -> Flags:
    """The chosen surfaces less the whites within the artwork and the ground about it."""
    lab = canvas.colours()
    white = (lab[:, 0] > _PALE) & (np.hypot(lab[:, 1], lab[:, 2]) < _NEUTRAL)
    rest = chosen & ~white & ~canvas.scene.background
    return rest if rest.any() else chosen


def _is_lettering(edit: Edit) -> bool:
    return edit.target.part in (Part.TEXT, Part.TAGLINE, Part.OUTLINE)


def _away(canvas: Canvas, chosen: Flags, to: Colour) -> float:
    weight = canvas.scene.regions.area[chosen] + 1e-3
    goal = oklab(np.array(to.rgb, np.uint8))
    return round(float(np.average(distance(canvas.colours()[chosen], goal), weights=weight)), 4)


def called(colour: Colour) -> str:
    """The name of a destination with its code: `forest green (#1f4d36)`."""
    code = hex_of(colour.rgb)
    return code if colour.name.startswith("#") else f"{colour.name} ({code})"
