"""Work on antialiased masks and premultiplied pictures: offsets, warps, composition."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.colour import Bytes, Floats
from service.engines.embedded.scene.model import premultiply, straighten

_FINE = 4
_LARGE_PX = 640


def signed_distance(mask: Floats) -> tuple[Floats, int]:
    """Distance in pixels to the edge of an antialiased mask (inside negative), on a finer grid.

    The grid is `n` times finer (the second value), so that the edge is found between pixels.
    """
    fine = _FINE if max(mask.shape) <= _LARGE_PX else _FINE // 2
    size = (mask.shape[1] * fine, mask.shape[0] * fine)
    inside = (cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR) >= 0.5).astype(np.uint8)
    outer = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inner = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray((outer - inner) / np.float32(fine), dtype=np.float32), fine


def coverage_within(distance: Floats, fine: int, offset_px: float) -> Floats:
    """The antialiased mask of all that lies within `offset_px` of the edge, negative is inside."""
    sharp = np.clip(0.5 + (offset_px - distance) * fine, 0, 1)
    size = (distance.shape[1] // fine, distance.shape[0] // fine)
    return np.asarray(cv2.resize(sharp, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def offset_mask(mask: Floats, offset_px: float) -> Floats:
    """The mask grown by `offset_px` on every side, or shrunk where that is negative."""
    distance, fine = signed_distance(mask)
    return coverage_within(distance, fine, offset_px)


def half_width(mask: Floats) -> float:
    """Half the usual width, in pixels, of the strokes of a mask: its area over its rim."""
    rim = np.hypot(
        cv2.Sobel(mask, cv2.CV_32F, 1, 0, scale=0.125),
        cv2.Sobel(mask, cv2.CV_32F, 0, 1, scale=0.125),
    )
    return float(mask.sum()) / max(float(rim.sum()), 1e-6)


def thickened(mask: Floats, offset_px: float) -> Floats:
    """The mask grown by `offset_px` without asking where its edge is: for hairlines, whose
    pixels hold too little of them for an edge."""
    size = (mask.shape[1] * _FINE, mask.shape[0] * _FINE)
    fine = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)
    reach = max(1, round(offset_px * _FINE))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    grown = cv2.resize(
        cv2.dilate(fine, disc), (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_AREA
    )
    return np.asarray(grown, dtype=np.float32)


def pieces(mask: Floats) -> tuple[int, int]:
    """How many shapes a mask has, and how many holes and gaps its ground falls into."""
    inside = (mask >= 0.5).astype(np.uint8)
    shapes = cv2.connectedComponents(inside, connectivity=8)[0]
    return int(shapes), int(cv2.connectedComponents(1 - inside, connectivity=4)[0])


def over(base: Bytes, paint: Bytes, mask: Floats) -> Bytes:
    """`paint` over `base`, both straight RGBA, where the mask says so."""
    at = np.flatnonzero(mask > 0)
    result = base.copy()
    part = mask.ravel()[at][:, None]
    below = premultiply(base.reshape(-1, 4)[at])
    above = premultiply(paint.reshape(-1, 4)[at])
    result.reshape(-1, 4)[at] = straighten(below * (1 - part) + above * part)
    return result


def composed(base: Bytes, layer: Floats) -> Bytes:
    """A premultiplied layer in levels, shape (h, w, 4), over a straight picture."""
    at = np.flatnonzero(layer[..., 3] > 0)
    result = base.copy()
    above = layer.reshape(-1, 4)[at]
    below = premultiply(base.reshape(-1, 4)[at])
    mixed = below * (1 - above[:, 3:] / 255) + above
    result.reshape(-1, 4)[at] = straighten(mixed)
    return result


def warped(layer: Floats, matrix: NDArray[np.float64], size: tuple[int, int]) -> Floats:
    """A premultiplied layer through a 2 × 3 affine map of pixel centres, onto (width, height).

    Shrinking filters first, so that fine lines thin out instead of breaking up.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.9:
        sigma = 0.45 * (1 / scale - 1) ** 0.5 / scale**0.5
        layer = np.asarray(cv2.GaussianBlur(layer, (0, 0), max(sigma, 0.2)), dtype=np.float32)
    moved = cv2.warpAffine(layer, matrix, size, flags=cv2.INTER_CUBIC, borderValue=(0, 0, 0, 0))
    alpha = np.clip(moved[..., 3:], 0, 255)
    moved[..., 3:] = alpha
    moved[..., :3] = np.clip(moved[..., :3], 0, alpha)
    return np.asarray(moved, dtype=np.float32)
