"""Carry transparency past a model that has none: a plain colour behind, taken out afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.colour import Bytes, distance, hex_of, oklab
from service.engines.painting.colours import visible_colours

type Mask = NDArray[np.bool_]

# What models leave alone comes first: coloured screens tint what they draw.
_COLOURS: tuple[tuple[int, int, int], ...] = (
    (255, 255, 255),
    (24, 24, 24),
    (128, 128, 128),
    (0, 177, 64),
    (255, 0, 255),
)
_FAR = 0.2  # in OKLab: no artwork near enough to be taken for the backdrop
_NEAR_LEVELS = 28
_LEAST_RING = 0.6
_RING_PX = 2
_EDGE_PX = 2
_LEAST_SEEN = 0.0005
_CLEAR = 128


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A plain colour, 0–255 a channel."""

    red: int
    green: int
    blue: int

    @property
    def code(self) -> str:
        """`#rrggbb`, as instructions name it."""
        return hex_of((self.red, self.green, self.blue))


def backdrop_for(image: Bytes) -> Backdrop:
    """A colour that nothing visible in straight RGBA (h, w, 4) comes near."""
    lab = oklab(visible_colours(image))
    if not lab.size:
        return Backdrop(*_COLOURS[0])
    gaps = [float(distance(lab, oklab(np.array(colour))).min()) for colour in _COLOURS]
    clear = [colour for colour, gap in zip(_COLOURS, gaps, strict=True) if gap >= _FAR]
    return Backdrop(*(clear[0] if clear else _COLOURS[int(np.argmax(gaps))]))


def over(image: Bytes, backdrop: Backdrop) -> Bytes:
    """Straight RGBA (h, w, 4) laid over the backdrop, opaque."""
    colour = np.array([backdrop.red, backdrop.green, backdrop.blue], np.float32)
    cover = image[..., 3:].astype(np.float32) / 255
    mixed = image[..., :3] * cover + colour * (1 - cover)
    return _rgba(np.rint(mixed).astype(np.uint8), np.full(image.shape[:2], 255, np.uint8))


def taken_out(image: Bytes, backdrop: Backdrop, clear_before: Mask) -> Bytes | None:
    """The opaque picture without its backdrop; None when the model has drawn over that.

    `clear_before` is where the original was transparent. Holes in the artwork are opened only
    there, for elsewhere a patch of that colour may be something that the model drew.
    """
    rgb = image[..., :3]
    colour = _as_drawn(rgb, backdrop)
    if colour is None:
        return None
    gap = np.abs(rgb.astype(np.int16) - colour).max(axis=2).astype(np.float32)
    behind = _behind(gap <= _NEAR_LEVELS, clear_before)
    if behind.mean() > 1 - _LEAST_SEEN:
        return None
    cover = _cover(gap, behind)
    share = np.maximum(cover, 1 / 255)[..., None]
    unmixed = (rgb - (1 - cover[..., None]) * colour) / share
    return _rgba(
        np.clip(np.rint(unmixed), 0, 255).astype(np.uint8), np.rint(cover * 255).astype(np.uint8)
    )


def _as_drawn(rgb: Bytes, backdrop: Backdrop) -> NDArray[np.float32] | None:
    """The backdrop's colour as it came back along the picture's edge."""
    inner = rgb[_RING_PX:-_RING_PX, _RING_PX:-_RING_PX]
    ring = np.ones(rgb.shape[:2], bool)
    ring[_RING_PX : _RING_PX + inner.shape[0], _RING_PX : _RING_PX + inner.shape[1]] = False
    sent = np.array([backdrop.red, backdrop.green, backdrop.blue], np.int16)
    edge = rgb[ring].astype(np.int16)
    near = np.abs(edge - sent).max(axis=1) <= _NEAR_LEVELS
    if near.mean() < _LEAST_RING:
        return None
    return np.asarray(np.median(edge[near], axis=0), dtype=np.float32)


def _behind(near: Mask, clear_before: Mask) -> Mask:
    """What of the backdrop's colour is backdrop: all that reaches the edge, and old holes."""
    count, found = cv2.connectedComponents(near.astype(np.uint8), connectivity=4)
    label = found.astype(np.intp)
    area = np.bincount(label.ravel(), minlength=count)
    was_clear = np.bincount(label[clear_before], minlength=count)
    outside = was_clear * 2 > area
    for side in (label[0], label[-1], label[:, 0], label[:, -1]):
        outside[np.unique(side)] = True
    outside[0] = False  # label 0 is all that is not near
    return np.asarray(outside[label])


def _cover(gap: NDArray[np.float32], behind: Mask) -> NDArray[np.float32]:
    """How much of each pixel is artwork, 0–1: a ramp along the edge, which was antialiased."""
    reach = np.ones((2 * _EDGE_PX + 1, 2 * _EDGE_PX + 1), np.uint8)
    edge = cv2.dilate(behind.astype(np.uint8), reach).astype(bool) & ~behind
    full = cv2.dilate(gap, reach)
    cover = np.where(edge, np.clip(gap / np.maximum(full, 1), 0, 1), 1)
    return np.where(behind, 0, cover).astype(np.float32)


def clear_in(image: Bytes) -> Mask:
    """Where RGBA is transparent rather than not."""
    return np.asarray(image[..., 3] < _CLEAR)


def _rgba(rgb: Bytes, alpha: Bytes) -> Bytes:
    return np.dstack([rgb, alpha])
