"""Draw artwork as outlines, or put an outline around it."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Floats
from service.engines.embedded.ops.base import CannotApply, Done, named, share
from service.engines.embedded.ops.exposure import ground_lightness
from service.engines.embedded.ops.layers import artwork_of, flat_ground, lifted
from service.engines.embedded.ops.recolour import called
from service.engines.embedded.plan import Colour, Edit
from service.engines.embedded.raster import composed, offset_mask, over
from service.engines.embedded.scene.core import Flags

_LINE = 0.009  # of the shorter side
_BORDER = 0.012
_DEFAULT = 0.4
_HOLLOW = 1.7  # of the line's width: thinner shapes stay solid
_MIDDLE = 0.55


def outline_only(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Hollow out every shape that is thick enough; lettering too small for it stays solid."""
    artwork = artwork_of(canvas, chosen)
    scene = canvas.scene
    groups = scene.groups
    width = _width(canvas, edit, _LINE)
    own = np.zeros(len(groups), np.bool_)
    own[groups.of[artwork]] = True
    hollow = np.flatnonzero(own & (groups.thickness > _HOLLOW * width) & (groups.alpha > 0.1))
    if not hollow.size:
        raise CannotApply("limit", f"{named(edit.target).capitalize()} is made of lines already.")
    picture = canvas.image
    ground = np.empty_like(picture)
    ground[:] = flat_ground(canvas)
    for group in hollow:
        mask = scene.coverage((groups.of == group) & artwork)
        picture = over(picture, ground, _inner(mask, groups.boxes[group].tolist(), width))
    measured = {"shapes_hollowed": float(hollow.size), "line_px": round(width, 1)}
    solid = scene.text[artwork].any() and not own[groups.of[scene.text]].all()
    notes = ("Small lettering stays solid, so that it can be read.",) if solid else ()
    return Done(canvas.redrawn(picture), f"Drew {named(edit.target)} as outlines", measured, notes)


def _inner(mask: Floats, box: list[int], width: float) -> Floats:
    """The part of a shape that is deeper than `width`, computed in its own box."""
    left, top, right, bottom = box
    window = (slice(max(0, top - 2), bottom + 2), slice(max(0, left - 2), right + 2))
    inner = np.zeros_like(mask)
    inner[window] = offset_mask(np.ascontiguousarray(mask[window]), -width)
    return inner


def add_outline(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """A border of `edit.to` around the chosen shapes, under them and over the ground."""
    artwork = artwork_of(canvas, chosen)
    colour = edit.to or _that_shows(canvas)
    width = _width(canvas, edit, _BORDER)
    mask = offset_mask(canvas.scene.coverage(artwork), width)
    border = np.empty_like(canvas.image)
    border[:] = (*colour.rgb, 255)
    picture = composed(over(canvas.image, border, mask), lifted(canvas, artwork))
    measured = {"line_px": round(width, 1), "area": share(canvas, artwork)}
    summary = f"Put an outline in {called(colour)} around {named(edit.target)}"
    return Done(canvas.redrawn(picture), summary, measured)


def _width(canvas: Canvas, edit: Edit, base: float) -> float:
    amount = _DEFAULT if edit.amount is None else min(max(edit.amount, 0.1), 1.5)
    return max(1.5, base * min(canvas.scene.width, canvas.scene.height) * amount / _DEFAULT)


def _that_shows(canvas: Canvas) -> Colour:
    """White or black, whichever stands out from the ground."""
    level = ground_lightness(canvas)
    if level is not None and level < _MIDDLE:
        return Colour("white", (255, 255, 255))
    return Colour("black", (0, 0, 0))
