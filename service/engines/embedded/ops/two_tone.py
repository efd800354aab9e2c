"""Bring an image to one ink on its ground, so that every shape can still be told from the next."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, Floats, contrast, distance, hex_of, oklab
from service.engines.embedded.ops.base import CannotApply, Done, share
from service.engines.embedded.ops.recolour import called
from service.engines.embedded.plan import Edit
from service.engines.embedded.scene.core import Flags, Indices

_FAINT = 0.11
_STRONG = 2.2
_GAP = 0.006  # of the shorter side
_TOLD_APART = 0.045
_MELTED = 0.02
_SWEEPS = 4
_NO_ARTWORK = "No artwork was found apart from the background."
_BLACK, _WHITE = (0, 0, 0, 255), (255, 255, 255, 255)


def black_and_white(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Black ink on white, or white on black where the ground is dark; see-through grounds stay."""
    del edit, chosen
    ground = _ground(canvas)
    dark = ground[3] > 0 and float(oklab(np.array(ground[:3], np.uint8))[0]) < 0.5
    paper = _BLACK if dark else _WHITE
    ink = _WHITE if dark else _BLACK
    summary = "Turned the artwork to plain " + ("white on black" if dark else "black on white")
    return _print(canvas, ink, paper if ground[3] > 0 else ground, summary)


