"""Make surfaces lighter or darker while their shades stay apart and their hue stays."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Floats, chroma, from_lch, hue
from service.engines.embedded.ops.base import Done, lightness_of, named, share
from service.engines.embedded.plan import Edit, Op
from service.engines.embedded.scene.core import Flags

_DEFAULT = 0.4
_LIGHTEST, _DARKEST = 0.97, 0.08
# Chroma fades towards white and black; a lighter brown would else turn to orange.
_CHROMA_KEPT = 0.85
_LEAST_CONTRAST = 0.14
_LONGEST_STEP = 0.5  # of lightness, at full amount: a pale sky must not turn to slate
_TINT, _MOST_GAIN = 0.75, 2.5
_LEAST_PART = 0.55


def shift_lightness(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Lighten or darken the chosen surfaces by a part of the way to white or black."""
    amount = _DEFAULT if edit.amount is None else min(max(edit.amount, 0.02), 0.95)
    lighter = edit.op is Op.LIGHTEN
    before = lightness_of(canvas, chosen)
    limit = _limit(canvas, chosen, lighter=lighter)

    def change(lab: Floats) -> Floats:
        old = lab[:, 0]
        least = old + _LEAST_PART * ((_LIGHTEST if lighter else _DARKEST) - old)
        goal = np.maximum(limit, least) if lighter else np.minimum(limit, least)
        new = np.maximum(old + amount * (goal - old), old - _LONGEST_STEP * amount)
        kept = 1 - (1 - _CHROMA_KEPT) * np.abs(new - old) / 0.25
        strength = chroma(lab) * np.clip(kept, 0.4, 1)
        return from_lch(new, strength if lighter else strength * _less_white(old, new), hue(lab))

    after = canvas.changed(chosen, change)
    verb = "Lightened" if lighter else "Darkened"
    measured = {
        "lightness_before": before,
        "lightness_after": lightness_of(after, chosen),
        "area": share(canvas, chosen),
    }
    return Done(after, f"{verb} {named(edit.target)}", measured)


def _less_white(old: Floats, new: Floats) -> Floats:
    """The gain of chroma of tints that get darker: there is less white in them."""
    tint = np.clip((old - _TINT) / (1 - _TINT), 0, 1)
    gain = np.clip((1 - new) / np.maximum(1 - old, 0.02), 1, _MOST_GAIN)
    return np.asarray(1 + tint * (gain - 1), dtype=np.float32)


def _limit(canvas: Canvas, chosen: Flags, *, lighter: bool) -> float:
    """How light or dark the surfaces may become before they sink into the ground."""
    extreme = _LIGHTEST if lighter else _DARKEST
    scene = canvas.scene
    ground = scene.background & ~chosen & (canvas.alphas() > 0.5)
    if not ground.any():
        return extreme
    level = float(np.average(canvas.colours()[ground, 0], weights=scene.regions.area[ground] + 1))
    if lighter:
        return level - _LEAST_CONTRAST if level > 0.6 else extreme
    return level + _LEAST_CONTRAST if level < 0.4 else extreme
