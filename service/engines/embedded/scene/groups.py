"""Join surfaces of one colour that touch: a letter in three pieces is one shape to a person."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.colour import Floats, distance
from service.engines.embedded.scene.core import Flags, Indices
from service.engines.embedded.scene.regions import Regions

_SAME_COLOUR, _PER_NOISE, _SAME_GRADED = 0.012, 0.004, 0.035
_FLAT_LEVELS = 1.0
_SAME_ALPHA = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Shapes of one colour. `of` is the group of each surface; the rest has a row a group.

    `thickness` is the radius in pixels of the largest disc that fits inside. `touching` are pairs
    of surfaces with a common border, and `border` the length of each in pixels.
    """

    of: Indices
    boxes: Indices
    area: Floats
    lab: Floats
    alpha: Floats
    thickness: Floats
    touching: Indices
    border: Floats

    def __len__(self) -> int:
        return int(self.area.size)

    def neighbours(self, region: int) -> Indices:
        """The surfaces with a border to this one."""
        one, other = self.touching[:, 0], self.touching[:, 1]
        return np.concatenate([other[one == region], one[other == region]])


def find_groups(labels: Indices, regions: Regions, noise: int) -> Groups:
    """Group the surfaces of a label map."""
    touching, border = _touching(labels, len(regions))
    one, other = touching[:, 0], touching[:, 1]
    flat = np.maximum(regions.spread[one], regions.spread[other]) <= _FLAT_LEVELS
    limit = np.where(flat, _SAME_COLOUR + _PER_NOISE * noise, _SAME_GRADED)
    alike = (distance(regions.lab[one], regions.lab[other]) < limit) & (
        np.abs(regions.alpha[one] - regions.alpha[other]) < _SAME_ALPHA
    )
    of = unite(len(regions), touching[alike])
    count = int(of.max()) + 1 if of.size else 0
    area = np.bincount(of, weights=regions.area, minlength=count)
    safe = np.maximum(area, 1e-6)
    lab = np.stack(
        [np.bincount(of, regions.area * regions.lab[:, c], count) / safe for c in range(3)], axis=1
    )
    alpha = np.bincount(of, weights=regions.area * regions.alpha, minlength=count) / safe
    boxes = np.zeros((count, 4), np.int32)
    boxes[:, :2] = max(labels.shape)
    np.minimum.at(boxes[:, 0], of, regions.boxes[:, 0])
    np.minimum.at(boxes[:, 1], of, regions.boxes[:, 1])
    np.maximum.at(boxes[:, 2], of, regions.boxes[:, 2])
    np.maximum.at(boxes[:, 3], of, regions.boxes[:, 3])
    return Groups(
        of,
        boxes,
        area.astype(np.float32),
        lab.astype(np.float32),
        alpha.astype(np.float32),
        _thickness(of[labels], count),
        touching,
        border,
    )


def _touching(labels: Indices, count: int) -> tuple[Indices, Floats]:
    """Pairs of surfaces that are neighbours, the lower first, and their common border in pixels."""
    keys: list[NDArray[np.int64]] = []
    for one, other in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        at = np.flatnonzero(one != other)
        a, b = one.ravel()[at].astype(np.int64), other.ravel()[at].astype(np.int64)
        keys.append(np.minimum(a, b) * count + np.maximum(a, b))
    pairs, length = np.unique(np.concatenate(keys), return_counts=True)
    return (
        np.stack([pairs // count, pairs % count], axis=1).astype(np.int32),
        length.astype(np.float32),
    )


def unite(count: int, pairs: Indices) -> Indices:
    """Number the connected sets of a graph in order of their first member."""
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in pairs.tolist():
        ra, rb = root(a), root(b)
        if ra != rb:
            parent[max(ra, rb)] = min(ra, rb)
    roots = np.array([root(i) for i in range(count)], np.int64)
    return np.unique(roots, return_inverse=True)[1].astype(np.int32)


def _thickness(group: Indices, count: int) -> Floats:
    """The largest distance to another group within each, in pixels."""
    inside = np.ones(group.shape, np.uint8)
    inside[:, 1:][group[:, 1:] != group[:, :-1]] = 0
    inside[1:][group[1:] != group[:-1]] = 0
    away = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    thickness = np.zeros(count, np.float32)
    deep = np.flatnonzero(away.ravel() > 0)
    np.maximum.at(thickness, group.ravel()[deep], away.ravel()[deep])
    return thickness + np.float32(0.5)


def of_any(groups: Groups, chosen: Flags) -> Flags:
    """The groups that hold any of the chosen surfaces."""
    row = np.zeros(len(groups), np.bool_)
    row[groups.of[chosen]] = True
    return row