def one_colour(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """All artwork in one ink, `edit.to` or its own main colour, on the ground as it is."""
    if edit.to is not None:
        ink = (*edit.to.rgb, 255)
        name = called(edit.to)
    else:
        ink = _main_ink(canvas, chosen)
        name = f"its main colour ({hex_of(ink[:3])})"
    ground = _ground(canvas)
    return _print(canvas, ink, ground, f"Turned the artwork to one colour, {name}")


def _print(
    canvas: Canvas,
    ink: tuple[int, int, int, int],
    paper: tuple[int, int, int, int],
    summary: str,
) -> Done:
    scene = canvas.scene
    inked = inked_groups(canvas)[scene.groups.of] & ~scene.background
    if not inked.any():
        raise CannotApply("not_in_image", _NO_ARTWORK)
    table = np.tile(np.array(paper, np.uint8), (len(scene.regions), 1))
    table[inked] = ink
    printed = carved(canvas.painted(np.ones(len(inked), np.bool_), table), canvas, inked)
    return Done(printed, summary, {"area": share(canvas, inked), "inks": 1.0})


def _ground(canvas: Canvas) -> tuple[int, int, int, int]:
    """The straight RGBA of the ground; white where none was found."""
    scene = canvas.scene
    if not scene.background.any():
        return _WHITE
    first = int(np.argmax(np.where(scene.background, scene.regions.area, -1)))
    red, green, blue, alpha = np.rint(canvas.means[first]).astype(int).tolist()
    return red, green, blue, alpha


def _main_ink(canvas: Canvas, chosen: Flags) -> tuple[int, int, int, int]:
    """The colour of most of the artwork that is seen well on the ground."""
    scene = canvas.scene
    visible = chosen & ~scene.background
    if not visible.any():
        raise CannotApply("not_in_image", _NO_ARTWORK)
    ground = _ground(canvas)
    paper = np.array(ground[:3] if ground[3] > 0 else _WHITE[:3], np.uint8)
    strong = visible & (contrast(np.rint(canvas.rgb()), paper) >= _STRONG)
    if strong.any():
        visible = strong
    elif not visible.any():
        visible = ~scene.background
    areas = np.zeros(len(scene.groups))
    np.add.at(areas, scene.groups.of[visible], scene.regions.area[visible])
    rows = np.flatnonzero(visible & (scene.groups.of == int(np.argmax(areas))))
    red, green, blue = canvas.means[rows[np.argmax(scene.regions.area[rows])], :3].astype(int)
    return int(red), int(green), int(blue), 255


def inked_groups(canvas: Canvas) -> Flags:
    """Which groups become ink: those that stand on paper, and what is told apart by turns inward.

    A cut of the graph of touching groups: two that touch and differ want to be different, the
    more the longer their border; what the ground hardly shows is paper.
    """
    scene = canvas.scene
    groups = scene.groups
    lab = _group_colours(canvas)
    ground = np.zeros(len(groups), np.bool_)
    ground[groups.of[scene.background]] = True
    pull = _pull(canvas, lab)
    inked = np.zeros(len(groups), np.bool_)
    known = ground.copy()
    while not known.all():
        reach = np.where(known, -1.0, pull[:, known].sum(axis=1))
        group = int(np.argmax(reach))
        paper = pull[group, known & ~inked].sum()
        ink = pull[group, known & inked].sum()
        inked[group] = paper >= ink and paper > 0
        known[group] = True
    free = ~ground
    for _ in range(_SWEEPS):
        for member in np.flatnonzero(free):
            inked[member] = pull[member, ~inked].sum() > pull[member, inked].sum()
    return inked & ~ground


def _group_colours(canvas: Canvas) -> Floats:
    scene = canvas.scene
    weight = scene.regions.area + np.float32(1e-3)
    lab = canvas.colours()
    count = len(scene.groups)
    total = np.bincount(scene.groups.of, weight, count)
    columns = [np.bincount(scene.groups.of, weight * lab[:, c], count) / total for c in range(3)]
    return np.stack(columns, axis=1).astype(np.float32)


def _pull(canvas: Canvas, lab: Floats) -> NDArray[np.float64]:
    """How much each two groups want to differ: border times visible difference, symmetric."""
    scene = canvas.scene
    groups = scene.groups
    pull = np.zeros((len(groups), len(groups)))
    one, other = groups.of[groups.touching[:, 0]], groups.of[groups.touching[:, 1]]
    alpha = canvas.alphas()
    faint = np.abs(alpha[groups.touching[:, 0]] - alpha[groups.touching[:, 1]]) < 0.5
    gap = np.where(faint, distance(lab[one], lab[other]), 1.0)
    strength = groups.border * np.where(gap > _FAINT, gap, 0.1 * gap)
    np.add.at(pull, (one, other), strength)
    np.add.at(pull, (other, one), strength)
    np.fill_diagonal(pull, 0)
    return pull


def carved(canvas: Canvas, before: Canvas, chosen: Flags) -> Canvas:
    """The canvas with thin gaps where chosen shapes, apart before, would melt together."""
    groups = canvas.scene.groups
    old, new = before.colours(), canvas.colours()
    one, other = groups.touching[:, 0], groups.touching[:, 1]
    melted = (
        chosen[one]
        & chosen[other]
        & (groups.of[one] != groups.of[other])
        & (distance(old[one], old[other]) > _TOLD_APART)
        & (distance(new[one], new[other]) < _MELTED)
    )
    if not melted.any():
        return canvas
    gaps = _gaps(canvas, np.stack([groups.of[one[melted]], groups.of[other[melted]]], axis=1))
    return canvas.redrawn(_mixed(canvas.image, _ground(canvas), gaps))


def _gaps(canvas: Canvas, pairs: Indices) -> Floats:
    """Coverage of thin bands along the borders between the groups of each pair."""
    scene = canvas.scene
    width = max(1.5, _GAP * min(scene.height, scene.width))
    gaps = np.zeros((scene.height, scene.width), np.float32)
    for a, b in np.unique(np.sort(pairs, axis=1), axis=0).tolist():
        near = _common_window(scene.groups.boxes[[a, b]], int(3 * width) + 2)
        first = np.ascontiguousarray(scene.coverage(scene.groups.of == a)[near])
        second = np.ascontiguousarray(scene.coverage(scene.groups.of == b)[near])
        gaps[near] = np.maximum(gaps[near], _band(first, second, width))
    return gaps


def _common_window(boxes: Indices, reach_px: int) -> tuple[slice, slice]:
    """The rows and columns that two boxes share, with a margin."""
    left, top = np.maximum(boxes[:, :2].max(axis=0) - reach_px, 0)
    right, bottom = boxes[:, 2:].min(axis=0) + reach_px
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def _band(first: Floats, second: Floats, width: float) -> Floats:
    """A smooth antialiased band of `width` pixels along the border between two masks."""
    sigma = width * 0.6
    product = cv2.GaussianBlur(first, (0, 0), sigma) * cv2.GaussianBlur(second, (0, 0), sigma)
    half = width / 2 / sigma
    inside = 0.5 * (1 + math.erf(half / math.sqrt(2)))
    level = inside * (1 - inside)
    slope = np.hypot(
        cv2.Sobel(product, -1, 1, 0, scale=0.125), cv2.Sobel(product, -1, 0, 1, scale=0.125)
    )
    return np.clip((product - level) / np.maximum(slope, 1e-3) + 0.5, 0, 1).astype(np.float32)


def _mixed(image: Bytes, paper: tuple[int, int, int, int], cover: Floats) -> Bytes:
    at = np.flatnonzero(cover)
    part = cover.ravel()[at][:, None]
    result = image.copy()
    flat = result.reshape(-1, 4)
    old = flat[at].astype(np.float32)
    flat[at, :3] = np.rint(old[:, :3] * (1 - part) + np.array(paper[:3]) * part)
    flat[at, 3:] = np.rint(old[:, 3:] * (1 - part) + paper[3] * part)
    if paper[3] == 0:
        flat[at, :3] = old[:, :3].astype(np.uint8)
    return result
