"""Lift artwork off its ground as a premultiplied layer, and measure where it lies."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, Floats
from service.engines.embedded.ops.base import CannotApply
from service.engines.embedded.ops.remove import without
from service.engines.embedded.scene.core import Flags
from service.engines.embedded.scene.model import premultiply

type Box = tuple[float, float, float, float]

_SEEN = 0.5  # of a pixel


def lifted(canvas: Canvas, chosen: Flags) -> Floats:
    """The chosen surfaces alone, premultiplied levels (h, w, 4), all else see-through."""
    nothing = canvas.filled(~chosen, (0, 0, 0, 0))
    return premultiply(nothing.image)


def ground_of(canvas: Canvas, chosen: Flags) -> Bytes:
    """The picture as it would be without the chosen surfaces, straight RGBA."""
    return without(canvas, chosen).image


def artwork_of(canvas: Canvas, chosen: Flags) -> Flags:
    """The chosen surfaces that are artwork; raises `CannotApply` where there is none."""
    if canvas.scene.photographic or not canvas.scene.background.any():
        raise CannotApply(
            "limit", "The artwork could not be told from its background, so it was not moved."
        )
    artwork = chosen & ~canvas.scene.background & (canvas.scene.regions.area > 0)
    if not artwork.any():
        raise CannotApply("not_in_image", "There is no artwork of that kind to move.")
    return artwork


def box_of(canvas: Canvas, chosen: Flags) -> Box:
    """Left, top, right and bottom of the chosen surfaces, in pixels."""
    mask = canvas.scene.coverage(chosen) >= _SEEN
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return 0.0, 0.0, float(canvas.scene.width), float(canvas.scene.height)
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def flat_ground(canvas: Canvas) -> tuple[int, int, int, int]:
    """The straight RGBA of the ground's largest surface."""
    scene = canvas.scene
    first = int(np.argmax(np.where(scene.background, scene.regions.area, -1)))
    red, green, blue, alpha = np.rint(canvas.means[first]).astype(int).tolist()
    return red, green, blue, alpha
