"""Scale, move, turn and frame the artwork over an exact ground."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.ops.base import CannotApply, Done, named
from service.engines.embedded.ops.layers import (
    Box,
    artwork_of,
    box_of,
    flat_ground,
    ground_of,
    lifted,
)
from service.engines.embedded.ops.room import MARGIN, roomiest
from service.engines.embedded.plan import Edit
from service.engines.embedded.raster import composed, warped
from service.engines.embedded.scene.core import Flags

_BIGGER = 1.25
_LARGEST_PX = 4096
_PAD = 0.1
_NUDGE = 0.06
_SMALLEST = 0.05
_STILL = 0.005

_STEPS: dict[str, tuple[int, int]] = {
    "left": (-1, 0),
    "right": (1, 0),
    "up": (0, -1),
    "down": (0, 1),
}


def scale(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Scale the chosen artwork about its own middle, as far as the canvas and others allow."""
    factor = max(edit.amount or _BIGGER, _SMALLEST)
    artwork = artwork_of(canvas, chosen)
    box = box_of(canvas, artwork)
    whole = _is_all(canvas, artwork)
    centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    goal, limit = roomiest(canvas, box, _others(canvas, artwork), factor)
    done = min(factor, max(limit, 1.0))
    if factor > 1 and done <= 1 + _STILL:
        raise CannotApply("limit", f"There is no room to make {named(edit.target)} bigger.")
    moved = _placed(canvas, artwork, _scaling(centre, goal, done))
    warnings: tuple[str, ...] = ()
    if done < factor - _STILL:
        what = "canvas" if whole else "canvas and the shapes beside it"
        warnings = (f"The {what} left room for {done:.0%} instead of {factor:.0%}.",)
    word = "Enlarged" if done > 1 else "Reduced"
    measured = {"factor": round(done, 3), "factor_wanted": round(factor, 3)}
    return Done(moved, f"{word} {named(edit.target)} to {done:.0%}", measured, (), warnings)


def _is_all(canvas: Canvas, artwork: Flags) -> bool:
    return not _others(canvas, artwork).any()


def _others(canvas: Canvas, artwork: Flags) -> Flags:
    scene = canvas.scene
    return np.asarray(~artwork & ~scene.background & (scene.regions.area > 1))


def _scaling(
    source: tuple[float, float], goal: tuple[float, float], factor: float
) -> NDArray[np.float64]:
    """The map that takes `source` to `goal` (edge coordinates) and scales by `factor`."""
    shift = [g - 0.5 - factor * (s - 0.5) for s, g in zip(source, goal, strict=True)]
    return np.array([[factor, 0, shift[0]], [0, factor, shift[1]]], np.float64)


def _placed(canvas: Canvas, artwork: Flags, matrix: NDArray[np.float64]) -> Canvas:
    """The artwork through an affine map, over the picture without it."""
    size = (canvas.scene.width, canvas.scene.height)
    layer = warped(lifted(canvas, artwork), matrix, size)
    return canvas.redrawn(composed(ground_of(canvas, artwork), layer))


