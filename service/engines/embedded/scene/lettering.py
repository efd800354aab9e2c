"""Find lines of lettering by the look of their shapes: alike in height, on one line, close by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.engines.embedded.colour import distance
from service.engines.embedded.scene.core import Flags, Indices
from service.engines.embedded.scene.groups import Groups, unite

_LEAST_HEIGHT_PX = 5
_TALLEST = 0.4  # of the image
_WIDEST = 2.2  # of the height
_THICKEST = 0.24  # radius of the fattest place, of the height
_SAME_LINE_COLOUR = 0.08
_HEIGHTS_APART = 0.5
_BASELINES_APART = 0.3
_GAP = 2.0  # of the height
_FEWEST_LETTERS = 3
_SURE_LETTERS = 4
_BAR_FILL = 0.9
_EVEN = 0.03
_ATTACH_BESIDE, _ATTACH_ABOVE = 1.2, 0.4  # of the height
_BASE = 0.14
_ON_BASE = 0.55
_TAGLINE = 0.72  # of the tallest line


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of lettering: its groups, its box as left, top, right, bottom, and in pixels the
    usual height of its letters and the space between them."""

    groups: Indices
    box: tuple[int, int, int, int]
    height: float
    gap: float


def find_lines(groups: Groups, ground: Flags, shape: tuple[int, int]) -> list[Line]:
    """The lines, tallest first. `ground` flags groups."""
    width = groups.boxes[:, 2] - groups.boxes[:, 0]
    height = groups.boxes[:, 3] - groups.boxes[:, 1]
    letter = (
        ~ground
        & (height >= _LEAST_HEIGHT_PX)
        & (height <= _TALLEST * shape[0])
        & (width <= _WIDEST * height)
        & (groups.thickness <= np.maximum(_THICKEST * height, 1.6))
        & (groups.alpha > 0.1)
    )
    chosen = np.flatnonzero(letter).astype(np.int32)
    if chosen.size < _FEWEST_LETTERS or chosen.size > 1500:
        return []
    line_of = unite(chosen.size, _links(groups, chosen))
    lines = []
    for line in range(int(line_of.max()) + 1):
        members = chosen[line_of == line]
        if _reads(groups, members):
            lines.append(_with_marks(groups, members, ground))
    return sorted(lines, key=lambda line: -line.height)


def _links(groups: Groups, chosen: Indices) -> Indices:
    """Pairs of letters (as rows of `chosen`) that stand beside each other."""
    box = groups.boxes[chosen].astype(np.float32)
    height = box[:, 3] - box[:, 1]
    taller = np.maximum(height[:, None], height[None])
    alike = np.abs(height[:, None] - height[None]) <= _HEIGHTS_APART * taller
    bottoms = np.abs(box[:, None, 3] - box[None, :, 3]) <= _BASELINES_APART * taller
    gap = np.maximum(box[:, None, 0], box[None, :, 0]) - np.minimum(
        box[:, None, 2], box[None, :, 2]
    )
    beside = (gap <= _GAP * taller) & (gap >= -0.35 * taller)
    lab = groups.lab[chosen]
    colour = distance(lab[:, None], lab[None]) <= _SAME_LINE_COLOUR
    return np.argwhere(np.triu(alike & bottoms & beside & colour, 1)).astype(np.int32)


def _reads(groups: Groups, members: Indices) -> bool:
    """Whether shapes in a row look like letters rather than like dots, bars or ornaments."""
    if members.size < _FEWEST_LETTERS:
        return False
    box = groups.boxes[members].astype(np.float32)
    width, height = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    area = groups.area[members]
    fill = area / (width * height)
    even = width.std() <= _EVEN * width.mean() and area.std() <= _EVEN * area.mean()
    on_base = np.abs(box[:, 3] - np.median(box[:, 3])) <= _BASE * np.median(height) + 1
    if even or fill.mean() > _BAR_FILL or on_base.mean() < _ON_BASE:
        return False
    if members.size >= _SURE_LETTERS:
        return True
    order = np.argsort(box[:, 0])
    gaps = box[order][1:, 0] - box[order][:-1, 2]
    aspect = float((width / height).mean())
    return bool(gaps.max() <= 0.5 * height.max()) and 0.45 <= aspect <= 1.4


def _with_marks(groups: Groups, members: Indices, ground: Flags) -> Line:
    """The line with its dots, hyphens and full stops."""
    box = groups.boxes[members]
    left, top = int(box[:, 0].min()), int(box[:, 1].min())
    right, bottom = int(box[:, 2].max()), int(box[:, 3].max())
    height = float(np.median(box[:, 3] - box[:, 1]))
    beside, above = _ATTACH_BESIDE * height, _ATTACH_ABOVE * height
    every = groups.boxes
    within = (
        ~ground
        & (every[:, 0] >= left - beside)
        & (every[:, 2] <= right + beside)
        & (every[:, 1] >= top - above)
        & (every[:, 3] <= bottom + above)
        & ((every[:, 3] - every[:, 1]) <= 1.3 * (bottom - top))
        & (distance(groups.lab, groups.lab[members].mean(axis=0)) <= _SAME_LINE_COLOUR)
    )
    within[members] = True
    ordered = box[np.argsort(box[:, 0], kind="stable")]
    gaps = ordered[1:, 0] - ordered[:-1, 2]
    gap = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 0.0
    groups_within = np.flatnonzero(within).astype(np.int32)
    return Line(groups_within, (left, top, right, bottom), height, gap)


def tagline_of(lines: list[Line]) -> list[Line]:
    """The smaller lines beneath a wordmark; none where there is one size only."""
    if len(lines) < 2:
        return []
    return [line for line in lines[1:] if line.height <= _TAGLINE * lines[0].height]
