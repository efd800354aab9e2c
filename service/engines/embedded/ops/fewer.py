"""Bring an image to fewer colours: a number of them, named ones, two, or none graded."""

from __future__ import annotations

import itertools

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, ColourMap, Floats, chroma, contrast, oklab
from service.engines.embedded.ops.base import CannotApply, Done, named, share
from service.engines.embedded.ops.recolour import called
from service.engines.embedded.ops.simplify import distinct_colours, flattened_gradients
from service.engines.embedded.ops.two_tone import carved, inked_groups
from service.engines.embedded.palette import cluster
from service.engines.embedded.plan import Colour, Edit
from service.engines.embedded.scene.core import Flags, Indices

_FEWEST = 1
_SHOWS = 1.5  # contrast ratio
# Two hues differ more to people than two shades of one.
_HUE_FIRST = np.array([1, 2.2, 2.2], np.float32)
_SAME = 0.02
_LEAST_SHARE = 0.00005
_PAPER, _PAPER_TINT = 0.97, 0.01


def limit_palette(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Only the named colours, or the number of colours asked for, or a third fewer."""
    if edit.colours:
        return _only(canvas, edit.colours)
    free = chosen & ~canvas.scene.background
    before = distinct_colours(canvas, free)
    paper = _counts_as_colour(canvas)
    wanted = max(2, round(before * 0.6)) if edit.count is None else edit.count - paper
    if before <= wanted:
        enough = f"The image has no more than {before + paper} colours already."
        raise CannotApply("limit", enough, fulfilled=True)
    merged = _merged_to(canvas, free, max(_FEWEST, wanted))
    left = distinct_colours(merged, free)
    measured = {
        "colours_before": float(before),
        "colours_after": float(left),
        "area": share(canvas, free),
    }
    white = "The white or clear background is not counted as a colour."
    note = () if edit.count is None or paper else (white,)
    after = carved(merged, canvas, free)
    return Done(after, f"Reduced {before + paper} colours to {left + paper}", measured, note)


def _counts_as_colour(canvas: Canvas) -> int:
    """1 where the ground is an ink as well; paper and clear grounds are none."""
    ground = canvas.scene.background & (canvas.alphas() > 0.1)
    if not ground.any():
        return 0
    return int(canvas.colours()[ground, 0].max() < _PAPER or bool(_tinted(canvas, ground)))


def _tinted(canvas: Canvas, ground: Flags) -> bool:
    return bool(chroma(canvas.colours()[ground]).max() > _PAPER_TINT)


def _merged_to(canvas: Canvas, chosen: Flags, count: int) -> Canvas:
    """The chosen surfaces in `count` colours, each the colour of the largest that it stands for."""
    flat = flattened_gradients(canvas, chosen)[0]
    rows, number = _clusters(flat, chosen, count)
    table = np.rint(flat.means).astype(np.uint8)
    area = canvas.scene.regions.area
    for c in range(int(number.max()) + 1):
        members = rows[number == c]
        table[members] = table[members[np.argmax(area[members])]]
    merged = np.zeros(len(chosen), np.bool_)
    merged[rows] = True
    return flat.painted(merged, table)


def _clusters(canvas: Canvas, chosen: Flags, count: int) -> tuple[Indices, Indices]:
    scene = canvas.scene
    rows = np.flatnonzero(chosen & (scene.regions.area > 0) & (canvas.alphas() > 0.1))
    lab = canvas.colours()[rows] * _HUE_FIRST
    return rows.astype(np.int32), cluster(lab, scene.regions.area[rows], at_most=count)


def _only(canvas: Canvas, colours: tuple[Colour, ...]) -> Done:
    """Every surface in one of the named colours: the ground in the nearest, the rest by rank."""
    scene = canvas.scene
    rgb = np.array([colour.rgb for colour in colours], np.uint8)
    lab = oklab(rgb)
    ground = scene.background & (canvas.alphas() > 0.1)
    table = np.rint(canvas.means).astype(np.uint8)
    paper = -1
    if ground.any():
        level = float(np.average(canvas.colours()[ground, 0], weights=scene.regions.area[ground]))
        paper = int(np.argmin(np.abs(lab[:, 0] - level)))
        table[ground, :3] = rgb[paper]
    free = ~scene.background & (scene.regions.area > 0) & (canvas.alphas() > 0.1)
    inks = [i for i in range(len(colours)) if i != paper]
    if len(inks) == 1 and paper >= 0:
        inked = inked_groups(canvas)[scene.groups.of] & free
        table[free, :3] = np.where(inked[free, None], rgb[inks[0]], rgb[paper])
    else:
        _rank(canvas, free, table, rgb, lab)
    after = carved(canvas.painted(ground | free, table), canvas, free)
    names = " and ".join(called(colour) for colour in colours)
    measured = {"colours_after": float(len(colours)), "area": share(canvas, ground | free)}
    return Done(after, f"Used only {names}", measured)


def _rank(canvas: Canvas, free: Flags, table: Bytes, rgb: Bytes, lab: Floats) -> None:
    """Give the free surfaces the named colours that fit them best, each colour used."""
    rows, number = _clusters(canvas, free, len(rgb))
    area = canvas.scene.regions.area
    count = int(number.max()) + 1
    own = np.stack(
        [
            np.average(canvas.colours()[rows[number == c]], axis=0, weights=area[rows[number == c]])
            for c in range(count)
        ]
    )
    cost = np.abs(own[:, None, 0] - lab[None, :, 0]) + 0.5 * np.linalg.norm(
        own[:, None, 1:] - lab[None, :, 1:], axis=2
    )
    orders = list(itertools.islice(itertools.permutations(range(len(rgb)), count), 5040))
    best = min(
        orders, key=lambda order: (float(sum(cost[i, j] for i, j in enumerate(order))), order)
    )
    for c in range(count):
        table[rows[number == c], :3] = rgb[best[c]]


def duotone(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Shades between two colours: the dark one for the darks, the light one for the lights."""
    free = chosen & ~canvas.scene.background
    if not free.any():
        raise CannotApply("not_in_image", "No artwork was found apart from the background.")
    pair = _pair(canvas, edit, free)
    dark, light = sorted(pair, key=lambda rgb: float(oklab(np.array(rgb, np.uint8))[0]))
    lightness = canvas.colours()[free, 0]
    area = canvas.scene.regions.area[free]
    large = area >= _LEAST_SHARE * canvas.scene.height * canvas.scene.width
    low, high = (
        (float(lightness[large].min()), float(lightness[large].max()))
        if large.any()
        else (0.0, 1.0)
    )
    ends = oklab(np.array([dark, light], np.uint8))
    reach = _reach(canvas, np.array([dark, light], np.uint8))
    after = canvas.changed(free, _between(ends, (low, max(high, low + 0.05)), reach))
    measured = {"colours_after": 2.0, "area": share(canvas, free)}
    names = " and ".join(_hex(rgb) for rgb in (dark, light))
    return Done(after, f"Turned {named(edit.target)} to a duotone of {names}", measured)


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _pair(canvas: Canvas, edit: Edit, free: Flags) -> list[tuple[int, int, int]]:
    given = [colour.rgb for colour in (edit.to, edit.to2) if colour is not None]
    if len(given) == 2:
        return given
    rows, number = _clusters(canvas, free, 2)
    area = canvas.scene.regions.area
    main = [rows[number == c] for c in range(int(number.max()) + 1)]
    own = [canvas.means[m[np.argmax(area[m])], :3].astype(int).tolist() for m in main]
    given += [(r, g, b) for r, g, b in own]
    if len(given) < 2:
        given.append((255, 255, 255))
    return given[:2]


def _reach(canvas: Canvas, ends: Bytes) -> tuple[float, float]:
    """How far toward each of two colours artwork may go before the ground swallows it."""
    ground = canvas.scene.background & (canvas.alphas() > 0.5)
    if not ground.any():
        return 0.0, 1.0
    paper = np.rint(np.median(canvas.rgb()[ground], axis=0))
    dark, light = (float(ratio) for ratio in contrast(ends, paper))
    return (0.5 if dark < _SHOWS else 0.0), (0.55 if light < _SHOWS and dark >= _SHOWS else 1.0)


def _between(ends: Floats, range_: tuple[float, float], reach: tuple[float, float]) -> ColourMap:
    """From the first colour at the low end of a range of lightness to the second at the high."""

    def change(lab: Floats) -> Floats:
        part = np.clip((lab[:, :1] - range_[0]) / (range_[1] - range_[0]), 0, 1)
        part = reach[0] + part * (reach[1] - reach[0])
        return np.asarray(ends[0] * (1 - part) + ends[1] * part, dtype=np.float32)

    return change


def flatten(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Every graded surface in its mean colour; shapes that would melt together get a gap."""
    after, count = flattened_gradients(canvas, chosen)
    if not count:
        missing = f"There is no gradient in {named(edit.target)}."
        raise CannotApply("not_in_image", missing, fulfilled=True)
    after = carved(after, canvas, chosen & ~canvas.scene.background)
    measured = {"surfaces_flattened": float(count), "area": share(canvas, chosen)}
    return Done(after, f"Made the gradients of {named(edit.target)} flat", measured)
