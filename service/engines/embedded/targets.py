"""Find the surfaces of a scene that a target means."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.families import members
from service.engines.embedded.plan import Part, Target
from service.engines.embedded.scene.core import Flags

_SMALL_DOT = 0.004  # of the image
_ROUND = 0.7
_SHADE = 0.06


def select(canvas: Canvas, target: Target) -> Flags:
    """One flag a surface. All false when the image has nothing of the kind."""
    scene = canvas.scene
    seen = canvas.alphas() > 0.02
    if target.noun is not None:
        return np.zeros(len(seen), np.bool_)
    chosen = _of_part(canvas, target.part)
    if target.part is not Part.BACKGROUND:
        chosen &= seen
    if target.colour is not None:
        rows = np.flatnonzero(chosen & seen & (scene.regions.area > 0))
        chosen = np.zeros(len(seen), np.bool_)
        chosen[rows[members(canvas.colours()[rows], target.colour)]] = True
    return chosen


def _of_part(canvas: Canvas, part: Part) -> Flags:
    scene = canvas.scene
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
        return np.asarray(icon & round_specks(canvas))
    if part is Part.OUTLINE:
        return np.zeros(len(scene.regions), np.bool_)
    return _extreme(canvas, artwork, darkest=part is Part.DARKEST)


def round_specks(canvas: Canvas) -> Flags:
    """Small shapes that are about as wide as high and nearly as full as a disc."""
    regions = canvas.scene.regions
    width = regions.boxes[:, 2] - regions.boxes[:, 0]
    height = regions.boxes[:, 3] - regions.boxes[:, 1]
    size = canvas.scene.height * canvas.scene.width
    square = np.minimum(width, height) >= _ROUND * np.maximum(width, height)
    full = regions.area >= 0.55 * width * height
    return np.asarray(square & full & (regions.area <= _SMALL_DOT * size) & (regions.area > 0))


def _extreme(canvas: Canvas, artwork: Flags, *, darkest: bool) -> Flags:
    lightness = canvas.colours()[:, 0]
    regions = canvas.scene.regions
    large = artwork & (regions.area >= 0.0005 * canvas.scene.height * canvas.scene.width)
    if not large.any():
        return artwork
    if darkest:
        return np.asarray(artwork & (lightness <= lightness[large].min() + _SHADE))
    return np.asarray(artwork & (lightness >= lightness[large].max() - _SHADE))
