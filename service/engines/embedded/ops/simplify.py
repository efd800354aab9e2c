"""Take away what is not needed: specks, shading, gradients, near-equal colours."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, Floats, chroma, oklab, srgb
from service.engines.embedded.ops.base import CannotApply, Done
from service.engines.embedded.ops.remove import without
from service.engines.embedded.palette import cluster
from service.engines.embedded.plan import Edit
from service.engines.embedded.scene.core import Flags, Indices

_DEFAULT = 0.4
_SPECK = 0.0005  # of the image
_FLAT_LEVELS = 1.0
_NEAR = 0.085
_WIDE_LEVELS = 16.0
_CLEAR = 0.8
_ALONG = (0.15, 0.3, 0.5, 0.7, 0.85)


def simplify(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Drop specks, flatten gradients and merge near colours; shapes stay.

    `edit.mode` may be `keep_colour` or `keep_shape`: then only the other half is done.
    """
    amount = _DEFAULT if edit.amount is None else edit.amount
    chosen = chosen & ~canvas.scene.background
    colours = distinct_colours(canvas, chosen)
    specks = _specks(canvas, chosen) if edit.mode != "keep_shape" else np.zeros_like(chosen)
    after = without(canvas, specks) if specks.any() else canvas
    flattened = 0
    if edit.mode != "keep_colour":
        after, flattened = flattened_gradients(after, chosen & ~specks)
        after = _merged(after, chosen & ~specks, _NEAR * min(max(amount / _DEFAULT, 0.5), 1.6))
    left = distinct_colours(after, chosen & ~specks)
    if not specks.any() and not flattened and left >= colours:
        raise CannotApply("limit", "There is nothing left to simplify without redrawing shapes.")
    dropped = len(np.unique(canvas.scene.groups.of[specks]))
    parts = [
        f"removed {dropped} small {'speck' if dropped == 1 else 'specks'}" if dropped else "",
        "flattened the shading" if flattened else "",
        f"reduced {colours} colours to {left}" if left < colours else "",
    ]
    measured = {
        "specks_removed": float(dropped),
        "colours_before": float(colours),
        "colours_after": float(left),
    }
    summary = "Simplified the artwork: " + ", ".join(part for part in parts if part)
    return Done(after, summary, measured, ("Shapes and lettering keep their outlines.",))


def _specks(canvas: Canvas, chosen: Flags) -> Flags:
    scene = canvas.scene
    groups = scene.groups
    small = groups.area <= _SPECK * scene.height * scene.width
    free = np.ones(len(groups), np.bool_)
    free[groups.of[~chosen | scene.text]] = False
    return np.asarray((small & free)[groups.of] & (scene.regions.area > 0) & chosen)


def flattened_gradients(canvas: Canvas, chosen: Flags) -> tuple[Canvas, int]:
    """Every chosen surface in one flat colour of its own, and how many were not flat."""
    uneven = chosen & (canvas.scene.regions.spread > _FLAT_LEVELS)
    table = np.rint(canvas.means).astype(np.uint8)
    for region in np.flatnonzero(uneven & (canvas.scene.regions.spread > _WIDE_LEVELS)):
        table[region, :3] = _clear_colour(canvas, int(region))
    return canvas.painted(uneven, table), int(uneven.sum())


def _clear_colour(canvas: Canvas, region: int) -> Bytes:
    """The colour that stands for a wide gradient: its mean, unless that is muddy."""
    sample = canvas.scene.sample
    pixels = canvas.paint.pixels.reshape(-1, 4)[sample.place[sample.label == region], :3]
    lab = oklab(pixels)
    mean = lab.mean(axis=0)
    if np.hypot(mean[1], mean[2]) >= _CLEAR * chroma(lab).mean():
        return np.asarray(srgb(mean[None])[0])
    axis = np.linalg.svd(lab - mean, full_matrices=False)[2][0]
    order = np.argsort((lab - mean) @ axis, kind="stable")
    steps = pixels[order[(np.array(_ALONG) * (len(order) - 1)).astype(int)]]
    return np.asarray(steps[int(np.argmax(chroma(oklab(steps))))])


def _merged(canvas: Canvas, chosen: Flags, nearest: float) -> Canvas:
    """Near colours in the colour of the largest of them."""
    rows, number = _clusters(canvas, chosen, nearest)
    table = np.rint(canvas.means).astype(np.uint8)
    area = canvas.scene.regions.area
    merged = np.zeros(len(chosen), np.bool_)
    for c in range(int(number.max()) + 1 if number.size else 0):
        members = rows[number == c]
        main = table[members[np.argmax(area[members])]]
        merged[members] = (table[members] != main).any()
        table[members] = main
    return canvas.painted(merged, table)


def _clusters(canvas: Canvas, chosen: Flags, nearest: float) -> tuple[Indices, Indices]:
    scene = canvas.scene
    rows = np.flatnonzero(chosen & (scene.regions.area > 0) & (canvas.alphas() > 0.5))
    lab: Floats = canvas.colours()[rows]
    return rows.astype(np.int32), cluster(lab, scene.regions.area[rows], nearest=nearest)


def distinct_colours(canvas: Canvas, chosen: Flags) -> int:
    """How many colours a person would count."""
    number = _clusters(canvas, chosen, 0.02)[1]
    return int(number.max()) + 1 if number.size else 0
