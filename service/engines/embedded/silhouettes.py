"""Name a shape by its outline alone: disc, ring, triangle, star; knows no colours and no words."""

from __future__ import annotations

import cv2
import numpy as np

from service.engines.embedded.colour import Reals
from service.engines.embedded.scene.core import Flags

_ROUND, _STAR_ROUND = 0.9, 0.5  # of the smallest circle about it
_CONVEX = 0.92  # of its convex hull
_STAR_SOLID = (0.3, 0.8)
_STAR_CORNERS = range(8, 17)
_RING_FILLED = 0.6  # of what lies within its outer edge
_SQUARE_SIDES = 0.12  # how far width and height may differ
_BOX = 0.9  # of its box
_CORNER, _POINT = 0.035, 0.02  # of the length of the outline: what is bent less is a side
_BY_CORNERS = {3: "triangle", 5: "pentagon", 6: "hexagon", 8: "octagon"}


def outline_names(mask: Flags) -> frozenset[str]:
    """What a person may call the shape that a mask shows; holes in it count as filled."""
    contours, _ = cv2.findContours(
        np.pad(mask, 1).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    if not contours:
        return frozenset()
    outline = max(contours, key=cv2.contourArea)
    length = cv2.arcLength(outline, True)
    whole = cv2.contourArea(outline) + length / 2  # a contour runs through the middles of pixels
    if whole < 1:
        return frozenset()
    hull = cv2.convexHull(outline)
    hull_area = cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2
    radius = cv2.minEnclosingCircle(outline)[1] + 0.5
    roundness, solidity = hull_area / (np.pi * radius**2), whole / hull_area
    if solidity < _CONVEX:
        points = cv2.approxPolyDP(outline, _POINT * length, True)[:, 0].astype(np.float64)
        solid = _STAR_SOLID[0] < solidity < _STAR_SOLID[1] and roundness > _STAR_ROUND
        return frozenset({"star"} if solid and _pointed(points) else ())
    if roundness > _ROUND:
        return frozenset({"ring" if mask.sum() < _RING_FILLED * whole else "disc"})
    corners = len(cv2.approxPolyDP(hull, _CORNER * cv2.arcLength(hull, True), True))
    return frozenset({_BY_CORNERS.get(corners, _four_sided(mask, whole))})


def _pointed(corners: Reals) -> bool:
    """Whether the corners of an outline, (n, 2), point out and in by turns, as a star's do."""
    if len(corners) not in _STAR_CORNERS:
        return False
    sides = np.roll(corners, -1, axis=0) - corners
    after = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0] > 0
    return bool((turns != np.roll(turns, 1)).all())


def _four_sided(mask: Flags, whole: float) -> str:
    """A square, a bar, or a diamond; "blob" where it is none of them."""
    height, width = (int(np.ptp(np.flatnonzero(mask.any(axis=a)))) + 1 for a in (1, 0))
    if whole > _BOX * height * width:
        equal = min(height, width) >= (1 - _SQUARE_SIDES) * max(height, width)
        return "square" if equal else "bar"
    return "diamond" if 0.45 < whole / (height * width) < 0.6 else "blob"
