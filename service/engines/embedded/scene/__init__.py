"""Analyse an image once: surfaces, mixed pixels, ground and lettering."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.colour import Bytes, Floats
from service.engines.embedded.scene.background import find_ground, find_holes
from service.engines.embedded.scene.core import Core, Flags, Indices, find_core, premultiplied
from service.engines.embedded.scene.groups import Groups, find_groups, of_any
from service.engines.embedded.scene.hairlines import find_hairlines
from service.engines.embedded.scene.lettering import Line, find_lines, tagline_of
from service.engines.embedded.scene.model import Scene, straighten
from service.engines.embedded.scene.noise import denoised, is_noisy, is_photograph, noise_of, steps
from service.engines.embedded.scene.regions import (
    Paint,
    Regions,
    measure,
    source_regions,
    take_sample,
)
from service.engines.embedded.scene.unmix import Mix, unmix

__all__ = ["analyse"]

_CRUMB_PX = 4.0


def analyse(image: Bytes) -> Scene:
    """The scene of straight 8-bit RGBA, shape (h, w, 4)."""
    surface = premultiplied(image)
    near = steps(surface)
    if is_photograph(surface, near):
        return _photograph(image)
    clean, noise = image, noise_of(near)
    if is_noisy(noise) and surface.shape[2] == 3:
        clean = denoised(image, noise)
        surface = premultiplied(clean)
        near = steps(surface)
        noise = noise_of(near)
    return _of_surfaces(image, clean, surface, find_core(surface, near, noise))


def _of_surfaces(image: Bytes, clean: Bytes, surface: Bytes, core: Core) -> Scene:
    levels = surface.astype(np.float32)
    mix = unmix(levels, core)
    hairlines = find_hairlines(levels, core, mix)
    original = Paint(clean, _straight(hairlines.inks))
    labels = _dominant(core, mix)
    sample = take_sample(labels, mix, core.boxes)
    regions = measure(original, labels, mix, sample, core.boxes, hairlines.boxes)
    ground = find_ground(labels, regions, core.noise)
    groups = find_groups(labels, regions, core.noise)
    lines = find_lines(groups, of_any(groups, ground), labels.shape)
    text = _members(groups, regions, lines) & ~ground
    holes = find_holes(labels, regions, groups, ground, text, core.noise)
    return Scene(
        image,
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
        tagline=_members(groups, regions, tagline_of(lines)) & ~holes & ~ground,
        photographic=False,
    )


def _photograph(image: Bytes) -> Scene:
    """One surface that is the whole picture."""
    height, width = image.shape[:2]
    labels = np.zeros((height, width), np.int32)
    nothing = np.zeros(0, np.float32)
    nowhere = np.zeros(0, np.int64)
    mix = Mix(nowhere, nowhere, nowhere.reshape(0, 2), nothing.reshape(0, 2), nothing)
    original = Paint(image, np.zeros((0, 4), np.uint8))
    box = np.array([[0, 0, width, height, height * width]], np.int32)
    sample = take_sample(labels, mix, box)
    regions = measure(original, labels, mix, sample, box, box[:0])
    none = np.zeros(1, np.bool_)
    return Scene(
        image,
        original,
        labels,
        mix,
        sample,
        regions,
        find_groups(labels, regions, 0),
        0,
        (),
        background=none,
        text=none,
        tagline=none,
        photographic=True,
    )


def _dominant(core: Core, mix: Mix) -> Indices:
    """The label map with every mixed pixel given to the surface that holds most of it."""
    labels = core.labels
    sources = source_regions(labels, mix, len(core.boxes))
    most = np.take_along_axis(sources, mix.weight.argmax(axis=1)[:, None], axis=1)
    labels.ravel()[mix.place] = most[:, 0]
    return labels


def _members(groups: Groups, regions: Regions, lines: list[Line]) -> Flags:
    """The surfaces of some lines of lettering, with the crumbs that touch them."""
    if not lines:
        return np.zeros(groups.of.size, np.bool_)
    members = np.isin(groups.of, np.concatenate([line.groups for line in lines]))
    one, other = groups.touching[:, 0], groups.touching[:, 1]
    crumb = regions.area <= _CRUMB_PX
    joined = members.copy()
    joined[one[crumb[one] & members[other]]] = True
    joined[other[crumb[other] & members[one]]] = True
    return joined


def _straight(inks: Floats) -> Bytes:
    if inks.shape[1] == 3:
        inks = np.concatenate([inks, np.full((inks.shape[0], 1), 255, np.float32)], axis=1)
    return straighten(inks)
