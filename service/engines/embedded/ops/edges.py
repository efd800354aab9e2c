"""Redraw the edges between surfaces: rounder, smoother, crisper, or at a larger size."""

from __future__ import annotations

import cv2
import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, Floats
from service.engines.embedded.ops.base import CannotApply, Done, named
from service.engines.embedded.ops.remove import nearest_of
from service.engines.embedded.plan import Edit, Op
from service.engines.embedded.raster import over
from service.engines.embedded.scene.core import Flags, Indices
from service.engines.embedded.scene.model import premultiply, straighten

_ROUND = 0.011  # of the shorter side, at the default amount
_SMOOTH = 0.0035
_DEFAULT = 0.4
_FLAT_LEVELS = 1.5
_STEEPNESS = 2.5066  # √(2π): the slope of a blurred edge is 1 / (sigma · √(2π))
_CRISPER = 2.2
_UNSHARP_PX = 1.4
_LARGEST_PX = 4096
_OF_SHAPE = 0.4  # of the usual shape's half-width: more would melt it
_TRACE, _PEAKED = 0.02, 10
_THIN = 1.6  # sigmas: thinner shapes are left as they are
_SUMMARIES = {
    Op.ROUND: "Rounded the corners of {}",
    Op.SMOOTH: "Smoothed the edges of {}",
    Op.SHARPEN: "Made the edges of {} crisper",
}


def redraw_edges(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Round, smooth or sharpen the edges of the chosen shapes; thin ones and text stay."""
    amount = _DEFAULT if edit.amount is None else min(max(edit.amount, 0.1), 1.5)
    side = min(canvas.scene.width, canvas.scene.height)
    if edit.op is Op.SHARPEN:
        photograph = canvas.scene.photographic
        picture = _unsharp(canvas.image, amount) if photograph else resolved(canvas, 1, 0, _CRISPER)
        return Done(canvas.redrawn(picture), _SUMMARIES[edit.op].format(named(edit.target)))
    base = _ROUND if edit.op is Op.ROUND else _SMOOTH
    groups = canvas.scene.groups
    shapes = chosen & ~canvas.scene.background
    if not shapes.any():
        raise CannotApply("not_in_image", "No artwork was found apart from the background.")
    usual = float(np.median(groups.thickness[groups.of[shapes]]))
    sigma = max(1.0, min(base * side * amount / _DEFAULT, _OF_SHAPE * usual))
    thick = (groups.thickness > _THIN * sigma)[groups.of]
    free = shapes & ~canvas.scene.text & thick
    if not free.any():
        raise CannotApply("not_in_image", f"No shape in {named(edit.target)} is large enough.")
    redrawn = resolved(canvas, 1.0, sigma, sigma * _STEEPNESS)
    reach = cv2.dilate(canvas.scene.coverage(free), np.ones((3, 3), np.uint8))
    kept = canvas.scene.coverage(~free & ~canvas.scene.background)
    near = cv2.GaussianBlur(np.maximum(reach, 0), (0, 0), sigma) > 0.01
    where = np.where(near, 1 - np.clip(kept, 0, 1), 0).astype(np.float32)
    picture = over(canvas.image, redrawn, where)
    notes = ("Lettering and fine lines keep their edges.",)
    summary = _SUMMARIES[edit.op].format(named(edit.target))
    return Done(canvas.redrawn(picture), summary, {"radius_px": round(sigma, 1)}, notes)


def upscale(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Enlarge the picture with crisp edges, up to 4,096 pixels."""
    del chosen
    wanted = max(edit.amount or 2.0, 1.0)
    height, width = canvas.image.shape[:2]
    factor = min(wanted, _LARGEST_PX / max(height, width))
    if factor <= 1:
        raise CannotApply("limit", f"The image is at the limit of {_LARGEST_PX} pixels.")
    size = (round(width * factor), round(height * factor))
    if canvas.scene.photographic:
        larger = cv2.resize(canvas.image, size, interpolation=cv2.INTER_CUBIC)
        picture = np.asarray(larger, dtype=np.uint8)
    else:
        picture = resolved(canvas, factor, 0.0, factor * 1.25)
    warnings = (f"Enlarged by {factor:.2g} only, to stay within {_LARGEST_PX} pixels.",)
    return Done(
        canvas.redrawn(picture),
        f"Enlarged the image to {size[0]} × {size[1]} pixels",
        {"factor": round(factor, 3), "width_px": float(size[0]), "height_px": float(size[1])},
        (),
        warnings if factor < wanted else (),
    )


def resolved(canvas: Canvas, scale: float, sigma: float, gain: float) -> Bytes:
    """The picture drawn anew from the coverage of its colours.

    Each coverage is enlarged by `scale`, blurred by `sigma` and made steeper about one half by
    `gain`; together they weigh the colours. Hairlines are not made steeper: they would break.
    """
    height, width = canvas.image.shape[:2]
    size = (round(width * scale), round(height * scale))
    total = np.zeros((size[1], size[0], 4), np.float32)
    weights = np.zeros((size[1], size[0], 1), np.float32)
    for members, thin in _inks(canvas):
        near = _window(canvas, members, 4 * sigma + 4 if scale == int(scale) else np.inf)
        mask = np.ascontiguousarray(canvas.scene.coverage(members)[near])
        far = tuple(slice(round(s.start * scale), round(s.stop * scale)) for s in near)
        part = (far[1].stop - far[1].start, far[0].stop - far[0].start)
        if scale != 1:
            mask = np.asarray(cv2.resize(mask, part, interpolation=cv2.INTER_CUBIC), np.float32)
        if not thin:
            if sigma > 0:
                mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.float32)
            # Where three colours meet none holds half of a pixel: a trace of each keeps it filled.
            trace = _TRACE * np.clip(mask, 0, 1) ** _PEAKED
            mask = trace + np.clip((mask - 0.5) * np.float32(gain) + np.float32(0.5), 0, 1)
        weight = np.clip(mask, 0, 1)[..., None].astype(np.float32)
        total[far] += weight * _field(canvas, members, near, part)
        weights[far] += weight
    safe = np.maximum(weights, 1e-6)
    return straighten((total / safe).reshape(-1, 4)).reshape((size[1], size[0], 4))


