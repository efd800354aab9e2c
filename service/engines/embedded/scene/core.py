"""Find the pixels that belong to one surface only, and the surfaces that they form."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.colour import Bytes
from service.engines.embedded.scene.noise import steps

type Flags = NDArray[np.bool_]
type Indices = NDArray[np.int32]

# Steps between neighbours, in 8-bit levels. Up to STILL nothing is seen of an edge; up to STEEP a
# step may be a steep gradient, if it goes on at the same pace beyond the nearest neighbours.
STILL_LEVELS = 2
STEEP_LEVELS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """Core pixels and their connected components.

    `labels` is -1 where a pixel is no core; `boxes` are left, top, width, height, area in pixels.
    `noise` is the usual step between neighbours where there should be none, in 8-bit levels.
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


def find_core(surface: Bytes, near: Bytes, noise: int) -> Core:
    """The core of a premultiplied image, shape (h, w, 3 or 4); `near` is its `steps`."""
    still = max(STILL_LEVELS, 2 * noise)
    core = near <= still
    steep = max(STEEP_LEVELS, still)
    if np.any((near > still) & (near <= steep)):
        wide = steps(surface, 7).astype(np.uint16)
        pace = near.astype(np.uint16) * 10
        core |= (near <= steep) & (wide * 10 >= 2 * pace) & (wide * 10 <= 5 * pace)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        core.view(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    labels -= 1
    return Core(np.asarray(labels), np.asarray(stats[1:count]), noise)
