"""Measure the noise of an image, take it away where there is some, and tell photographs."""

from __future__ import annotations

import cv2
import numpy as np

from service.engines.embedded.colour import Bytes, Floats

_EDGE_LEVELS = 40
_RING_PX, _RIM_PX = 13, 5
_RING_PERCENTILE = 75
_AREA_PERCENTILE = 60
_NOISY_LEVELS = 3
_NOISIEST_LEVELS = 16
_REACH = 9
_STRENGTH = 4.0
_TEXTURE_LEVELS = 2
_TEXTURED = 0.4  # of the pixels
_SOME_TEXTURE = 0.1
_MANY_COLOURS = 150


def steps(surface: Bytes, width_px: int = 3) -> Bytes:
    """The largest difference between any two pixels in the square about each, over channels."""
    square = np.ones((width_px, width_px), np.uint8)
    difference = cv2.subtract(cv2.dilate(surface, square), cv2.erode(surface, square))
    widest, *others = cv2.split(difference)
    for channel in others:
        widest = cv2.max(widest, channel)
    return np.asarray(widest, dtype=np.uint8)


def noise_of(near: Bytes) -> int:
    """The usual step between neighbours where there should be none, in 8-bit levels.

    Looked for in flat areas, and near edges: the ringing of JPEG is nowhere else. `near` is what
    `steps` gives.
    """
    edge = (near > _EDGE_LEVELS).astype(np.uint8)
    ring = cv2.dilate(edge, np.ones((_RING_PX, _RING_PX), np.uint8)) - cv2.dilate(
        edge, np.ones((_RIM_PX, _RIM_PX), np.uint8)
    )
    beside = near[ring > 0]
    noise = float(np.percentile(near[::3, ::3], _AREA_PERCENTILE))
    if beside.size:
        noise = max(noise, float(np.percentile(beside, _RING_PERCENTILE)))
    return min(int(noise), _NOISIEST_LEVELS)


def is_noisy(noise: int) -> bool:
    """Whether there is enough noise to be taken away."""
    return noise >= _NOISY_LEVELS


def denoised(image: Bytes, noise: int) -> Bytes:
    """An opaque image, straight RGBA, with its surfaces smooth and its edges where they were."""
    smooth = cv2.bilateralFilter(
        np.ascontiguousarray(image[..., :3]), _REACH, _STRENGTH * noise, _REACH / 3
    )
    return np.dstack([smooth, image[..., 3]]).astype(np.uint8)


def is_photograph(surface: Bytes, near: Bytes) -> bool:
    """Whether texture is everywhere, or many colours with some texture: then no shape is flat."""
    textured = float((near > _TEXTURE_LEVELS).mean())
    if textured > _TEXTURED:
        return True
    return textured > _SOME_TEXTURE and _many_colours(surface) > _MANY_COLOURS


def _many_colours(surface: Bytes) -> int:
    """How many colours, of 32 levels a channel, it takes to paint nine tenths of the image."""
    coarse = (surface[::2, ::2, :3] >> 3).reshape(-1, 3).astype(np.int32)
    counts = np.bincount(coarse @ np.array([1024, 32, 1], np.int32), minlength=1 << 15)
    running: Floats = np.cumsum(np.sort(counts)[::-1]).astype(np.float32)
    return int(np.searchsorted(running, 0.9 * float(running[-1])))
