"""Draw a picture again from the layers' coverage and the colours that it shows away from edges."""

from __future__ import annotations

import cv2
import numpy as np

from tests.engines.embedded.exam.sight import GROUND, Flags, Floats, Picture, Sight


def premultiplied(picture: Picture) -> Floats:
    """Straight 8-bit RGBA as premultiplied floats, 0–1."""
    wide = picture.astype(np.float32) / np.float32(255)
    wide[..., :3] *= wide[..., 3:]
    return wide


def redrawn(sight: Sight, picture: Picture, without: str | None = None) -> Floats:
    """What a picture of unmoved shapes would be if all edges were perfect, premultiplied."""
    assert sight.logo is not None
    seen = premultiplied(picture)
    drawn = np.zeros_like(seen)
    for name in (GROUND, *sight.layers):
        if name == without or not sight.coverage(name).any():
            continue
        coverage = sight.coverage(name, without)
        drawn += _spread(seen, sight.solid(name)) * coverage[..., None]
    return drawn


def _spread(colours: Floats, where: Flags) -> Floats:
    """Every pixel in the colour of the nearest pixel of some."""
    if not where.any():
        return colours
    _, labels = cv2.distanceTransformWithLabels(
        (~where).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    palette = np.zeros((int(labels.max()) + 1, colours.shape[2]), np.float32)
    palette[labels[where]] = colours[where]
    return np.asarray(palette[labels])
