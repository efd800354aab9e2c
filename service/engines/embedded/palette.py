"""Reduce many colours to a few: Ward's merging in OKLab, with the small weighted up."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.colour import Floats
from service.engines.embedded.scene.core import Indices


def cluster(lab: Floats, area: Floats, *, nearest: float = 0.0, at_most: int = 0) -> Indices:
    """A cluster number for each colour (n, 3), the largest cluster 0.

    Merges the closest two while they are nearer than `nearest` (in OKLab) or while there are more
    than `at_most`. Weighting by √area keeps a small accent from being swallowed.
    """
    count = lab.shape[0]
    of = np.arange(count)
    centre = lab.astype(np.float64).copy()
    weight = np.sqrt(np.maximum(area.astype(np.float64), 1))
    gap = np.linalg.norm(centre[:, None] - centre[None], axis=2)
    np.fill_diagonal(gap, np.inf)
    left = count
    while left > 1:
        cost = gap if left <= at_most or not at_most else gap * _ward(weight)
        one, other = np.unravel_index(int(np.argmin(cost)), cost.shape)
        if not (gap[one, other] < nearest or (at_most and left > at_most)):
            break
        a, b = (one, other) if weight[one] >= weight[other] else (other, one)
        total = weight[a] + weight[b]
        centre[a] = (centre[a] * weight[a] + centre[b] * weight[b]) / total
        weight[a] = total
        of[of == b] = a
        gap[b], gap[:, b] = np.inf, np.inf
        gap[a] = np.where(np.isinf(gap[a]), np.inf, np.linalg.norm(centre - centre[a], axis=1))
        gap[a, a] = np.inf
        gap[:, a] = gap[a]
        left -= 1
    return _by_size(of, area)


def _ward(
    weight: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.sqrt(weight[:, None] * weight[None] / (weight[:, None] + weight[None]))


def _by_size(of: np.ndarray[tuple[int], np.dtype[np.int64]], area: Floats) -> Indices:
    _, number = np.unique(of, return_inverse=True)
    size = np.bincount(number, weights=area)
    rank = np.empty(size.size, np.int32)
    rank[np.argsort(-size, kind="stable")] = np.arange(size.size)
    return rank[number]
