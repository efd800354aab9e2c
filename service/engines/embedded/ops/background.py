"""Change or remove the ground behind the artwork, exact to the antialiased edge."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Floats, chroma, from_lch, hue, oklab
from service.engines.embedded.ops.base import CannotApply, Done, share
from service.engines.embedded.ops.recolour import called
from service.engines.embedded.plan import Colour, Edit
from service.engines.embedded.scene.core import Flags

_READABLE = 0.25
_PLAIN_ENOUGH = 40.0  # deviation in levels


def change_background(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Fill the ground with `edit.to`, or take it away where that is None."""
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
    after, notes = _readable(canvas, after, edit.to)
    return Done(after, f"Changed the background to {called(edit.to)}", measured, notes)


def _readable(before: Canvas, after: Canvas, to: Colour) -> tuple[Canvas, tuple[str, ...]]:
    """Turn round the lightness of artwork that the new ground would swallow."""
    level = float(oklab(np.array(to.rgb, np.uint8))[0])
    sunk = _touching_ground(after) & (np.abs(after.colours()[:, 0] - level) < _READABLE)
    sunk &= np.hypot(*after.colours()[:, 1:].T) < 0.09
    if before.alphas()[before.scene.background].max() > 0.5:
        old = float(np.median(before.colours()[before.scene.background, 0]))
        sunk &= np.abs(before.colours()[:, 0] - old) >= _READABLE
    if not sunk.any():
        return after, ()

    def flip(lab: Floats) -> Floats:
        dark = level < 0.55
        mirrored = 1 - lab[:, 0]
        lightness = np.maximum(mirrored, 0.88) if dark else np.minimum(mirrored, 0.35)
        return from_lch(lightness.astype(np.float32), chroma(lab) * np.float32(0.5), hue(lab))

    tone = "light" if level < 0.55 else "dark"
    note = f"What would not show on the new background was made {tone}."
    return after.changed(sunk, flip), (note,)


def _touching_ground(canvas: Canvas) -> Flags:
    scene = canvas.scene
    pairs = scene.source_region()
    beside = np.zeros(len(scene.regions), np.bool_)
    ground = scene.background[pairs]
    beside[pairs[ground[:, 1], 0]] = True
    beside[pairs[ground[:, 0], 1]] = True
    return np.asarray(beside & ~scene.background)
