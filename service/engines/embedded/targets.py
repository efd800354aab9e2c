"""Find the surfaces of a scene that a target means."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.families import members
from service.engines.embedded.nouns import is_middle, place_noun
from service.engines.embedded.plan import Part, Target
from service.engines.embedded.scene.core import Flags

_SMALL_DOT = 0.004  # of the image
_ROUND = 0.7
_FULL = 0.55
_SHADE = 0.06
_LARGE = 0.0005
_LINE = 0.016  # of the shorter side: the half-width of what a person calls a line


def select(canvas: Canvas, target: Target) -> Flags:
    """One flag a surface. All false when the image has nothing of the kind."""
    seen = canvas.alphas() > 0.02
    chosen = _of_part(canvas, target.part)
    if target.part is not Part.BACKGROUND:
        chosen &= seen & (canvas.scene.regions.area > 0)
    if target.noun is not None:
        icon = ~canvas.scene.background & ~canvas.scene.text
        among = chosen & icon if (chosen & icon).any() else chosen
        placed = place_noun(canvas, target.noun, among)
        if placed.any() or target.part is Part.IMAGE or is_middle(target.noun):
            chosen = placed if target.colour is None or placed.any() else among
    if target.colour is not None:
        rows = np.flatnonzero(chosen & seen)
        chosen = np.zeros(len(seen), np.bool_)
        chosen[rows[members(canvas.colours()[rows], target.colour)]] = True
    heirs = canvas.scene.heirs
    return chosen if heirs is None else chosen[heirs]


def _of_part(canvas: Canvas, part: Part) -> Flags:
    scene = canvas.scene
    if scene.photographic:
        return np.full(1, part in (Part.IMAGE, Part.ARTWORK))
    artwork = ~scene.background
    icon = artwork & ~scene.text
    simple: dict[Part, Flags] = {
        Part.IMAGE: np.ones(len(scene.regions), np.bool_),
        Part.ARTWORK: artwork,
        Part.BACKGROUND: scene.background,
        Part.TEXT: scene.text,
        Part.TAGLINE: scene.tagline,
        Part.ICON: icon,
    }
    if part in simple:
        return simple[part].copy()
    if part is Part.DOTS:
        return np.asarray(icon & _round_specks(canvas))
    if part is Part.OUTLINE:
        return np.asarray(icon & _lines(canvas))
    return _extreme(canvas, artwork, darkest=part is Part.DARKEST)


def _round_specks(canvas: Canvas) -> Flags:
    """Small shapes that are about as wide as high and nearly as full as a disc."""
    groups = canvas.scene.groups
    width = groups.boxes[:, 2] - groups.boxes[:, 0]
    height = groups.boxes[:, 3] - groups.boxes[:, 1]
    size = canvas.scene.height * canvas.scene.width
    square = np.minimum(width, height) >= _ROUND * np.maximum(width, height)
    full = groups.area >= _FULL * width * height
    specks = square & full & (groups.area <= _SMALL_DOT * size) & (groups.area > 0)
    return np.asarray(specks[groups.of])


def _lines(canvas: Canvas) -> Flags:
    """Shapes that are long and thin: strokes, rings, borders."""
    groups = canvas.scene.groups
    extent = np.maximum(
        groups.boxes[:, 2] - groups.boxes[:, 0], groups.boxes[:, 3] - groups.boxes[:, 1]
    )
    thin = groups.thickness <= _LINE * min(canvas.scene.height, canvas.scene.width)
    return np.asarray((thin & (extent >= 6 * groups.thickness))[groups.of])


def _extreme(canvas: Canvas, artwork: Flags, *, darkest: bool) -> Flags:
    lightness = canvas.colours()[:, 0]
    regions = canvas.scene.regions
    large = artwork & (regions.area >= _LARGE * canvas.scene.height * canvas.scene.width)
    if not large.any():
        return artwork
    if darkest:
        return np.asarray(artwork & (lightness <= lightness[large].min() + _SHADE))
    return np.asarray(artwork & (lightness >= lightness[large].max() - _SHADE))
