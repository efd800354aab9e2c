"""Draw artwork as outlines, or put an outline around it."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Floats, contrast, distance, oklab
from service.engines.embedded.ops.base import CannotApply, Done, named, share
from service.engines.embedded.ops.exposure import ground_lightness
from service.engines.embedded.ops.layers import artwork_of, flat_ground, lifted
from service.engines.embedded.ops.recolour import called
from service.engines.embedded.plan import Colour, Edit
from service.engines.embedded.raster import composed, offset_mask, over
from service.engines.embedded.scene.core import Flags, Indices

_LINE = 0.009  # of the shorter side
_BORDER = 0.012
_DEFAULT = 0.4
_HOLLOW = 1.7  # of the line's width: thinner shapes stay solid
_MIDDLE = 0.55
_ALIKE = 0.2
_SHOWS = 1.06  # contrast ratio
_OF_GAP, _OF_HEIGHT = 0.45, 0.1


def outline_only(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Hollow out every shape that is thick enough; lettering too small for it stays solid."""
    artwork = artwork_of(canvas, chosen)
    scene = canvas.scene
    groups = scene.groups
    width = _width(canvas, edit, _LINE)
    own = np.zeros(len(groups), np.bool_)
    own[groups.of[artwork]] = True
    thick = own & (groups.thickness > _HOLLOW * width) & (groups.alpha > 0.1)
    for line in scene.lines:  # all letters of a line, or none
        thick[line.groups] &= thick[line.groups].all()
    hollow = np.flatnonzero(thick).astype(np.int32)
    if not hollow.size:
        raise CannotApply("limit", f"{named(edit.target).capitalize()} is made of lines already.")
    picture = canvas.image
    ground = np.empty_like(picture)
    ground[:] = flat_ground(canvas)
    for group in hollow:
        picture = over(picture, ground, _inner(canvas, int(group), hollow, width))
    measured = {"shapes_hollowed": float(hollow.size), "line_px": round(width, 1)}
    solid = scene.text[artwork].any() and not own[groups.of[scene.text]].all()
    notes = ("Small lettering stays solid, so that it can be read.",) if solid else ()
    return Done(canvas.redrawn(picture), f"Drew {named(edit.target)} as outlines", measured, notes)


def _inner(canvas: Canvas, group: int, hollow: Indices, width: float) -> Floats:
    """What of a shape is deeper than `width`; two hollow shapes share the stronger one's line."""
    scene = canvas.scene
    groups = scene.groups
    left, top, right, bottom = groups.boxes[group].tolist()
    window = (slice(max(0, top - 2), bottom + 2), slice(max(0, left - 2), right + 2))
    own = scene.coverage(groups.of == group)
    stronger = np.isin(groups.of, _stronger_beside(canvas, group, hollow))
    joined = own[window] + scene.coverage(stronger)[window] if stronger.any() else own[window]
    inner = np.zeros_like(own)
    inner[window] = offset_mask(np.ascontiguousarray(joined), -width) * own[window]
    return inner


def _stronger_beside(canvas: Canvas, group: int, hollow: Indices) -> Indices:
    """The hollow groups that touch this one and stand out more from the ground."""
    groups = canvas.scene.groups
    pairs = groups.of[groups.touching]
    beside = np.concatenate([pairs[pairs[:, 0] == group, 1], pairs[pairs[:, 1] == group, 0]])
    level = ground_lightness(canvas)
    strength = np.abs(groups.lab[:, 0] - (1.0 if level is None else level))
    near = np.intersect1d(beside, hollow)
    return np.asarray(near[strength[near] > strength[group]], dtype=np.int32)


def add_outline(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """A border of `edit.to` around the chosen shapes, under them and over the ground."""
    artwork = artwork_of(canvas, chosen)
    colour = edit.to or _that_shows(canvas)
    lab = canvas.colours()
    alike = artwork & canvas.scene.text & (distance(lab, oklab(np.array(colour.rgb))) < _ALIKE)
    artwork &= ~alike
    if not artwork.any():
        raise CannotApply("conflict", f"{named(edit.target).capitalize()} has that colour itself.")
    paper = np.array(flat_ground(canvas))
    if paper[3] > 0 and contrast(paper[:3], np.array(colour.rgb)) < _SHOWS:
        message = f"An outline in {colour.name} would not show on this background."
        raise CannotApply("limit", message)
    width = _width(canvas, edit, _BORDER)
    border = np.empty_like(canvas.image)
    border[:] = (*colour.rgb, 255)
    picture = canvas.image
    for members, line_px in _by_width(canvas, artwork, width):
        picture = over(picture, border, offset_mask(canvas.scene.coverage(members), line_px))
    picture = composed(picture, lifted(canvas, ~canvas.scene.background))
    measured = {"line_px": round(width, 1), "area": share(canvas, artwork)}
    notes = ("Lettering of the outline's colour was left as it is.",) if alike.any() else ()
    summary = f"Put an outline in {called(colour)} around {named(edit.target)}"
    return Done(canvas.redrawn(picture), summary, measured, notes)


def _by_width(canvas: Canvas, artwork: Flags, width: float) -> list[tuple[Flags, float]]:
    """The shapes with the width that suits them: small lettering closes up under a wide one."""
    scene = canvas.scene
    parts = [(artwork & ~scene.text, width)]
    for line in scene.lines:
        members = artwork & np.isin(scene.groups.of, line.groups)
        fitting = min(width, max(1.0, _OF_GAP * line.gap), max(1.0, _OF_HEIGHT * line.height))
        parts.append((members, fitting))
    return [(members, line_px) for members, line_px in parts if members.any()]


def _width(canvas: Canvas, edit: Edit, base: float) -> float:
    amount = _DEFAULT if edit.amount is None else min(max(edit.amount, 0.1), 1.5)
    return max(1.5, base * min(canvas.scene.width, canvas.scene.height) * amount / _DEFAULT)


def _that_shows(canvas: Canvas) -> Colour:
    """White or black, whichever stands out from the ground."""
    level = ground_lightness(canvas)
    if level is not None and level < _MIDDLE:
        return Colour("white", (255, 255, 255))
    return Colour("black", (0, 0, 0))
