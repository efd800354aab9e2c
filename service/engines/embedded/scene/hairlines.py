"""Give hairlines and small lettering, which have no core, a surface of their own.

Their second colour comes from the image's own palette where it fits, else from the pixel that
stands out most. Without this step small text would vanish with its background.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.colour import Floats
from service.engines.embedded.scene.core import Core, Indices
from service.engines.embedded.scene.unmix import (
    Mix,
    Places,
    blend,
    explained,
    tolerance,
)

_MOST_INKS = 24
_SAME_INK_LEVELS = 14.0
_POCKET_PX = 14
_POCKET_REACH_PX = 10
# A line that never reaches this part of a colour is a paler line of a colour of its own.
_FULL_COVERAGE = 0.97
_PALE_COST_LEVELS = 3.0
_BETTER_LEVELS = 0.6
_GOOD = 0.12  # of the tolerance
_FRINGE_LEVELS = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Hairlines:
    """Surfaces without core. `inks` is (m, channels) in levels; `boxes` as in `Core`.

    Sources of a mix that are `pixels + k` mean the ink k.
    """

    inks: Floats
    boxes: Indices


@dataclass(frozen=True, slots=True, eq=False)
class _Strands:
    """Connected unexplained pixels: rows of the mix, the strand of each row, sizes."""

    rows: Places
    strand: Places
    count: int
    boxes: Indices

    def total(self, values: Floats) -> NDArray[np.float64]:
        return np.bincount(self.strand, weights=values, minlength=self.count)

    def peak(self, values: Floats) -> Floats:
        peak = np.zeros(self.count, np.float32)
        np.maximum.at(peak, self.strand, values)
        return peak


def find_hairlines(surface: Floats, core: Core, mix: Mix) -> Hairlines:
    """Explain what `unmix` left unexplained, changing `mix` in place."""
    channels = surface.shape[2]
    strands = _strands(core, mix)
    if strands.count == 0:
        return Hairlines(np.zeros((0, channels), np.float32), np.zeros((0, 5), np.int32))
    flat = surface.reshape(-1, channels)
    base_at = mix.nearest[strands.rows]
    pixel = flat[mix.place[strands.rows]]
    has_core = base_at >= 0
    base = flat[np.where(has_core, base_at, 0)]
    ink_of = _choose_inks(strands, pixel, base, _palette(surface, core), tolerance(core.noise))
    ink = ink_of[strands.strand]
    weight, error = blend(pixel, ink, base)
    source = np.stack([core.labels.size + strands.strand, base_at], axis=1)
    _join_pockets(flat, core, strands, source, ink_of)
    improves = (error < mix.error[strands.rows]) & has_core
    rows = strands.rows[improves]
    mix.source[rows] = source[improves]
    mix.weight[rows] = np.stack([weight, 1 - weight], axis=1)[improves]
    mix.error[rows] = error[improves]
    return Hairlines(ink_of, strands.boxes)


def _strands(core: Core, mix: Mix) -> _Strands:
    """Connected components of unexplained pixels with the faint fringe about them."""
    shape = core.labels.shape
    lost = np.zeros(shape, np.uint8)
    lost.ravel()[mix.place[~explained(mix, core.noise)]] = 1
    near = cv2.dilate(lost, np.ones((3, 3), np.uint8)).ravel()
    faint = mix.error > _FRINGE_LEVELS + core.noise
    lost.ravel()[mix.place[faint & (near[mix.place] > 0)]] = 1
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lost, connectivity=8)
    strand = labels.ravel()[mix.place].astype(np.int64) - 1
    rows = np.flatnonzero(strand >= 0)
    return _Strands(rows, strand[rows], count - 1, np.asarray(stats[1:count]))


def _palette(surface: Floats, core: Core) -> Floats:
    """The distinct colours of the core surfaces, largest first, at most `_MOST_INKS`."""
    flat = surface.reshape(-1, surface.shape[2])
    order = np.argsort(-core.boxes[:, 4], kind="stable")[:400]
    colours: list[Floats] = []
    middles = _middles(core, order)
    for colour in flat[middles]:
        if all(np.abs(colour - known).max() > _SAME_INK_LEVELS for known in colours):
            colours.append(colour)
        if len(colours) == _MOST_INKS:
            break
    return np.asarray(colours, dtype=np.float32).reshape(-1, surface.shape[2])


def _middles(core: Core, regions: Places) -> Places:
    """One core pixel of each region: the middle one of those in its box's middle row or near."""
    labels = core.labels
    middles = np.zeros(regions.size, np.int64)
    for i, region in enumerate(regions):
        left, top, width, height, _ = core.boxes[region]
        window = labels[top : top + height, left : left + width]
        inside = np.flatnonzero(window.ravel() == region)
        chosen = int(inside[inside.size // 2])
        middles[i] = (top + chosen // width) * labels.shape[1] + left + chosen % width
    return middles


def _choose_inks(
    strands: _Strands, pixel: Floats, base: Floats, palette: Floats, tolerance_levels: float
) -> Floats:
    """The ink of each strand: the palette colour that explains it, else its own extreme."""
    size = np.bincount(strands.strand, minlength=strands.count)
    ink = np.zeros((strands.count, pixel.shape[1]), np.float32)
    best = np.full(strands.count, np.inf)

    def offer(colour: Floats) -> None:
        weight, error = blend(pixel, np.broadcast_to(colour, pixel.shape), base)
        missing = np.maximum(0, _FULL_COVERAGE - strands.peak(weight)) * (size > _POCKET_PX)
        cost = strands.total(error) / size + _PALE_COST_LEVELS * missing
        fits = (cost < best - _BETTER_LEVELS) & (cost <= tolerance_levels)
        ink[fits], best[fits] = colour, cost[fits]

    for colour in palette:
        offer(colour)
    contrast = np.abs(pixel - base).max(axis=1)
    peak = strands.peak(contrast)
    tried = best <= tolerance_levels * _GOOD
    for _ in range(_MOST_INKS):
        left = np.flatnonzero(~tried)
        if left.size == 0:
            break
        first = left[np.argmax(peak[left])]
        rows = np.flatnonzero(strands.strand == first)
        offer(pixel[rows[np.argmax(contrast[rows])]])
        tried |= best <= tolerance_levels * _GOOD
        tried[first] = True
    order = np.argsort(contrast, kind="stable")
    extreme = np.zeros(strands.count, np.int64)
    extreme[strands.strand[order]] = order
    return np.where(np.isinf(best)[:, None], pixel[extreme], ink)


def _join_pockets(
    flat: Floats, core: Core, strands: _Strands, source: Places, ink_of: Floats
) -> None:
    """Let a pocket of a few pixels belong to the surface of its colour nearby, if there is one."""
    height, width = core.labels.shape
    small = np.flatnonzero(strands.boxes[:, 4] <= _POCKET_PX)
    for strand in small:
        left, top, w, h, _ = strands.boxes[strand]
        y0, y1 = max(0, top - _POCKET_REACH_PX), min(height, top + h + _POCKET_REACH_PX)
        x0, x1 = max(0, left - _POCKET_REACH_PX), min(width, left + w + _POCKET_REACH_PX)
        ys, xs = np.nonzero(core.labels[y0:y1, x0:x1] >= 0)
        at = (ys + y0) * width + xs + x0
        alike = np.abs(flat[at] - ink_of[strand]).max(axis=1) <= _SAME_INK_LEVELS
        if not alike.any():
            continue
        candidates = at[alike]
        reach = np.hypot(candidates // width - (top + h / 2), candidates % width - (left + w / 2))
        mine = strands.strand == strand
        source[mine, 0] = candidates[np.argmin(reach)]
