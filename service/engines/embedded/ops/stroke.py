"""Make strokes bolder or thinner by a part of their own width, without closing or losing any."""

from __future__ import annotations

import cv2
import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, Floats
from service.engines.embedded.ops.base import CannotApply, Done, named, share
from service.engines.embedded.ops.remove import nearest_of, without
from service.engines.embedded.plan import Edit, Op, Part
from service.engines.embedded.raster import (
    coverage_within,
    half_width,
    over,
    pieces,
    signed_distance,
    thickened,
)
from service.engines.embedded.scene.core import Flags, Indices

_DEFAULT = 0.4
_STROKE = 0.035  # of the shorter side: what is thicker is a fill, not a stroke
_HAIRLINE_PX = 0.9
_THINNEST_PX = 0.45
_FAINTEST = 0.45
_THINNEST_PART = 0.7
_TRIES, _LESS = 6, 0.75
_LEAST_CHANGE = 0.02
_MARGIN_PX = 4
_ALIKE = 0.05  # of OKLab
_INSIDE = 0.5
_GAP_PART = 0.25  # of a gap that two shapes share


def change_weight(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Grow or shrink every stroke of the chosen shapes; big fills stay unless asked for."""
    amount = _DEFAULT if edit.amount is None else min(max(edit.amount, 0.05), 1.5)
    bolder = edit.op is Op.BOLDER
    amount = amount if bolder else min(amount, _THINNEST_PART)
    strands = _strands(canvas, edit, chosen)
    if not strands:
        raise CannotApply("not_in_image", f"There are no thin strokes in {named(edit.target)}.")
    strokes = np.zeros(len(chosen), np.bool_)
    for strand in strands:
        strokes |= np.isin(canvas.scene.groups.of, strand) & ~canvas.scene.background
    picture = canvas.image if bolder else without(canvas, strokes).image
    areas = []
    for strand in strands:
        picture, before, after = _redrawn(canvas, picture, strand, amount if bolder else -amount)
        areas.append((before, after))
    before, after = (sum(column) for column in zip(*areas, strict=True))
    if abs(after - before) < _LEAST_CHANGE * before:
        raise CannotApply("limit", f"The strokes cannot become {edit.op} without damage.")
    measured = {
        "stroke_area_before": round(before / canvas.image[..., 0].size, 5),
        "stroke_area_after": round(after / canvas.image[..., 0].size, 5),
        "area": share(canvas, strokes),
    }
    summary = f"Made the strokes of {named(edit.target)} {edit.op}"
    return Done(canvas.redrawn(picture), summary, measured)


def _strands(canvas: Canvas, edit: Edit, chosen: Flags) -> list[Indices]:
    """Groups that change together: the letters of a line, or one shape."""
    scene = canvas.scene
    groups = scene.groups
    free = np.zeros(len(groups), np.bool_)
    free[groups.of[chosen & ~scene.background & (scene.regions.area > 0)]] = True
    asked = edit.target.part in (Part.TEXT, Part.TAGLINE) or edit.target.noun is not None
    limit = np.inf if asked else _STROKE * min(scene.width, scene.height)
    strands: list[Indices] = []
    for line in scene.lines:
        own = line.groups[free[line.groups]]
        if own.size:
            free[own] = False
            strands.append(own)
    rest = np.flatnonzero(free & (groups.thickness <= limit)).astype(np.int32)
    return strands + [rest[i : i + 1] for i in range(rest.size)]


def _redrawn(
    canvas: Canvas, picture: Bytes, strand: Indices, amount: float
) -> tuple[Bytes, float, float]:
    """The picture with one strand in its new weight, and the strand's area before and after."""
    scene = canvas.scene
    chosen = np.isin(scene.groups.of, strand) & ~scene.background
    window = _window(canvas, strand, abs(amount))
    mask = np.ascontiguousarray(scene.coverage(chosen)[window])
    weighed = _weighed(mask, amount, _room_px(canvas, chosen, mask, window))
    result = picture.copy()
    ink = _spread_ink(canvas, chosen, window)
    result[window] = over(np.ascontiguousarray(picture[window]), ink, weighed)
    return result, float(mask.sum()), float(weighed.sum())


def _window(canvas: Canvas, strand: Indices, amount: float) -> tuple[slice, slice]:
    boxes = canvas.scene.groups.boxes[strand]
    thick = float(canvas.scene.groups.thickness[strand].max())
    reach = int(np.ceil(amount * thick)) + _MARGIN_PX
    top, bottom = max(0, int(boxes[:, 1].min()) - reach), int(boxes[:, 3].max()) + reach
    left, right = max(0, int(boxes[:, 0].min()) - reach), int(boxes[:, 2].max()) + reach
    return slice(top, min(canvas.scene.height, bottom)), slice(left, min(canvas.scene.width, right))


def _room_px(canvas: Canvas, chosen: Flags, mask: Floats, window: tuple[slice, slice]) -> float:
    """How far a strand may grow before the gap to a shape of its kind beside it is half closed."""
    scene = canvas.scene
    own = np.unique(scene.groups.of[chosen])
    ink = np.median(canvas.colours()[chosen], axis=0)
    alike = np.linalg.norm(canvas.colours() - ink, axis=1) < _ALIKE
    beside = alike & ~scene.background & ~np.isin(scene.groups.of, own)
    other = beside[scene.labels[window]]
    if not other.any() or not (mask > _INSIDE).any():
        return np.inf
    away = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 3)
    return float(away[mask > _INSIDE].min()) * _GAP_PART


def _weighed(mask: Floats, amount: float, room_px: float) -> Floats:
    """The mask with its strokes grown by a part of their half-width, or shrunk.

    Less is done where that would close a counter, join two letters or break a stroke.
    """
    half = half_width(mask)
    if half < _HAIRLINE_PX:
        if amount > 0:
            return thickened(mask, min(amount * half, room_px))
        return np.asarray(mask * np.float32(max(1 + amount, _FAINTEST)), dtype=np.float32)
    offset = min(max(amount * half, min(0.0, _THINNEST_PX - half)), room_px)
    whole = pieces(mask)
    distance, fine = signed_distance(mask)
    for _ in range(_TRIES):
        weighed = coverage_within(distance, fine, offset)
        if pieces(weighed) == whole:
            return weighed
        offset *= _LESS
    return mask


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
