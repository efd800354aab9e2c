"""Explain the pixels between surfaces: which two they lie between, and how much of each they hold.

An antialiased pixel is `weight · one + (1 - weight) · other`, blended in premultiplied sRGB as
drawing programs do. Its two sources are core pixels nearby, so that a gradient is followed along
its edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.colour import Floats
from service.engines.embedded.scene.core import Core, Flags

type Places = NDArray[np.int64]

WALK_PX = 5
_WINDOW_PX = 4
_SHARP_LEVELS = 5.0
_DISTANCE_COST_LEVELS = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """Pixels that hold two sources; all arrays have one row a pixel.

    `place` and `source` are flat pixel indices, `weight` is the part of each source, `error` what
    they leave unexplained in 8-bit levels. `nearest` is the nearest core pixel, -1 where the
    image has none.
    """

    place: Places
    nearest: Places
    source: Places
    weight: Floats
    error: Floats


def tolerance(noise: int) -> float:
    """How far, in 8-bit levels, a mixed pixel may lie from the line between its sources."""
    return _SHARP_LEVELS + 2.0 * noise


def unmix(surface: Floats, core: Core) -> Mix:
    """Explain each pixel that is no core by core pixels along its gradient, else nearby."""
    labels = core.labels.ravel()
    place = np.flatnonzero(labels < 0)
    flat = surface.reshape(-1, surface.shape[-1])
    direction = _gradient(surface, place)
    ends = [_walk(core, place, direction * sign) for sign in (1.0, -1.0)]
    source = np.stack(ends, axis=1)
    nearest = _nearest_core(core, place)
    found = (source >= 0).all(axis=1)
    source[~found] = nearest[~found, None]
    weight, error = _blend(flat, place, source)
    unclear = np.flatnonzero(error > tolerance(core.noise))
    if unclear.size:
        better = _search(flat, core, place[unclear], nearest[unclear])
        improves = better.error < error[unclear]
        chosen = unclear[improves]
        source[chosen] = better.source[improves]
        weight[chosen] = better.weight[improves]
        error[chosen] = better.error[improves]
    return Mix(place, nearest, source, np.stack([weight, 1 - weight], axis=1), error)


def _gradient(surface: Floats, place: Places) -> Floats:
    """Unit direction (dx, dy) of the strongest channel's gradient at each place."""
    _, width, channels = surface.shape
    padded = cv2.copyMakeBorder(surface, 1, 1, 1, 1, cv2.BORDER_REPLICATE).reshape(-1, channels)
    stride = width + 2
    at = (place // width + 1) * stride + place % width + 1

    def pixel(dy: int, dx: int) -> Floats:
        return np.asarray(padded[at + dy * stride + dx])

    nw, ne, sw, se = pixel(-1, -1), pixel(-1, 1), pixel(1, -1), pixel(1, 1)
    gx = (ne - nw) + (se - sw) + 2 * (pixel(0, 1) - pixel(0, -1))
    gy = (sw - nw) + (se - ne) + 2 * (pixel(1, 0) - pixel(-1, 0))
    strength = gx * gx + gy * gy
    rows, best = np.arange(place.size), strength.argmax(axis=1)
    direction = np.stack([gx[rows, best], gy[rows, best]], axis=1)
    length = np.sqrt(strength[rows, best])[:, None]
    unit = np.divide(direction, length, out=np.zeros_like(direction), where=length > 0)
    return np.asarray(unit, dtype=np.float32)


def _walk(core: Core, place: Places, direction: Floats) -> Places:
    """The first core pixel within reach along each direction, -1 where there is none."""
    height, width = core.labels.shape
    labels = core.labels.ravel()
    y, x = place // width, place % width
    end = np.full(place.size, -1, np.int64)
    todo = np.arange(place.size)
    for step in range(1, WALK_PX + 1):
        px = np.clip(x[todo] + np.rint(direction[todo, 0] * step).astype(np.int64), 0, width - 1)
        py = np.clip(y[todo] + np.rint(direction[todo, 1] * step).astype(np.int64), 0, height - 1)
        at = py * width + px
        hit = labels[at] >= 0
        end[todo[hit]] = at[hit]
        todo = todo[~hit]
    return end


def _nearest_core(core: Core, place: Places) -> Places:
    """The flat index of the core pixel nearest to each place, -1 where there is none at all."""
    outside = (core.labels < 0).astype(np.uint8)
    if place.size == outside.size:
        return np.full(outside.size, -1, np.int64)
    _, nearest = cv2.distanceTransformWithLabels(
        outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    inside = np.flatnonzero(outside.ravel() == 0)
    index = np.zeros(int(nearest.max()) + 1, np.int64)
    index[nearest.ravel()[inside]] = inside
    return np.asarray(index[nearest.ravel()[place]])


def blend(pixel: Floats, one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """The part of `one` in each pixel, and the largest channel left unexplained, in levels."""
    line = one - other
    length = np.einsum("nc,nc->n", line, line)
    along = np.einsum("nc,nc->n", pixel - other, line)
    weight = np.divide(along, length, out=np.ones_like(along), where=length > 1e-6)
    weight = np.clip(weight, 0, 1)
    error = np.abs(pixel - other - weight[:, None] * line).max(axis=1)
    return weight.astype(np.float32), error.astype(np.float32)


def _blend(flat: Floats, place: Places, source: Places) -> tuple[Floats, Floats]:
    return blend(flat[place], flat[source[:, 0]], flat[source[:, 1]])


def _search(flat: Floats, core: Core, place: Places, nearest: Places) -> Mix:
    """The best pair of the nearest core pixel and any other in the window about each place."""
    height, width = core.labels.shape
    labels = core.labels.ravel()
    y, x = place // width, place % width
    pixel, base = flat[place], flat[nearest]
    best = np.full(place.size, np.inf, np.float32)
    result = Mix(
        place,
        nearest,
        np.stack([nearest, nearest], axis=1),
        np.ones((place.size,), np.float32),
        np.abs(pixel - base).max(axis=1),
    )
    for dy, dx in _window():
        at = np.clip(y + dy, 0, height - 1) * width + np.clip(x + dx, 0, width - 1)
        usable = np.flatnonzero(labels[at] >= 0)
        weight, error = blend(pixel[usable], flat[at[usable]], base[usable])
        cost = error + _DISTANCE_COST_LEVELS * float(np.hypot(dx, dy))
        better = cost < best[usable]
        rows = usable[better]
        best[rows] = cost[better]
        result.source[rows, 0] = at[rows]
        result.weight[rows] = weight[better]
        result.error[rows] = error[better]
    return result


def _window() -> list[tuple[int, int]]:
    """Offsets about a pixel: all near ones, every second farther out, nearest first."""
    reach = range(-_WINDOW_PX, _WINDOW_PX + 1)
    offsets = [
        (dy, dx)
        for dy in reach
        for dx in reach
        if (max(abs(dy), abs(dx)) <= 2 or (dy + dx) % 2 == 0) and (dy, dx) != (0, 0)
    ]
    return sorted(offsets, key=lambda o: (o[0] * o[0] + o[1] * o[1], o))


def explained(mix: Mix, noise: int) -> Flags:
    """Which of the mixed pixels their sources account for."""
    return np.asarray(mix.error <= tolerance(noise))
