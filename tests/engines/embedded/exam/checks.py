"""The single things that can be seen to be right or wrong about a layer or a whole picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from service.engines.embedded.colour import oklab
from tests.engines.embedded.exam.named_colours import is_called
from tests.engines.embedded.exam.places import PLACE_CHECKS, span
from tests.engines.embedded.exam.redrawn import premultiplied, redrawn
from tests.engines.embedded.exam.sight import (
    GROUND,
    Flags,
    Floats,
    Sight,
)

type Check = Callable[[Sight, str, str], str | None]
"""Looks at one layer, with what stands after the colon; the fault in words, or None."""

_SAME_LEVELS = 4
_NOISE_LEVELS = 20
_THROUGH = 1.5
_MOST_CHANGED, _MOST_CHANGED_NOISE = 0.01, 0.04
_LEAST_SHIFT = 0.012  # of OKLab
_GREY = 0.02
_FLAT_LEVELS = 2.0
_CLOSE = 0.035  # of OKLab
_SEEN = 0.05  # of OKLab
_WEIGHT = 1.04


def _mean(lab: Floats, where: Flags) -> Floats:
    return np.asarray(lab[where].mean(axis=0), dtype=np.float32)


def _means(sight: Sight, name: str) -> tuple[Floats, Floats]:
    where = sight.solid(name)
    return _mean(sight.before_lab, where), _mean(sight.after_lab, where)


def _chroma(lab: Floats) -> float:
    return float(np.hypot(lab[1], lab[2]))


def _rises(value: float, text: str, what: str) -> str | None:
    low, high = span(text, (_LEAST_SHIFT, 1.0))
    return None if low <= value <= high else f"{what} by {value:.3f}, not {low}–{high}"


def _lighter(sight: Sight, name: str, text: str) -> str | None:
    before, after = _means(sight, name)
    return _rises(float(after[0] - before[0]), text, "lighter")


def _darker(sight: Sight, name: str, text: str) -> str | None:
    before, after = _means(sight, name)
    return _rises(float(before[0] - after[0]), text, "darker")


def _warmth(lab: Floats) -> float:
    return float(lab[2] + 0.5 * lab[1])


def _warmer(sight: Sight, name: str, text: str) -> str | None:
    before, after = _means(sight, name)
    return _rises(_warmth(after) - _warmth(before), text or "0.006..1", "warmer")


def _cooler(sight: Sight, name: str, text: str) -> str | None:
    before, after = _means(sight, name)
    return _rises(_warmth(before) - _warmth(after), text or "0.006..1", "cooler")


def _vivid(sight: Sight, name: str, text: str) -> str | None:
    before, after = _means(sight, name)
    return _rises(_chroma(after) - _chroma(before), text or "0.006..1", "more colour")


def _muted(sight: Sight, name: str, text: str) -> str | None:
    before, after = _means(sight, name)
    return _rises(_chroma(before) - _chroma(after), text or "0.006..1", "less colour")


def _chroma_ratio(sight: Sight, name: str, text: str) -> str | None:
    before, after = _means(sight, name)
    ratio = _chroma(after) / max(_chroma(before), 1e-6)
    low, high = span(text, (0.0, 1.0))
    return None if low <= ratio <= high else f"chroma is ×{ratio:.2f}"


def _grey(sight: Sight, name: str, _text: str) -> str | None:
    lab = sight.after_lab[sight.solid(name) & (sight.after[..., 3] > 127)]
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    return None if float(np.quantile(chroma, 0.99)) < _GREY else f"chroma up to {chroma.max():.3f}"


def _is(sight: Sight, name: str, text: str) -> str | None:
    wanted = oklab(np.array([list(bytes.fromhex(text.removeprefix("#")))], np.float32))[0]
    after = _means(sight, name)[1]
    distance = float(np.linalg.norm(after - wanted))
    clear = float(sight.after[sight.solid(name)][:, 3].mean()) < 250
    return None if distance < _CLOSE and not clear else f"{distance:.3f} away from {text}"


def _like(sight: Sight, name: str, text: str) -> str | None:
    where = sight.solid(name)
    after = _mean(sight.after_lab, where)
    if float(sight.after[where][:, 3].mean()) < 100:
        return "cannot be seen"
    return (
        None
        if any(is_called(after, x) for x in text.split("|"))
        else f"OKLab {np.round(after, 3)} is not {text}"
    )


def _dark(sight: Sight, name: str, _text: str) -> str | None:
    lightness = float(_means(sight, name)[1][0])
    return None if lightness < 0.42 else f"lightness {lightness:.2f}"


def _light(sight: Sight, name: str, _text: str) -> str | None:
    lightness = float(_means(sight, name)[1][0])
    return None if lightness > 0.75 else f"lightness {lightness:.2f}"


def _share_changed(sight: Sight, where: Flags, allowed: Floats | float = 0.0) -> float:
    difference = np.abs(sight.before.astype(np.int16) - sight.after.astype(np.int16)).max(axis=2)
    hidden = (sight.before[..., 3] <= 2) & (sight.after[..., 3] <= 2)
    same_levels = _NOISE_LEVELS if sight.noisy else _SAME_LEVELS
    return float(((difference > same_levels + allowed) & ~hidden)[where].mean())


def _same(sight: Sight, name: str, _text: str) -> str | None:
    where = sight.pure(name)
    share = _share_changed(sight, where, _let_through(sight, name))
    most = _MOST_CHANGED_NOISE if sight.noisy else _MOST_CHANGED
    return None if share <= most else f"{share:.1%} of it changed"


def _let_through(sight: Sight, name: str) -> Floats:
    """By how many levels hairlines may change because what shows through their edges did."""
    beside = sight.beside(name)
    if name == GROUND or not beside.any():
        return np.zeros(sight.before.shape[:2], np.float32)
    change = np.abs(sight.after[beside].astype(np.float32) - sight.before[beside]).max(axis=1)
    return np.asarray((1 - sight.coverage(name)) * float(np.median(change)) * _THROUGH)


def _inside_same(sight: Sight, name: str, _text: str) -> str | None:
    if not sight.inside(name).any():
        return None
    share = _share_changed(sight, sight.inside(name))
    return None if share <= _MOST_CHANGED else f"{share:.1%} of its inside changed"


def _colour_same(sight: Sight, name: str, _text: str) -> str | None:
    where = sight.solid(name)
    before, after = (np.median(lab[where], axis=0) for lab in (sight.before_lab, sight.after_lab))
    distance = float(np.linalg.norm(after - before))
    return None if distance < _CLOSE else f"its colour moved by {distance:.3f}"


def _changed(sight: Sight, name: str, _text: str) -> str | None:
    if sight.resized:
        return None
    share = _share_changed(sight, sight.coverage(name) > 0.02)
    return None if share > 0.002 else "did not change"


def _gone(sight: Sight, name: str, _text: str) -> str | None:
    where = cv2.dilate(sight.coverage(name), np.ones((3, 3), np.uint8)) > 0.05
    wanted, seen = redrawn(sight, sight.after, without=name), premultiplied(sight.after)
    error = float(np.abs(wanted - seen)[where].mean())
    return None if error < 0.02 else f"still there: {error:.3f}"


def _clear(sight: Sight, name: str, _text: str) -> str | None:
    alpha = sight.after[sight.solid(name)][:, 3]
    return None if float((alpha > 5).mean()) < 0.002 else f"{(alpha > 5).mean():.2%} still opaque"


def _flat(sight: Sight, name: str, _text: str) -> str | None:
    where = cv2.erode(sight.solid(name).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    spread = float(sight.after[where][:, :3].astype(np.float32).std(axis=0).max())
    return None if spread < _FLAT_LEVELS else f"spread of {spread:.1f} levels"


def _ground_near(sight: Sight, name: str, lab: Floats) -> Floats:
    return np.asarray(np.median(lab[sight.beside(name)], axis=0), dtype=np.float32)


def _weight(sight: Sight, name: str) -> float:
    """The area of a layer after, as a multiple of its area before."""
    near = cv2.dilate(sight.coverage(name), np.ones((13, 13), np.uint8)) > 0.1
    areas = []
    for lab, picture in ((sight.before_lab, sight.before), (sight.after_lab, sight.after)):
        alpha = picture[..., 3].astype(np.float32) / 255
        beneath = _ground_near(sight, name, lab)
        own = np.median(lab[sight.solid(name)], axis=0)
        along = ((lab - beneath) @ (own - beneath)) / max(float(((own - beneath) ** 2).sum()), 1e-9)
        clear = float(np.median(alpha[sight.beside(name)])) < 0.1
        areas.append(float((alpha if clear else np.clip(along, 0, 1))[near].sum()))
    return areas[1] / max(areas[0], 1e-9)


def _thicker(sight: Sight, name: str, _text: str) -> str | None:
    ratio = _weight(sight, name)
    return None if _WEIGHT < ratio < 2.5 else f"area ×{ratio:.2f}"


def _thinner(sight: Sight, name: str, _text: str) -> str | None:
    ratio = _weight(sight, name)
    return None if 0.3 < ratio < 1 / _WEIGHT else f"area ×{ratio:.2f}"


def _hollow(sight: Sight, name: str, _text: str) -> str | None:
    inside = sight.inside(name)
    if float((sight.after[inside][:, 3] < 30).mean()) > 0.9:
        return None
    ground = np.median(sight.after_lab[sight.solid(GROUND)], axis=0)
    distance = np.linalg.norm(sight.after_lab[inside] - ground, axis=1)
    return None if float(np.median(distance)) < _SEEN else "its inside is filled"


CHECKS: dict[str, Check] = {
    **PLACE_CHECKS,
    "lighter": _lighter,  # by OKLab lightness; ":low..high" bounds it
    "darker": _darker,
    "warmer": _warmer,
    "cooler": _cooler,
    "vivid": _vivid,  # by OKLab chroma
    "muted": _muted,
    "chroma": _chroma_ratio,  # ":low..high", after as a multiple of before
    "grey": _grey,
    "is": _is,  # ":#rrggbb"
    "like": _like,  # ":name" of `named_colours`
    "dark": _dark,
    "light": _light,
    "same": _same,  # pixel for pixel
    "inside-same": _inside_same,  # away from its edges
    "colour-same": _colour_same,  # wherever it is
    "changed": _changed,
    "gone": _gone,
    "clear": _clear,  # transparent
    "flat": _flat,  # no gradient
    "thicker": _thicker,
    "thinner": _thinner,
    "hollow": _hollow,  # its inside shows the ground
}