def move(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Move the chosen artwork by a fraction of the canvas, not beyond its margin."""
    artwork = artwork_of(canvas, chosen)
    across, along = _STEPS[edit.mode or "up"]
    width, height = canvas.scene.width, canvas.scene.height
    wanted = (edit.amount or _NUDGE) * (width if across else height)
    left, top, right, bottom = box_of(canvas, artwork)
    room = {"left": left, "right": width - right, "up": top, "down": height - bottom}
    distance = float(min(round(wanted), int(room[edit.mode or "up"])))
    if distance < 1:
        raise CannotApply("limit", f"There is no room to move {named(edit.target)} {edit.mode}.")
    moved = _placed(canvas, artwork, _shift(across * distance, along * distance))
    warnings = ("The edge of the canvas stopped the move.",) if distance < round(wanted) else ()
    return Done(
        moved,
        f"Moved {named(edit.target)} {edit.mode} by {distance:.0f} pixels",
        {"distance_px": distance},
        (),
        warnings,
    )


def _shift(dx: float, dy: float) -> NDArray[np.float64]:
    return np.array([[1, 0, dx], [0, 1, dy]], np.float64)


def centre(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Put the middle of the chosen artwork on the middle of the canvas, by whole pixels."""
    artwork = artwork_of(canvas, chosen)
    left, top, right, bottom = box_of(canvas, artwork)
    dx = round((canvas.scene.width - left - right) / 2) if edit.mode != "vertical" else 0
    dy = round((canvas.scene.height - top - bottom) / 2) if edit.mode != "horizontal" else 0
    if dx == 0 and dy == 0:
        raise CannotApply("limit", f"{named(edit.target).capitalize()} is in the centre already.")
    moved = _placed(canvas, artwork, _shift(dx, dy))
    measured = {"moved_right_px": float(dx), "moved_down_px": float(dy)}
    return Done(moved, f"Centred {named(edit.target)}", measured)


def pad(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Add room on every side, or trim it; the artwork's own pixels stay as they are."""
    del chosen
    amount = _PAD if edit.amount is None else edit.amount
    height, width = canvas.image.shape[:2]
    if amount > 0:
        across, along = round(amount * width), round(amount * height)
        _fits(width + 2 * across, height + 2 * along)
        grown = _framed(canvas, (-across, -along, width + across, height + along))
        summary = f"Added {across} pixels of room at the sides and {along} above and below"
        return Done(grown, summary, {"added_px": float(across)})
    artwork = artwork_of(canvas, np.ones(len(canvas.scene.regions), np.bool_))
    left, top, right, bottom = box_of(canvas, artwork)
    cut_x, cut_y = round(-amount * width), round(-amount * height)
    box = (
        min(cut_x, int(left)),
        min(cut_y, int(top)),
        max(width - cut_x, math.ceil(right)),
        max(height - cut_y, math.ceil(bottom)),
    )
    if box == (0, 0, width, height):
        raise CannotApply("limit", "The artwork reaches the edge: there is no room to trim.")
    trimmed = canvas.redrawn(np.ascontiguousarray(canvas.image[box[1] : box[3], box[0] : box[2]]))
    return Done(trimmed, "Trimmed the room about the artwork", {"trimmed_px": float(cut_x)})


def _fits(width: int, height: int) -> None:
    if max(width, height) > _LARGEST_PX:
        raise CannotApply("limit", f"The image would be larger than {_LARGEST_PX} pixels.")


def _framed(canvas: Canvas, box: tuple[int, int, int, int]) -> Canvas:
    """The picture in a frame that may reach beyond it; the ground goes on there."""
    image = canvas.image
    height, width = image.shape[:2]
    left, top, right, bottom = box
    if canvas.scene.background.any():
        frame = np.empty((bottom - top, right - left, 4), np.uint8)
        frame[:] = flat_ground(canvas)
        frame[-top : height - top, -left : width - left] = image
    else:
        frame = np.asarray(
            cv2.copyMakeBorder(
                image, -top, bottom - height, -left, right - width, cv2.BORDER_REPLICATE
            )
        )
    return canvas.redrawn(frame)


def crop(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Cut the canvas to the artwork with a small margin."""
    del edit
    artwork = artwork_of(canvas, chosen)
    left, top, right, bottom = box_of(canvas, artwork)
    height, width = canvas.image.shape[:2]
    margin = round(MARGIN * max(right - left, bottom - top))
    x0, y0 = max(0, int(left) - margin), max(0, int(top) - margin)
    x1, y1 = min(width, math.ceil(right) + margin), min(height, math.ceil(bottom) + margin)
    if (x0, y0, x1, y1) == (0, 0, width, height):
        raise CannotApply("limit", "The artwork fills the canvas already.")
    cut = canvas.redrawn(np.ascontiguousarray(canvas.image[y0:y1, x0:x1]))
    measured = {"width_px": float(x1 - x0), "height_px": float(y1 - y0)}
    return Done(cut, "Cropped the canvas to the artwork", measured)


def square(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Make the canvas square by adding ground on the short sides."""
    del edit, chosen
    height, width = canvas.image.shape[:2]
    if width == height:
        raise CannotApply("limit", "The image is square already.")
    side = max(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    framed = _framed(canvas, (left, top, left + side, top + side))
    return Done(framed, f"Made the canvas square, {side} × {side} pixels", {"side_px": float(side)})


def flip(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Mirror the picture, or one part of it in its place."""
    across = edit.mode != "vertical"
    summary = f"Flipped {named(edit.target)} {'horizontally' if across else 'vertically'}"
    if _is_whole(canvas, chosen):
        mirrored = canvas.image[:, ::-1] if across else canvas.image[::-1]
        warnings = ("The lettering is mirrored too.",) if canvas.scene.text.any() else ()
        return Done(canvas.redrawn(np.ascontiguousarray(mirrored)), summary, {}, (), warnings)
    artwork = artwork_of(canvas, chosen)
    left, top, right, bottom = box_of(canvas, artwork)
    matrix = (
        np.array([[-1, 0, left + right - 1], [0, 1, 0]], np.float64)
        if across
        else np.array([[1, 0, 0], [0, -1, top + bottom - 1]], np.float64)
    )
    return Done(_placed(canvas, artwork, matrix), summary)


def rotate(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Turn the picture clockwise: by quarter turns exactly, else the artwork over its ground."""
    degrees = (90.0 if edit.degrees is None else edit.degrees) % 360
    if degrees == 0:
        raise CannotApply("limit", "A full turn changes nothing.")
    summary = f"Turned {named(edit.target)} by {degrees:g}° clockwise"
    if _is_whole(canvas, chosen) and degrees % 90 == 0:
        turned = np.rot90(canvas.image, -int(degrees // 90))
        return Done(canvas.redrawn(np.ascontiguousarray(turned)), summary, {"degrees": degrees})
    artwork = artwork_of(canvas, chosen)
    box = box_of(canvas, artwork)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    factor = min(1.0, _turned_room(canvas, box, degrees))
    matrix = cv2.getRotationMatrix2D((x - 0.5, y - 0.5), -degrees, factor)
    warnings = ("It was made a little smaller to stay on the canvas.",) if factor < 1 else ()
    return Done(
        _placed(canvas, artwork, np.asarray(matrix, dtype=np.float64)),
        summary,
        {"degrees": degrees, "factor": round(factor, 3)},
        (),
        warnings,
    )


def _is_whole(canvas: Canvas, chosen: Flags) -> bool:
    return bool((chosen | canvas.scene.background | (canvas.scene.regions.area <= 0)).all())


def _turned_room(canvas: Canvas, box: Box, degrees: float) -> float:
    """The factor at which the turned box still fits on the canvas about its own middle."""
    c, s = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    width, height = box[2] - box[0], box[3] - box[1]
    half_w, half_h = (width * c + height * s) / 2, (width * s + height * c) / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    reach_x = min(x, canvas.scene.width - x)
    reach_y = min(y, canvas.scene.height - y)
    return float(min(reach_x / half_w, reach_y / half_h))
