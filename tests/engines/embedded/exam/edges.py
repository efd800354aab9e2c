"""Check what nobody asks for and everybody sees: halos at edges, and text that is lost."""

from __future__ import annotations

import cv2
import numpy as np

from tests.engines.embedded.exam.redrawn import premultiplied, redrawn
from tests.engines.embedded.exam.sight import GROUND, Floats, Picture, Sight

_HALO = 0.012  # of full scale, beyond what the picture had before
_LEGIBLE = 0.75
_CONTRAST = 0.06  # of OKLab
_LOST = 0.5


def halo_fault(sight: Sight) -> str | None:
    """Whether edges show other colours than those of the two sides, for shapes that have not moved.

    What differs along the edges from the picture drawn again with perfect ones is the halo.
    """
    before, after = _halo(sight, sight.before), _halo(sight, sight.after)
    return None if after < before + _HALO else f"halo of {after:.3f}, before {before:.3f}"


def _halo(sight: Sight, picture: Picture) -> float:
    band = np.zeros(sight.before.shape[:2], np.bool_)
    for name in (GROUND, *sight.layers):
        coverage = sight.coverage(name)
        band |= (coverage > 0.02) & (coverage < 0.98)
    if not band.any():
        return 0.0
    return float(np.abs(redrawn(sight, picture) - premultiplied(picture))[band].mean())


def text_fault(sight: Sight, name: str) -> str | None:
    """Whether lettering can no longer be told from what is around it, or has lost its shape."""
    coverage = sight.coverage(name)
    near = cv2.dilate(coverage, np.ones((13, 13), np.uint8)) > 0.1
    before, after = (_distinct(sight, picture, name) for picture in (sight.before, sight.after))
    core = sight.solid(name)
    was, now = (float(np.median(distance[core])) for distance in (before, after))
    if now < min(_CONTRAST, _LOST * was):
        return f"{name} cannot be read: contrast {was:.3f} → {now:.3f}"
    alike = float(np.corrcoef(after[near], coverage[near])[0, 1])
    could = float(np.corrcoef(before[near], coverage[near])[0, 1])
    return None if alike > min(_LEGIBLE, could - 0.05) else f"{name} lost its shape: {alike:.2f}"


def _distinct(sight: Sight, picture: Picture, name: str) -> Floats:
    """How far every pixel is from the colour beside some lettering, OKLab and opacity."""
    lab = sight.before_lab if picture is sight.before else sight.after_lab
    alpha = picture[..., 3:].astype(np.float32) / np.float32(255)
    # What is transparent is seen on something that is not: white or black, whichever is worse
    # for the lettering would be a demand that no picture meets, so opacity counts by itself.
    both = np.concatenate([lab * alpha, alpha], axis=2)
    beside = np.median(both[sight.beside(name)], axis=0)
    return np.asarray(np.linalg.norm(both - beside, axis=2), dtype=np.float32)
