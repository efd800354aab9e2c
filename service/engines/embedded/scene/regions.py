"""Measure the surfaces of a label map: their size, place and colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.colour import Bytes, Floats, oklab
from service.engines.embedded.scene.core import Indices
from service.engines.embedded.scene.unmix import Mix, Places

_FEW_PX = 1024
_STRIDE = 17


@dataclass(frozen=True, slots=True, eq=False)
class Paint:
    """Straight 8-bit RGBA of every pixel (h, w, 4), and of every ink (m, 4)."""

    pixels: Bytes
    inks: Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """A row for each surface: first those with core, then the hairlines.

    `area` is in pixels, coverage counted; `boxes` are left, top, right, bottom (exclusive);
    `colour` is the mean straight RGB as floats, `lab` its OKLab, `alpha` 0–1; `range_` the spread
    of colour within (0 is flat).
    """

    area: Floats
    boxes: Indices
    colour: Floats
    lab: Floats
    alpha: Floats
    spread: Floats

    def __len__(self) -> int:
        return int(self.area.size)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Core pixels that stand for their surfaces: all of a small one, some of a large one."""

    place: Places
    label: Indices


def source_regions(labels: Indices, mix: Mix, cores: int) -> Indices:
    """The surface of each source; sources past the last pixel are the inks, after `cores`."""
    flat = labels.ravel()
    inside = mix.source < flat.size
    of_pixel = flat[np.where(inside, mix.source, 0)]
    of_ink = (mix.source - flat.size + cores).astype(np.int32)
    return np.asarray(np.where(inside, of_pixel, of_ink), dtype=np.int32)


def take_sample(labels: Indices, mix: Mix, core_boxes: Indices) -> Sample:
    """A sample of the core of a label map."""
    core_only = np.ones(labels.size, np.bool_)
    core_only[mix.place] = False
    large = core_boxes[:, 4] > _FEW_PX
    many = np.zeros(int(labels.max()) + 1, np.bool_)
    many[: large.size] = large
    flat = labels.ravel()
    small_at = np.flatnonzero(core_only & ~many[flat])
    every = np.arange(0, flat.size, _STRIDE)
    large_at = every[core_only[every] & many[flat[every]]]
    place = np.concatenate([small_at, large_at])
    return Sample(place, flat[place])


def mean_colours(sample: Sample, paint: Paint, count: int) -> Floats:
    """The mean straight RGBA of every surface, in levels, shape (n, 4)."""
    pixels = paint.pixels.reshape(-1, 4)[sample.place]
    size = np.maximum(np.bincount(sample.label, minlength=count), 1)
    mean = np.stack([_sums(sample, pixels[:, c], count) / size for c in range(4)], axis=1)
    if paint.inks.shape[0]:
        mean[count - paint.inks.shape[0] :] = paint.inks
    return mean.astype(np.float32)


def _sums(sample: Sample, values: NDArray[Any], count: int) -> NDArray[np.float64]:
    return np.bincount(sample.label, weights=values, minlength=count)


def _deviations(sample: Sample, paint: Paint, mean: Floats) -> Floats:
    """The largest standard deviation of a channel within each surface, in levels."""
    away = paint.pixels.reshape(-1, 4)[sample.place] - mean[sample.label]
    count = mean.shape[0]
    size = np.maximum(np.bincount(sample.label, minlength=count), 1)
    square = np.stack([_sums(sample, away[:, c] ** 2, count) / size for c in range(4)], axis=1)
    return np.sqrt(square.max(axis=1)).astype(np.float32)


def measure(
    original: Paint,
    labels: Indices,
    mix: Mix,
    sample: Sample,
    core_boxes: Indices,
    ink_boxes: Indices,
) -> Regions:
    """The table of surfaces. `labels` holds the dominant surface of the mixed pixels already."""
    cores, count = len(core_boxes), len(core_boxes) + len(ink_boxes)
    mean = mean_colours(sample, original, count)
    area = np.bincount(
        source_regions(labels, mix, cores).ravel(),
        weights=mix.weight.ravel(),
        minlength=count,
    )
    area[:cores] += core_boxes[:, 4]
    boxes = np.concatenate([core_boxes, ink_boxes])[:, :4].astype(np.int32)
    boxes[:, 2:] += boxes[:, :2]
    boxes[:cores] += np.array([-1, -1, 1, 1], np.int32)  # the antialiased rim about each core
    np.clip(boxes, 0, np.array([*labels.shape[::-1]] * 2), out=boxes)
    colour = mean[:, :3]
    return Regions(
        area.astype(np.float32),
        boxes,
        colour,
        oklab(np.rint(colour)),
        mean[:, 3] / np.float32(255),
        _deviations(sample, original, mean),
    )
