"""Bring an image to greys, to shades of one hue, or to one ink on paper."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import ColourMap, Floats, chroma, from_lch, oklab
from service.engines.embedded.ops.base import CannotApply, Done, mean_of, share
from service.engines.embedded.ops.recolour import called
from service.engines.embedded.plan import Edit
from service.engines.embedded.scene.core import Flags

_GREY = 0.004
_PAPER, _NEUTRAL = 0.88, 0.012


def monochrome(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Greys, or shades of the hue of `edit.to`; lightness stays."""
    before = mean_of(canvas, chosen, chroma(canvas.colours()))
    if edit.to is None:
        if before < _GREY:
            raise CannotApply("limit", "The image has no colour already.")
        after = canvas.changed(chosen, _grey)
        summary = "Turned all colours to greys"
    else:
        goal = oklab(np.array(edit.to.rgb, np.uint8))
        after = canvas.changed(chosen, _tint(goal))
        summary = f"Turned all colours to shades of {called(edit.to)}"
    measured = {
        "chroma_before": round(before, 4),
        "chroma_after": round(mean_of(after, chosen, chroma(after.colours())), 4),
        "area": share(canvas, chosen),
    }
    return Done(after, summary, measured)


def _grey(lab: Floats) -> Floats:
    return lab * np.array([1, 0, 0], np.float32)


def _tint(goal: Floats) -> ColourMap:
    """Shades of one hue: full chroma at the goal's lightness, none at white and black."""
    strength, angle = float(np.hypot(goal[1], goal[2])), float(np.arctan2(goal[2], goal[1]))
    top = float(np.clip(goal[0], 0.3, 0.75))

    def change(lab: Floats) -> Floats:
        lightness = lab[:, 0]
        rise = np.where(lightness < top, lightness / top, (1 - lightness) / (1 - top))
        wanted = strength * np.clip(rise, 0, 1) ** 0.7
        # White, off-white and pale grey paper has no hue to begin with and gets none.
        paper = (lightness > _PAPER) & (chroma(lab) < _NEUTRAL)
        wanted = np.where(paper, chroma(lab), wanted)
        return from_lch(lightness, wanted.astype(np.float32), np.full_like(lightness, angle))

    return change
