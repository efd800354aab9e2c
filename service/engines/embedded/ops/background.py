"""Change or remove the ground behind the artwork, exact to the antialiased edge."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Floats, chroma, contrast, from_lch, hue, oklab
from service.engines.embedded.ops.base import CannotApply, Done, share
from service.engines.embedded.ops.recolour import called
from service.engines.embedded.plan import Colour, Edit
from service.engines.embedded.scene.core import Flags

# Contrast ratios, after WCAG 2.2: below these, lettering and shapes are lost on a ground.
_READABLE_TEXT, _VISIBLE_SHAPE = 2.6, 1.3
_WORSE = 1.25
_MIDDLE = 0.6
_ON_DARK, _ON_LIGHT = 0.87, 0.34
_SHADES_KEPT = 0.3
_MOSTLY = 0.5
_PLAIN_ENOUGH = 16.0  # deviation in levels


def change_background(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Fill the ground with `edit.to`, or take it away where that is None.

    Artwork among `chosen` may change too, where the new ground would swallow it.
    """
    ground = canvas.scene.background & chosen
    if not ground.any() or canvas.scene.regions.spread[ground].max() > _PLAIN_ENOUGH:
        raise CannotApply(
            "needs_generative",
            "The background is not a plain surface, so it cannot be told from the picture cleanly.",
        )
    measured = {"area": share(canvas, ground)}
    if edit.to is None:
        if canvas.alphas()[ground].max() < 0.02:
            raise CannotApply("limit", "The background is transparent already.")
        return Done(
            canvas.filled(ground, (0, 0, 0, 0)), "Made the background transparent", measured
        )
    after = canvas.filled(ground, (*edit.to.rgb, 255))
    after, notes = _readable(canvas, after, edit.to, chosen)
    return Done(after, f"Changed the background to {called(edit.to)}", measured, notes)


def _readable(
    before: Canvas, after: Canvas, to: Colour, free: Flags
) -> tuple[Canvas, tuple[str, ...]]:
    """Give artwork that the new ground would swallow a lightness that shows, in its own hue."""
    scene = before.scene
    goal = np.array(to.rgb, np.uint8)
    ratio = contrast(np.rint(after.rgb()), goal)
    needed = np.where(scene.text, _READABLE_TEXT, _VISIBLE_SHAPE)
    sunk = _on_ground(after) & (ratio < needed)
    old = before.means[scene.background & (before.alphas() > 0.5), :3]
    if old.size:
        sunk &= contrast(np.rint(before.rgb()), np.rint(np.median(old, axis=0))) > ratio * _WORSE
    sunk = _with_their_lines(after, sunk) & free
    if not sunk.any():
        return after, ()
    dark = float(oklab(goal)[0]) < _MIDDLE
    middle = float(np.mean(after.colours()[sunk, 0]))
    level = _ON_DARK if dark else _ON_LIGHT

    def shown(lab: Floats) -> Floats:
        lightness = np.clip(level + _SHADES_KEPT * (lab[:, 0] - middle), 0, 1)
        return from_lch(lightness, chroma(lab) * np.float32(0.8), hue(lab))

    note = f"What would not show on the new background was made {'light' if dark else 'dark'}."
    return after.changed(sunk, shown), (note,)


def _with_their_lines(canvas: Canvas, sunk: Flags) -> Flags:
    """The sunk surfaces, and all other letters of a line of which some are sunk."""
    groups = canvas.scene.groups
    for line in canvas.scene.lines:
        members = np.isin(groups.of, line.groups) & canvas.scene.text
        if (sunk & members).any():
            sunk = sunk | members
    return sunk


def _on_ground(canvas: Canvas) -> Flags:
    """The surfaces of shapes most of whose outline lies on the ground."""
    scene = canvas.scene
    groups = scene.groups
    one, other = groups.touching[:, 0], groups.touching[:, 1]
    outer = groups.of[one] != groups.of[other]
    length = groups.border * outer
    whole = np.bincount(groups.of[one], length, len(groups))
    whole += np.bincount(groups.of[other], length, len(groups))
    grounded = np.bincount(groups.of[one], length * scene.background[other], len(groups))
    grounded += np.bincount(groups.of[other], length * scene.background[one], len(groups))
    return np.asarray((grounded > _MOSTLY * whole)[groups.of] & ~scene.background)
