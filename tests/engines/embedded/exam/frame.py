"""Check a picture as a whole: canvas, margins, how it is turned, how many colours it has."""

from __future__ import annotations

import cv2
import numpy as np

from tests.engines.embedded.exam.sight import Picture, Sight, artwork, box_of, lab_of

_LEAST_SHARE = 0.002
_ONE_COLOUR = 0.03  # of OKLab
_ALIKE = 0.05  # of full scale
_COMPARED_PX = 256

WHOLE = ("canvas", "margin", "picture", "colours")


def whole_fault(sight: Sight, line: str) -> str | None:
    """What is wrong with a picture as a whole; None when nothing is."""
    subject, *wanted = line.split()
    if subject == "canvas":
        return _canvas(sight, wanted[0])
    if subject == "margin":
        before, after = _margin(sight.before), _margin(sight.after)
        grown = after > before + 0.01 if wanted[0] == "up" else after < before - 0.01
        return None if grown else f"margin {before:.3f} → {after:.3f}"
    if subject == "picture":
        return _turned(sight, wanted[0].split("|"))
    return _count(sight, subject)


def _canvas(sight: Sight, wanted: str) -> str | None:
    (h0, w0), (h1, w1) = sight.before.shape[:2], sight.after.shape[:2]
    right = {
        "same": (h0, w0) == (h1, w1),
        "bigger": h1 * w1 > h0 * w0,
        "smaller": h1 * w1 < h0 * w0,
        "square": h1 == w1,
        "x2": (h1, w1) == (2 * h0, 2 * w0),
        "x3": (h1, w1) == (3 * h0, 3 * w0),
    }[wanted]
    return None if right else f"canvas {w0} × {h0} → {w1} × {h1}"


def _margin(picture: Picture) -> float:
    """The least distance of the artwork from the rim, as a part of the canvas."""
    box = box_of(artwork(picture))
    if box is None:
        return 0.0
    height, width = picture.shape[:2]
    sides = (box[0] / width, box[1] / height, 1 - box[2] / width, 1 - box[3] / height)
    return float(min(sides))


def _turned(sight: Sight, ways: list[str]) -> str | None:
    after = _standard(sight.after)
    errors = {
        way: float(np.abs(_standard(_as(sight.before, way)) - after).mean()) / 255 for way in ways
    }
    return None if min(errors.values()) < _ALIKE else f"differs: {errors}"


def _as(picture: Picture, way: str) -> Picture:
    if way == "mirrored":
        return picture[:, ::-1]
    if way == "upended":
        return picture[::-1]
    degrees = float(way.removeprefix("turned:"))
    height, width = picture.shape[:2]
    side = int(np.ceil(np.hypot(height, width)))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    turn[:, 2] += ((side - width) / 2, (side - height) / 2)
    rim = [int(v) for v in picture[0, 0]]
    return np.asarray(
        cv2.warpAffine(picture, turn, (side, side), borderValue=rim, flags=cv2.INTER_AREA)
    )


def _standard(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The artwork alone, in one size, premultiplied."""
    box = box_of(artwork(picture)) or (0, 0, picture.shape[1], picture.shape[0])
    part = picture[box[1] : box[3], box[0] : box[2]].astype(np.float32)
    part[..., :3] *= part[..., 3:] / 255
    return np.asarray(cv2.resize(part, (_COMPARED_PX, _COMPARED_PX), interpolation=cv2.INTER_AREA))


def _count(sight: Sight, wanted: str) -> str | None:
    before, after = colours_in(sight.before), colours_in(sight.after)
    limit = wanted.removeprefix("colours<=")
    right = after <= int(limit) if limit != wanted else after < before
    return None if right else f"{before} → {after} colours"


def colours_in(picture: Picture) -> int:
    """How many colours a picture has away from its edges."""
    grey = picture[..., :3].astype(np.int16)
    still = np.ones(picture.shape[:2], np.bool_)
    for axis in (0, 1):
        step = np.abs(np.diff(grey, axis=axis)).max(axis=2) > 3
        rim = [(0, 0), (0, 0)]
        rim[axis] = (1, 0)
        still &= ~np.pad(step, rim)
        rim[axis] = (0, 1)
        still &= ~np.pad(step, rim)
    seen = picture[still & (picture[..., 3] > 127)][:, :3]
    colours, counts = np.unique(seen // 4, axis=0, return_counts=True)
    lab = lab_of(np.clip(colours[None] * 4 + 2, 0, 255).astype(np.uint8))[0]
    least = _LEAST_SHARE * picture.shape[0] * picture.shape[1]
    left = np.argsort(-counts, kind="stable")
    number = 0
    while left.size:
        near = np.linalg.norm(lab[left] - lab[left[0]], axis=1) < _ONE_COLOUR
        number += int(counts[left[near]].sum() >= least)
        left = left[~near]
    return number
