"""Say whether a measured colour is what a person calls by a name; the exam's own opinion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

type Span = tuple[float, float]

_FULL: Span = (0.0, 1.0)
# Lightness and chroma of OKLCH, and the hue in degrees; a span may go through 0°.
_NAMES: dict[str, tuple[Span, Span, Span]] = {
    "red": ((0.3, 0.72), (0.11, 1), (5, 42)),
    "coral": ((0.55, 0.85), (0.07, 1), (8, 55)),
    "orange": ((0.5, 0.88), (0.09, 1), (38, 78)),
    "brown": ((0.15, 0.62), (0.02, 0.14), (20, 95)),
    "yellow": ((0.6, 1), (0.04, 1), (70, 116)),
    "gold": ((0.55, 0.92), (0.06, 1), (65, 105)),
    "lime": ((0.6, 1), (0.1, 1), (112, 150)),
    "green": ((0.15, 0.95), (0.03, 1), (112, 178)),
    "teal": ((0.2, 0.95), (0.03, 1), (165, 230)),
    "blue": ((0.1, 0.95), (0.03, 1), (215, 285)),
    "navy": ((0.1, 0.42), (0.03, 1), (235, 285)),
    "purple": ((0.15, 0.92), (0.03, 1), (284, 345)),
    "pink": ((0.5, 0.95), (0.03, 1), (330, 48)),
    "black": ((0, 0.3), (0, 0.04), (0, 360)),
    "grey": ((0.25, 0.93), (0, 0.03), (0, 360)),
    "pale-grey": ((0.78, 0.97), (0, 0.02), (0, 360)),
    "silver": ((0.6, 0.95), (0, 0.04), (0, 360)),
    "white": ((0.97, 1.01), (0, 0.02), (0, 360)),
    "cream": ((0.9, 1), (0.008, 0.08), (60, 115)),
    "beige": ((0.8, 0.97), (0.01, 0.09), (50, 115)),
}


def is_called(lab: NDArray[np.floating], name: str) -> bool:
    """Whether an OKLab colour may be called `name`."""
    lightness, a, b = (float(v) for v in lab)
    chroma, hue = float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a))) % 360
    spans = _NAMES[name]
    low, high = spans[2]
    turned = low <= hue <= high if low <= high else hue >= low or hue <= high
    return _within(lightness, spans[0]) and _within(chroma, spans[1]) and turned


def _within(value: float, span: Span) -> bool:
    return span[0] <= value <= span[1]