def _unsharp(image: Bytes, amount: float) -> Bytes:
    """A photograph with more of what its blurred copy lacks."""
    colours = image[..., :3].astype(np.float32)
    soft = cv2.GaussianBlur(colours, (0, 0), _UNSHARP_PX)
    crisp = image.copy()
    crisp[..., :3] = np.rint(np.clip(colours + 2 * amount * (colours - soft), 0, 255))
    return crisp


def _inks(canvas: Canvas) -> list[tuple[Flags, bool]]:
    """Surfaces of one colour together, each with whether they are hairlines only."""
    scene = canvas.scene
    rounded = np.rint(canvas.means / 3).astype(np.int64)
    key = ((rounded[:, 0] * 256 + rounded[:, 1]) * 256 + rounded[:, 2]) * 256 + rounded[:, 3]
    uneven = scene.regions.spread > _FLAT_LEVELS
    key[uneven] = -1 - np.flatnonzero(uneven)
    cores = len(scene.regions) - canvas.paint.inks.shape[0]
    used = scene.regions.area > 0
    inks: list[tuple[Flags, bool]] = []
    numbers: Indices = np.unique(key[used], return_inverse=True)[1].astype(np.int32)
    rows = np.flatnonzero(used)
    for number in range(int(numbers.max()) + 1):
        members = np.zeros(len(key), np.bool_)
        members[rows[numbers == number]] = True
        hairlines = members.copy()
        hairlines[:cores] = False
        body = members & ~hairlines
        inks += [(part, part is hairlines) for part in (body, hairlines) if part.any()]
    return inks


def _window(canvas: Canvas, members: Flags, reach_px: float) -> tuple[slice, slice]:
    """The rows and columns of some surfaces with a margin."""
    boxes = canvas.scene.regions.boxes[members]
    reach = int(min(reach_px, max(canvas.scene.height, canvas.scene.width))) + 1
    top, bottom = int(boxes[:, 1].min()) - reach, int(boxes[:, 3].max()) + reach
    left, right = int(boxes[:, 0].min()) - reach, int(boxes[:, 2].max()) + reach
    height, width = canvas.scene.height, canvas.scene.width
    return slice(max(0, top), min(height, bottom)), slice(max(0, left), min(width, right))


def _field(
    canvas: Canvas, members: Flags, near: tuple[slice, slice], size: tuple[int, int]
) -> Floats:
    """The premultiplied colour of some surfaces in a window, in levels: flat, or carried on."""
    scene = canvas.scene
    core = np.ascontiguousarray(scene.core(members)[near])
    if scene.regions.spread[members].max() <= _FLAT_LEVELS or not core.any():
        weight = scene.regions.area[members] + 1e-3
        mean = np.average(canvas.means[members], axis=0, weights=weight)
        mean[:3] *= mean[3] / 255
        return np.asarray(mean, dtype=np.float32)
    pixels = np.ascontiguousarray(canvas.paint.pixels[near]).reshape(-1, 4)
    field = premultiply(pixels[nearest_of(core)]).reshape((*core.shape, 4))
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)
