"""Take shapes away, so that what lies about them closes over the place."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes
from service.engines.embedded.ops.base import CannotApply, Done, named, share
from service.engines.embedded.plan import Edit
from service.engines.embedded.scene.core import Flags, Indices
from service.engines.embedded.scene.model import Scene
from service.engines.embedded.scene.regions import Paint
from service.engines.embedded.scene.unmix import Places

_FLAT_LEVELS = 1.5
_MOST = 0.98


def remove(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Remove the chosen shapes; the ground, or whatever surrounds them, takes their place."""
    scene = canvas.scene
    gone = chosen & ~scene.background
    artwork = ~scene.background & (scene.regions.area > 0)
    if not gone.any():
        raise CannotApply("not_in_image", f"The image has nothing like {named(edit.target)}.")
    if scene.regions.area[gone].sum() >= _MOST * scene.regions.area[artwork].sum():
        raise CannotApply("conflict", "Removing that would leave an empty image.")
    count = len(np.unique(scene.groups.of[gone]))
    measured = {"shapes_removed": float(count), "area": share(canvas, gone)}
    return Done(without(canvas, gone), f"Removed {named(edit.target)}", measured)


def without(canvas: Canvas, gone: Flags) -> Canvas:
    """The canvas with the chosen surfaces in the colours of what lies nearest about them."""
    scene = canvas.scene
    core = scene.core(~gone)
    if not core.any():
        return canvas
    fill = nearest_of(core)
    pixels = canvas.paint.pixels.copy()
    inks = canvas.paint.inks.copy()
    flat = pixels.reshape(-1, 4)
    at = np.flatnonzero(scene.core(gone))
    flat[at] = flat[fill[at]]
    graded = scene.regions.spread[scene.labels.ravel()[fill[at]]] > _FLAT_LEVELS
    if graded.any():
        _smooth(canvas, pixels, gone, at[graded])
    cores = len(gone) - inks.shape[0]
    lost = np.flatnonzero(gone[cores:])
    boxes = scene.regions.boxes[cores:][lost]
    middle = (boxes[:, 1] + boxes[:, 3]) // 2 * scene.width + (boxes[:, 0] + boxes[:, 2]) // 2
    inks[lost] = flat[fill[middle]]
    under = np.concatenate([scene.labels.ravel()[at], np.repeat(lost + cores, 2)])
    over = scene.labels.ravel()[np.concatenate([fill[at], np.repeat(fill[middle], 2)])]
    return canvas.without(Paint(pixels, inks), _inherited(scene, gone, under, over))


def _inherited(scene: Scene, gone: Flags, under: Indices, over: Indices) -> Scene:
    """The scene in which what has gone is a part of what closed over most of it.

    `under` and `over` are surfaces in pairs, one pair for each pixel that was closed over.
    """
    heirs = np.arange(len(gone), dtype=np.int32) if scene.heirs is None else scene.heirs.copy()
    pairs, count = np.unique(np.stack([under, over]), axis=1, return_counts=True)
    order = np.argsort(count, kind="stable")
    heirs[pairs[0][order]] = pairs[1][order]
    heirs = heirs[heirs]
    return replace(
        scene,
        heirs=heirs,
        regions=replace(scene.regions, area=np.where(gone, 0, scene.regions.area)),
        background=scene.background[heirs],
        text=scene.text & ~gone,
        tagline=scene.tagline & ~gone,
    )


def _smooth(canvas: Canvas, pixels: Bytes, gone: Flags, filled_at: Places) -> None:
    """Blur, in place, what was filled from gradients: the nearest pixels alone would leave streaks.

    Only the colours of surfaces are mixed, not the edges of what has gone.
    """
    scene = canvas.scene
    groups = np.unique(scene.groups.of[gone])
    sigma = max(1.0, float(scene.groups.thickness[groups].max()) / 2)
    boxes, reach = scene.regions.boxes[gone], int(3 * sigma)
    left, top = np.maximum(boxes[:, :2].min(axis=0) - reach, 0)
    right, bottom = boxes[:, 2:].max(axis=0) + reach
    window = pixels[top:bottom, left:right]
    every = np.ones(len(gone), np.bool_)
    weight = scene.core(every)[top:bottom, left:right].astype(np.float32)[:, :, None]
    total = cv2.GaussianBlur(weight, (0, 0), sigma)[:, :, None]
    soft = cv2.GaussianBlur(window * weight, (0, 0), sigma) / np.maximum(total, 1e-6)
    filled = np.zeros(pixels.shape[:2], np.bool_)
    filled.ravel()[filled_at] = True
    inside = filled[top:bottom, left:right]
    window[inside] = np.rint(soft[inside])


def nearest_of(inside: Flags) -> Places:
    """For every pixel of a flag picture, the flat index of the nearest one that is set."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    at = np.flatnonzero(inside)
    index = np.zeros(int(nearest.max()) + 1, np.int64)
    index[nearest.ravel()[at]] = at
    return np.asarray(index[nearest.ravel()])
