"""Make strokes bolder or thinner by a part of their own width, without closing or losing any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, Floats
from service.engines.embedded.ops.base import CannotApply, Done, named, share
from service.engines.embedded.ops.remove import nearest_of, without
from service.engines.embedded.plan import Edit, Op, Part
from service.engines.embedded.raster import offset_mask, over
from service.engines.embedded.scene.core import Flags, Indices

_DEFAULT = 0.4
_STROKE = 0.035  # of the shorter side: what is thicker is a fill, not a stroke
_GAP_KEPT = 0.42
_THINNEST_PX = 0.45
_LEAST_PX = 0.2
_MARGIN_PX = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Strand:
    """Groups that change by the same number of pixels: a line of lettering, or one shape."""

    groups: Indices
    offset_px: float


def change_weight(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Grow or shrink every stroke of the chosen shapes; big fills stay unless asked for."""
    amount = _DEFAULT if edit.amount is None else min(max(edit.amount, 0.05), 1.5)
    bolder = edit.op is Op.BOLDER
    strands = _strands(canvas, edit, chosen, amount if bolder else -min(amount, 0.7))
    if not strands:
        raise CannotApply("not_in_image", f"There are no thin strokes in {named(edit.target)}.")
    changed = np.zeros(len(chosen), np.bool_)
    for strand in strands:
        changed |= np.isin(canvas.scene.groups.of, strand.groups)
    changed &= ~canvas.scene.background
    picture = canvas.image if bolder else without(canvas, changed).image
    area = 0.0
    for strand in strands:
        picture, grown = _redrawn(canvas, picture, strand)
        area += grown
    before = float(canvas.scene.regions.area[changed].sum())
    measured = {
        "stroke_area_before": round(before / canvas.image[..., 0].size, 5),
        "stroke_area_after": round(area / canvas.image[..., 0].size, 5),
        "area": share(canvas, changed),
    }
    word = "bolder" if bolder else "thinner"
    return Done(
        canvas.redrawn(picture), f"Made the strokes of {named(edit.target)} {word}", measured
    )


def _strands(canvas: Canvas, edit: Edit, chosen: Flags, amount: float) -> list[_Strand]:
    scene = canvas.scene
    groups = scene.groups
    free = np.zeros(len(groups), np.bool_)
    free[groups.of[chosen & ~scene.background & (scene.regions.area > 0)]] = True
    asked = edit.target.part in (Part.TEXT, Part.TAGLINE) or edit.target.noun is not None
    limit = np.inf if asked else _STROKE * min(scene.width, scene.height)
    strands = []
    for line in scene.lines:
        own = line.groups[free[line.groups]]
        if own.size:
            free[own] = False
            half = float(np.median(groups.thickness[own]))
            strands.append(_Strand(own, _offset(amount, half, line.gap or np.inf)))
    for group in np.flatnonzero(free & (groups.thickness <= limit)):
        half = float(groups.thickness[group])
        strands.append(_Strand(np.array([group], np.int32), _offset(amount, half, np.inf)))
    return [strand for strand in strands if abs(strand.offset_px) >= _LEAST_PX]


def _offset(amount: float, half_px: float, gap_px: float) -> float:
    if amount > 0:
        return min(amount * half_px, _GAP_KEPT * gap_px)
    return max(amount * half_px, min(0.0, _THINNEST_PX - half_px))


def _redrawn(canvas: Canvas, picture: Bytes, strand: _Strand) -> tuple[Bytes, float]:
    """The picture with one strand in its new weight, and the strand's new area in pixels."""
    scene = canvas.scene
    chosen = np.isin(scene.groups.of, strand.groups) & ~scene.background
    boxes = scene.groups.boxes[strand.groups]
    reach = int(np.ceil(abs(strand.offset_px))) + _MARGIN_PX
    x0, y0 = max(0, int(boxes[:, 0].min()) - reach), max(0, int(boxes[:, 1].min()) - reach)
    x1 = min(scene.width, int(boxes[:, 2].max()) + reach)
    y1 = min(scene.height, int(boxes[:, 3].max()) + reach)
    window = (slice(y0, y1), slice(x0, x1))
    mask = offset_mask(np.ascontiguousarray(scene.coverage(chosen)[window]), strand.offset_px)
    ink = _spread_ink(canvas, chosen, window)
    result = picture.copy()
    result[window] = over(np.ascontiguousarray(picture[window]), ink, mask)
    return result, float(mask.sum())


def _spread_ink(canvas: Canvas, chosen: Flags, window: tuple[slice, slice]) -> Bytes:
    """The colours of the chosen surfaces, carried on beyond their edges."""
    scene = canvas.scene
    core = scene.core(chosen)[window]
    if core.any():
        fill = nearest_of(core)
        pixels = np.ascontiguousarray(canvas.paint.pixels[window]).reshape(-1, 4)
        return pixels[fill].reshape((*core.shape, 4))
    weight = scene.regions.area[chosen] + 1e-3
    mean: Floats = np.average(canvas.means[chosen], axis=0, weights=weight)
    flat = np.empty((*core.shape, 4), np.uint8)
    flat[:] = np.rint(mean)
    return flat
