"""Analyse an image once: surfaces, mixed pixels, ground and lettering."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.colour import Bytes, Floats
from service.engines.embedded.scene.background import find_ground, find_holes
from service.engines.embedded.scene.core import find_core, premultiplied
from service.engines.embedded.scene.groups import find_groups, of_any
from service.engines.embedded.scene.hairlines import find_hairlines
from service.engines.embedded.scene.lettering import find_lines, tagline_of
from service.engines.embedded.scene.model import Scene, straighten
from service.engines.embedded.scene.regions import Paint, measure, source_regions, take_sample
from service.engines.embedded.scene.unmix import unmix

__all__ = ["analyse"]


def analyse(image: Bytes) -> Scene:
    """The scene of straight 8-bit RGBA, shape (h, w, 4)."""
    surface = premultiplied(image)
    core = find_core(surface)
    levels = surface.astype(np.float32)
    mix = unmix(levels, core)
    hairlines = find_hairlines(levels, core, mix)
    original = Paint(image, _straight(hairlines.inks))
    cores = len(core.boxes)
    labels = core.labels
    dominant = np.take_along_axis(
        source_regions(labels, mix, cores), mix.weight.argmax(axis=1)[:, None], axis=1
    )
    labels.ravel()[mix.place] = dominant[:, 0]
    sample = take_sample(labels, mix, core.boxes)
    regions = measure(original, labels, mix, sample, core.boxes, hairlines.boxes)
    ground = find_ground(labels, regions, core.noise)
    groups = find_groups(labels, regions)
    lines = find_lines(groups, of_any(groups, ground), labels.shape)
    text = _regions_of(groups.of, [line.groups for line in lines])
    tagline = _regions_of(groups.of, [line.groups for line in tagline_of(lines)])
    holes = find_holes(labels, regions, groups, ground, text, core.noise)
    return Scene(
        original,
        labels,
        mix,
        sample,
        regions,
        groups,
        core.noise,
        tuple(lines),
        background=ground | holes,
        text=text & ~holes,
        tagline=tagline & ~holes,
        photographic=False,
    )


def _straight(inks: Floats) -> Bytes:
    if inks.shape[1] == 3:
        inks = np.concatenate([inks, np.full((inks.shape[0], 1), 255, np.float32)], axis=1)
    return straighten(inks)


def _regions_of(
    group_of: np.ndarray[tuple[int], np.dtype[np.int32]],
    chosen: list[np.ndarray[tuple[int], np.dtype[np.int32]]],
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if not chosen:
        return np.zeros(group_of.size, np.bool_)
    return np.isin(group_of, np.concatenate(chosen))
