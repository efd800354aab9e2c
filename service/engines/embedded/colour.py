"""Carry colours between 8-bit sRGB and OKLab, and bring what lies outside sRGB back into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Bytes = NDArray[np.uint8]
type Floats = NDArray[np.float32]
type Reals = NDArray[np.floating[Any]]
type ColourMap = Callable[[Floats], Floats]
"""A function of OKLab colours, shape (n, 3) to (n, 3)."""

# https://bottosson.github.io/posts/oklab/
_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_LAB_TO_LMS = np.linalg.inv(_LMS_TO_LAB.astype(np.float64)).astype(np.float32)
_LMS_TO_RGB = np.linalg.inv(_RGB_TO_LMS.astype(np.float64)).astype(np.float32)

_CHANNEL = np.arange(256) / 255
_LINEAR = np.where(
    _CHANNEL <= 0.04045, _CHANNEL / 12.92, ((_CHANNEL + 0.055) / 1.055) ** 2.4
).astype(np.float32)

_BISECTIONS = 12
_GAMUT_SLACK = 1e-4


def oklab(rgb: NDArray[Any]) -> Floats:
    """OKLab of 8-bit sRGB colours, shape (…, 3)."""
    lms = _LINEAR[np.asarray(rgb, dtype=np.uint8)] @ _RGB_TO_LMS.T
    return np.asarray(np.cbrt(lms) @ _LMS_TO_LAB.T, dtype=np.float32)


def _linear_rgb(lab: Floats) -> Floats:
    root = lab @ _LAB_TO_LMS.T
    return np.asarray((root * root * root) @ _LMS_TO_RGB.T, dtype=np.float32)


def _inside(linear: Floats) -> NDArray[np.bool_]:
    return np.asarray(((linear >= -_GAMUT_SLACK) & (linear <= 1 + _GAMUT_SLACK)).all(axis=-1))


def into_gamut(lab: Floats) -> Floats:
    """The same lightness and hue with as much of the chroma as sRGB can show; shape (n, 3)."""
    lab = np.array(lab, dtype=np.float32)
    lab[:, 0] = np.clip(lab[:, 0], 0, 1)
    outside = np.flatnonzero(~_inside(_linear_rgb(lab)))
    if outside.size == 0:
        return lab
    wanted = lab[outside]
    low = np.zeros(outside.size, np.float32)
    high = np.ones(outside.size, np.float32)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        fits = _inside(_linear_rgb(_with_chroma_scaled(wanted, middle)))
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    lab[outside] = _with_chroma_scaled(wanted, low)
    return lab


def _with_chroma_scaled(lab: Floats, factor: Reals) -> Floats:
    return np.concatenate([lab[:, :1], lab[:, 1:] * factor[:, None]], axis=1)


def srgb(lab: Floats) -> Bytes:
    """8-bit sRGB of OKLab colours, shape (n, 3), brought into gamut first."""
    linear = np.clip(_linear_rgb(into_gamut(lab)), 0, 1)
    channel = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(channel * 255).astype(np.uint8)


def mapped(rgb: Bytes, change: ColourMap) -> Bytes:
    """The 8-bit colours (n, 3) after `change`; each distinct colour is computed once."""
    if rgb.shape[0] == 0:
        return rgb
    packed = pack(rgb)
    distinct = np.unique(packed)
    lab = change(oklab(unpack(distinct)))
    result = srgb(lab)
    if distinct.size == 1:
        return np.broadcast_to(result, rgb.shape)
    return np.asarray(result[np.searchsorted(distinct, packed)])


def pack(rgb: Bytes) -> NDArray[np.uint32]:
    """One number 0xRRGGBB for each colour of shape (n, 3)."""
    wide = rgb.astype(np.uint32)
    return np.asarray(wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2], dtype=np.uint32)


def unpack(packed: NDArray[np.uint32]) -> Bytes:
    """The colours of `pack` again, shape (n, 3)."""
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8)


def packed(image: Bytes) -> NDArray[np.uint32]:
    """Straight RGBA of shape (…, 4) as one number a pixel."""
    return np.ascontiguousarray(image).view(np.uint32)[..., 0]


def chroma(lab: Floats) -> Floats:
    """Distance from grey, shape (…)."""
    return np.asarray(np.hypot(lab[..., 1], lab[..., 2]), dtype=np.float32)


def hue(lab: Floats) -> Floats:
    """Hue angle in radians, shape (…)."""
    return np.asarray(np.arctan2(lab[..., 2], lab[..., 1]), dtype=np.float32)


def from_lch(lightness: Reals, chroma_: Reals, hue_: Reals) -> Floats:
    """OKLab of lightness, chroma and hue in radians, shape (n, 3)."""
    return np.stack([lightness, chroma_ * np.cos(hue_), chroma_ * np.sin(hue_)], axis=-1).astype(
        np.float32
    )


def luminance(rgb: NDArray[Any]) -> Floats:
    """Relative luminance, 0–1, of 8-bit sRGB colours, shape (…, 3)."""
    # https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.asarray(_LINEAR[np.asarray(rgb, dtype=np.uint8)] @ weights, dtype=np.float32)


def contrast(one: NDArray[Any], other: NDArray[Any]) -> Floats:
    """The contrast ratio of WCAG, 1–21, of 8-bit sRGB colours, shape (…, 3)."""
    a, b = luminance(one), luminance(other)
    return np.asarray((np.maximum(a, b) + 0.05) / (np.minimum(a, b) + 0.05), dtype=np.float32)


def hex_of(rgb: NDArray[Any] | tuple[int, int, int]) -> str:
    """`#rrggbb` of one colour."""
    return "#{:02x}{:02x}{:02x}".format(*(int(v) for v in rgb))


def distance(one: Floats, other: Floats) -> Floats:
    """Euclidean distance in OKLab, shape (…); 0.02 is just visible side by side."""
    return np.asarray(np.linalg.norm(one - other, axis=-1), dtype=np.float32)
