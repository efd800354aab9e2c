"""Tell the ground from the artwork, also where it shows through letters and rings."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

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
_LETTER_TO_COUNTER = 0.1  # of area
_STAIN, _STAIN_LEVELS, _STAIN_PART = 0.0004, 34.0, 0.15
# A wall as thick as the shape about it is a stroke. In a fill, only a plain opening is a hole (a
# handle's); what has a form of its own is drawn there.
_STROKE_TO_WALL = (0.3, 0.65)
_STROKE_ABOUT = 0.3
_PLAIN = 0.85  # of its convex hull


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
    if noise:
        holes |= _stains(labels, regions, groups, first, ground | text)
    if candidates.size == 0:
        return holes
    away: Floats | None = None
    for region in candidates:
        around = groups.neighbours(int(region))
        letters = around[text[around]]
        if regions.area[letters].sum() > _LETTER_TO_COUNTER * regions.area[region]:
            holes[region] = True
            continue
        if away is None:
            away = _distance_to(ground[labels])
        holes[region] = _seen_through(labels, regions, groups, int(region), away)
    return holes


def _stains(labels: Indices, regions: Regions, groups: Groups, first: int, beside: Flags) -> Flags:
    """Bits of the ground, about and inside small lettering, that JPEG tinted with its colour."""
    stains = np.zeros(len(regions), np.bool_)
    away = np.abs(regions.colour - regions.colour[first]).max(axis=1)
    small = (regions.area <= _STAIN * labels.size) & (away <= _STAIN_LEVELS) & ~beside
    small &= np.abs(regions.alpha - regions.alpha[first]) < 0.02
    for region in np.flatnonzero(small):
        around = groups.neighbours(int(region))
        near = around.size and beside[around].any()
        stains[region] = near and away[region] <= _STAIN_PART * away[around].max()
    return stains


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
    if wall > _WALL_TO_EXTENT * extent or wall > _WALL_TO_RADIUS * radius:
        return False
    return _in_stroke(groups, region, wall) or _solidity(inside) >= _PLAIN


def _in_stroke(groups: Groups, region: int, wall_px: float) -> bool:
    """Whether much of what lies about a surface is no thicker than the wall: a stroke."""
    beside = (groups.touching == region).any(axis=1)
    other = groups.of[groups.touching[beside].sum(axis=1) - region]
    border = groups.border[beside] * (other != groups.of[region])
    least, most = (part * wall_px for part in _STROKE_TO_WALL)
    thin = (groups.thickness[other] >= least) & (groups.thickness[other] <= most)
    return bool(border[thin].sum() >= _STROKE_ABOUT * border.sum())


def _solidity(mask: NDArray[np.uint8]) -> float:
    """The area of a shape as a part of that of its convex hull."""
    hull = cv2.convexHull(cv2.findNonZero(mask))
    return float(mask.sum() / (cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2 + 1))
