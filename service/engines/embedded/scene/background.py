"""Tell the ground from the artwork, also where it shows through letters and rings."""

from __future__ import annotations

import cv2
import numpy as np

from service.engines.embedded.colour import Floats
from service.engines.embedded.scene.core import Flags, Indices
from service.engines.embedded.scene.groups import Groups
from service.engines.embedded.scene.regions import Regions

_LEAST_OF_BORDER = 0.5
_GROUND_LEVELS = 5.0
# A hole shows the ground when the wall about it is thin beside the hole's length and its width.
_WALL_TO_EXTENT = 0.45
_WALL_TO_RADIUS = 2.5
_WALL_PERCENTILE = 25


def find_ground(labels: Indices, regions: Regions, noise: int) -> Flags:
    """The surfaces about the artwork: those along the image's border, if they are of a kind."""
    ground = np.zeros(len(regions), np.bool_)
    border = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    length = np.bincount(border, minlength=len(regions))
    first = int(np.argmax(length))
    alike = _alike(regions, first, noise) & (length > 0)
    if length[alike].sum() >= _LEAST_OF_BORDER * border.size:
        ground |= alike
    return ground


def find_holes(
    labels: Indices, regions: Regions, groups: Groups, ground: Flags, text: Flags, noise: int
) -> Flags:
    """The enclosed surfaces through which the ground is seen: counters, handles, rings."""
    holes = np.zeros(len(regions), np.bool_)
    if not ground.any():
        return holes
    first = int(np.argmax(np.where(ground, regions.area, -1)))
    candidates = np.flatnonzero(_alike(regions, first, noise) & ~ground)
    if candidates.size == 0:
        return holes
    away: Floats | None = None
    for region in candidates:
        around = groups.neighbours(int(region))
        if around.size and text[around].any():
            holes[region] = True
            continue
        if away is None:
            away = _distance_to(ground[labels])
        holes[region] = _seen_through(labels, regions, groups, int(region), away)
    return holes


def _alike(regions: Regions, first: int, noise: int) -> Flags:
    if regions.alpha[first] < 0.02:
        return np.asarray(regions.alpha < 0.02)
    near = np.abs(regions.colour - regions.colour[first]).max(axis=1)
    levels = _GROUND_LEVELS + noise
    return np.asarray((near <= levels) & (np.abs(regions.alpha - regions.alpha[first]) < 0.02))


def _distance_to(mask: Flags) -> Floats:
    return np.asarray(
        cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5), dtype=np.float32
    )


def _seen_through(
    labels: Indices, regions: Regions, groups: Groups, region: int, away: Floats
) -> bool:
    left, top, right, bottom = regions.boxes[region]
    window = (slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1))
    inside = (labels[window] == region).astype(np.uint8)
    rim = inside - cv2.erode(inside, np.ones((3, 3), np.uint8))
    walls = away[window][rim > 0]
    if walls.size == 0:
        return False
    wall = float(np.percentile(walls, _WALL_PERCENTILE))
    extent = float(max(right - left, bottom - top))
    radius = float(groups.thickness[groups.of[region]])
    return wall <= _WALL_TO_EXTENT * extent and wall <= _WALL_TO_RADIUS * radius
