"""Find the pixels that belong to one surface only, and the surfaces that they form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.colour import Bytes

type Flags = NDArray[np.bool_]
type Indices = NDArray[np.int32]

# Steps between neighbours, in 8-bit levels. Up to STILL nothing is seen of an edge; up to STEEP a
# step may be a steep gradient, if it goes on at the same pace beyond the nearest neighbours.
STILL_LEVELS = 2
STEEP_LEVELS = 7
_NOISE_PERCENTILE = 60
_NOISIEST_LEVELS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """Core pixels and their connected components.

    `labels` is -1 where a pixel is no core; `boxes` are left, top, width, height, area in pixels.
    `noise` is the usual step between neighbours within a surface, in 8-bit levels.
    """

    labels: Indices
    boxes: Indices
    noise: int


def premultiplied(image: Bytes) -> Bytes:
    """The channels by which surfaces differ: RGB of an opaque image, else premultiplied RGBA."""
    alpha = image[..., 3]
    if alpha.min() == 255:
        return np.ascontiguousarray(image[..., :3])
    wide = image.astype(np.uint16)
    wide[..., :3] = (wide[..., :3] * wide[..., 3:] + 127) // 255
    return wide.astype(np.uint8)


def find_core(surface: Bytes) -> Core:
    """The core of a premultiplied image, shape (h, w, 3 or 4)."""
    near = _spread(surface, 3)
    noise = int(np.percentile(near[::3, ::3], _NOISE_PERCENTILE))
    still = max(STILL_LEVELS, min(2 * noise, _NOISIEST_LEVELS))
    core = near <= still
    steep = max(STEEP_LEVELS, still)
    if np.any((near > still) & (near <= steep)):
        wide = _spread(surface, 7).astype(np.uint16)
        pace = near.astype(np.uint16) * 10
        core |= (near <= steep) & (wide * 10 >= 2 * pace) & (wide * 10 <= 5 * pace)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        core.view(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    labels -= 1
    return Core(np.asarray(labels), np.asarray(stats[1:count]), noise)


def _spread(surface: Bytes, width_px: int) -> Bytes:
    """The largest difference between any two pixels in the square about each, over channels."""
    square = np.ones((width_px, width_px), np.uint8)
    difference = cv2.subtract(cv2.dilate(surface, square), cv2.erode(surface, square))
    channels: list[Any] = list(cv2.split(difference))
    widest = channels[0]
    for channel in channels[1:]:
        widest = cv2.max(widest, channel)
    return np.asarray(widest, dtype=np.uint8)
