"""Find where on the canvas a part can grow, clear of the edges and of what lies beside it."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Reals
from service.engines.embedded.ops.layers import Box
from service.engines.embedded.scene.core import Flags

MARGIN = 0.02  # of the shorter side, kept free at the edges of the canvas
_CLEAR = 0.015  # of the shorter side, kept free between shapes
_FARTHEST, _PLACES = 0.25, 25  # of the canvas, tried on each axis
_ENOUGH = 0.6  # of the growth asked for: then the part stays where it is


def roomiest(
    canvas: Canvas, box: Box, others: Flags, factor: float
) -> tuple[tuple[float, float], float]:
    """The middle nearest to that of `box` about which it may grow by `factor`, and how far it may.

    What lies about the box bounds it like a canvas; what touches it already does not hinder it.
    """
    scene = canvas.scene
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    half = np.maximum([(box[2] - box[0]) / 2, (box[3] - box[1]) / 2], 1.0)
    side = min(scene.width, scene.height)
    canvas_box = np.array([0.0, 0.0, scene.width, scene.height])
    canvas_box += np.array([1, 1, -1, -1]) * MARGIN * side
    boxes = scene.regions.boxes[others].astype(np.float64)
    about = (boxes[:, :2] <= np.array(box[:2])).all(1) & (boxes[:, 2:] >= np.array(box[2:])).all(1)
    apart = (boxes[:, :2] >= np.array(box[2:])).any(1) | (boxes[:, 2:] <= np.array(box[:2])).any(1)
    frames = np.concatenate([canvas_box[None], boxes[about]])
    beside = boxes[apart] + np.array([-1, -1, 1, 1]) * _CLEAR * side
    own = float(_room(middle[None], half, frames, beside)[0])
    if factor <= 1 or own >= 1 + _ENOUGH * (factor - 1):
        return (float(middle[0]), float(middle[1])), own
    steps = np.linspace(-_FARTHEST, _FARTHEST, _PLACES)
    shifts = np.stack(np.meshgrid(steps * scene.width, steps * scene.height), axis=-1).reshape(
        -1, 2
    )
    room = np.minimum(_room(middle + shifts, half, frames, beside), factor)
    cost = np.abs(shifts).sum(axis=1) / side
    best = int(np.lexsort((cost, -np.round(room, 2)))[0])
    goal = middle + shifts[best]
    return (float(goal[0]), float(goal[1])), max(float(room[best]), own)


def _room(middles: Reals, half: Reals, frames: Reals, beside: Reals) -> Reals:
    """The largest factor about each middle (n, 2) within the frames and off what is beside."""
    lows, highs = middles[:, None] - frames[None, :, :2], frames[None, :, 2:] - middles[:, None]
    room = (np.minimum(lows, highs) / half).min(axis=(1, 2))
    if beside.size:
        away = np.maximum(
            beside[None, :, :2] - middles[:, None], middles[:, None] - beside[None, :, 2:]
        )
        room = np.minimum(room, (away / half).max(axis=2).min(axis=1))
    return np.asarray(room)
