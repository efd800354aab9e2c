"""What can be seen of where a layer is and how large: found again by its colours."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tests.engines.embedded.exam.sight import (
    GROUND,
    Flags,
    Floats,
    Sight,
    artwork,
    box_of,
    found,
)

_LEAST_MOVED = 0.012  # of the canvas


def span(text: str, default: tuple[float, float]) -> tuple[float, float]:
    if not text:
        return default
    low, high = text.split("..")
    return float(low), float(high)


def _colours_of(sight: Sight, name: str) -> list[Floats]:
    lab = sight.before_lab[sight.solid(name)]
    rows = lab[np.argsort(lab[:, 0], kind="stable")]
    steps = np.linspace(0, len(rows) - 1, 6).round().astype(int)
    return [rows[step] for step in steps]


def _located(sight: Sight, name: str) -> tuple[Flags, Flags]:
    """Where a layer is before and after, by its colours."""
    if name == "art":
        return artwork(sight.before), artwork(sight.after)
    own = _colours_of(sight, name)
    others = [
        colour
        for other in (*sight.layers, GROUND)
        if other != name and sight.solid(other).any()
        for colour in _colours_of(sight, other)
        if min(float(np.linalg.norm(colour - c)) for c in own) > 0.02
    ]
    return found(sight.before, own, others), found(sight.after, own, others)


def _sizes(sight: Sight, name: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    boxes = [box_of(_without_crumbs(seen)) for seen in _located(sight, name)]
    sizes = [(b[2] - b[0], b[3] - b[1]) for b in boxes if b is not None]
    return (sizes[0], sizes[1]) if len(sizes) == 2 else None


def _without_crumbs(seen: Flags) -> Flags:
    """Pixels that have neighbours, so that a blended edge is not taken for a shape."""
    return np.asarray(cv2.morphologyEx(seen.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2))) > 0)


def _grown(sight: Sight, name: str) -> float | None:
    sizes = _sizes(sight, name)
    if sizes is None:
        return None
    (w0, h0), (w1, h1) = sizes
    return float(np.sqrt(w1 * h1 / (w0 * h0)))


def _bigger(sight: Sight, name: str, text: str) -> str | None:
    factor = _grown(sight, name)
    low, high = span(text, (1.03, 4))
    return None if factor is not None and low < factor < high else f"size ×{factor}"


def _smaller(sight: Sight, name: str, text: str) -> str | None:
    factor = _grown(sight, name)
    low, high = span(text, (0.25, 0.97))
    return None if factor is not None and low < factor < high else f"size ×{factor}"


def _narrower(sight: Sight, name: str, _text: str) -> str | None:
    sizes = _sizes(sight, name)
    if sizes is None:
        return "not found"
    before, after = (w / h for w, h in sizes)
    return None if after < 0.8 * before else f"width to height {before:.2f} → {after:.2f}"


def _wider(sight: Sight, name: str, _text: str) -> str | None:
    sizes = _sizes(sight, name)
    if sizes is None:
        return "not found"
    before, after = (w / h for w, h in sizes)
    return None if after > 1.25 * before else f"width to height {before:.2f} → {after:.2f}"


def _centre_of(seen: Flags) -> tuple[float, float]:
    rows, columns = np.nonzero(_without_crumbs(seen))
    if not rows.size:
        return -9.0, -9.0
    return float(columns.mean()) / seen.shape[1], float(rows.mean()) / seen.shape[0]


def _moved(sight: Sight, name: str, text: str) -> str | None:
    (x0, y0), (x1, y1) = (_centre_of(seen) for seen in _located(sight, name))
    by = {"left": x0 - x1, "right": x1 - x0, "up": y0 - y1, "down": y1 - y0}[text]
    return None if by > _LEAST_MOVED else f"moved {text} by {by:.3f}"


def _above(sight: Sight, name: str, text: str) -> str | None:
    own, other = (_centre_of(_located(sight, n)[1])[1] for n in (name, text))
    return None if own < other - _LEAST_MOVED else f"at {own:.2f}, {text} at {other:.2f}"


def _left_of(sight: Sight, name: str, text: str) -> str | None:
    own, other = (_centre_of(_located(sight, n)[1])[0] for n in (name, text))
    return None if own < other - _LEAST_MOVED else f"at {own:.2f}, {text} at {other:.2f}"


def _centred(sight: Sight, name: str, _text: str) -> str | None:
    box = box_of(_located(sight, name)[1])
    if box is None:
        return "not found"
    height, width = sight.after.shape[:2]
    off = max(abs(box[0] + box[2] - width) / width, abs(box[1] + box[3] - height) / height)
    return None if off < 0.02 else f"{off:.3f} off the centre"


PLACE_CHECKS: dict[str, Callable[[Sight, str, str], str | None]] = {
    "bigger": _bigger,  # its box; ":low..high" as a factor
    "smaller": _smaller,
    "narrower": _narrower,  # its box, for its height
    "wider": _wider,
    "moved": _moved,  # ":left|right|up|down"
    "above": _above,  # ":layer"
    "left-of": _left_of,
    "centred": _centred,
}
