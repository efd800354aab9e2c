"""Put the lettering above, below or beside the icon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.ops.base import CannotApply, Done
from service.engines.embedded.ops.layers import Box, artwork_of, box_of, ground_of, lifted
from service.engines.embedded.plan import Edit
from service.engines.embedded.raster import composed, warped
from service.engines.embedded.scene.core import Flags

_GAP = 0.05  # of the shorter side
_MARGIN = 0.04
_PLACES = {
    "text_above": "above",
    "text_below": "below",
    "text_left": "to the left of",
    "text_right": "to the right of",
}


def arrange(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Place lettering and icon one beside the other, in the middle, scaled down if need be."""
    scene = canvas.scene
    artwork = artwork_of(canvas, np.asarray(chosen | scene.text | ~scene.background))
    text, icon = artwork & scene.text, artwork & ~scene.text
    if not text.any() or not icon.any():
        raise CannotApply("not_in_image", "Lettering and icon could not be told apart.")
    mode = edit.mode or "text_below"
    text_box, icon_box = box_of(canvas, text), box_of(canvas, icon)
    text_goal, icon_goal, factor = _goals(canvas, text_box, icon_box, mode)
    picture = ground_of(canvas, artwork)
    size = (scene.width, scene.height)
    for part, box, goal in ((icon, icon_box, icon_goal), (text, text_box, text_goal)):
        matrix = _to(box, goal, factor)
        picture = composed(picture, warped(lifted(canvas, part), matrix, size))
    warnings = (f"Everything was scaled to {factor:.0%} to fit the canvas.",) if factor < 1 else ()
    return Done(
        canvas.redrawn(picture),
        f"Put the lettering {_PLACES[mode]} the icon",
        {"factor": round(factor, 3)},
        (),
        warnings,
    )


def _goals(
    canvas: Canvas, text: Box, icon: Box, mode: str
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """The new left top corners of lettering and icon, and the common factor."""
    width, height = canvas.scene.width, canvas.scene.height
    gap = _GAP * min(width, height)
    text_w, text_h = text[2] - text[0], text[3] - text[1]
    icon_w, icon_h = icon[2] - icon[0], icon[3] - icon[1]
    stacked = mode in ("text_above", "text_below")
    total_w = max(text_w, icon_w) if stacked else text_w + gap + icon_w
    total_h = text_h + gap + icon_h if stacked else max(text_h, icon_h)
    room = 1 - 2 * _MARGIN
    factor = min(1.0, room * width / total_w, room * height / total_h)
    left = (width - total_w * factor) / 2
    top = (height - total_h * factor) / 2
    first, second = (text, icon) if mode in ("text_above", "text_left") else (icon, text)
    first_w, first_h = (first[2] - first[0]) * factor, (first[3] - first[1]) * factor
    second_w, second_h = (second[2] - second[0]) * factor, (second[3] - second[1]) * factor
    if stacked:
        one = (left + (total_w * factor - first_w) / 2, top)
        two = (left + (total_w * factor - second_w) / 2, top + first_h + gap * factor)
    else:
        one = (left, top + (total_h * factor - first_h) / 2)
        two = (left + first_w + gap * factor, top + (total_h * factor - second_h) / 2)
    one, two = _whole(one, factor), _whole(two, factor)
    return (one, two, factor) if first is text else (two, one, factor)


def _whole(corner: tuple[float, float], factor: float) -> tuple[float, float]:
    """Whole pixels where nothing is scaled, so that edges stay exactly as they were."""
    return (float(round(corner[0])), float(round(corner[1]))) if factor == 1 else corner


def _to(box: Box, goal: tuple[float, float], factor: float) -> NDArray[np.float64]:
    shift = [g - 0.5 - factor * (s - 0.5) for s, g in zip(box[:2], goal, strict=True)]
    return np.array([[factor, 0, shift[0]], [0, factor, shift[1]]], np.float64)
