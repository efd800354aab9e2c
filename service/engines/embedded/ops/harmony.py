"""Turn hues to a colour scheme about the main one: complementary, analogous, triadic."""

from __future__ import annotations

import math

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import ColourMap, Floats, chroma, from_lch, hue
from service.engines.embedded.ops.base import CannotApply, Done, share
from service.engines.embedded.plan import Edit
from service.engines.embedded.scene.core import Flags

_COLOURED = 0.035
_ONE_HUE = math.radians(32)
_SCHEMES = {
    "complementary": (0.0, 180.0),
    "analogous": (0.0, 32.0, -32.0),
    "triadic": (0.0, 120.0, -120.0),
}


def harmonise(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Keep the main hue and turn every other one to its nearest place in the scheme."""
    mode = edit.mode or "complementary"
    lab = canvas.colours()
    scene = canvas.scene
    coloured = chosen & ~scene.background & (chroma(lab) > _COLOURED) & (scene.regions.area > 0)
    if not coloured.any():
        raise CannotApply("not_in_image", "The artwork has no colour to build a scheme on.")
    families = _families(canvas, coloured)
    main = families[0]
    angles = [main[1] + math.radians(turn) for turn in _SCHEMES[mode]]
    if len(families) == 1:
        families = _split(canvas, coloured, main[1])
    after = canvas
    for number, (members, angle) in enumerate(families[1:]):
        goal = angles[1 + number % (len(angles) - 1)]
        after = after.changed(members, _turn(goal - angle))
    measured = {
        "main_hue_degrees": round(math.degrees(main[1]) % 360, 1),
        "hues": float(min(len(families), len(angles))),
        "area": share(canvas, coloured),
    }
    return Done(after, f"Turned the accent colours to a scheme that is {mode}", measured)


def _families(canvas: Canvas, coloured: Flags) -> list[tuple[Flags, float]]:
    """Surfaces of about one hue together, with that hue; the most colourful first."""
    lab = canvas.colours()
    weight = canvas.scene.regions.area * chroma(lab)
    left = coloured.copy()
    families: list[tuple[Flags, float]] = []
    while left.any():
        first = int(np.argmax(np.where(left, weight, -1)))
        angle = float(hue(lab)[first])
        away = np.abs((hue(lab) - angle + math.pi) % (2 * math.pi) - math.pi)
        members = left & (away <= _ONE_HUE)
        families.append((members, angle))
        left &= ~members
    return sorted(families, key=lambda family: -float(weight[family[0]].sum()))


def _split(canvas: Canvas, coloured: Flags, angle: float) -> list[tuple[Flags, float]]:
    """One hue in two: the smaller colours become the accent."""
    groups = canvas.scene.groups
    area = np.zeros(len(groups))
    np.add.at(area, groups.of[coloured], canvas.scene.regions.area[coloured])
    main = coloured & (groups.of == int(np.argmax(area)))
    main |= coloured & canvas.scene.text & ~canvas.scene.tagline
    accent = coloured & ~main
    if not accent.any():
        raise CannotApply("limit", "The artwork has one colour only, so there is none to turn.")
    return [(main, angle), (accent, angle)]


def _turn(angle: float) -> ColourMap:
    def change(lab: Floats) -> Floats:
        return from_lch(lab[:, 0], chroma(lab), hue(lab) + np.float32(angle))

    return change
