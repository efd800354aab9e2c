"""Fit a picture onto a canvas that a model can draw, and find it again in what the model drew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# A model rounds its canvas to multiples of 16 or 32 pixels.
_SAME_SHAPE = 0.035


@dataclass(frozen=True, slots=True)
class Size:
    """A canvas in pixels, and how the provider names it: `1024x1536`, `2:3`."""

    width: int
    height: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; `right` and `bottom` lie outside of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Frame:
    """A canvas, and the box on it in which the picture lies."""

    canvas: Size
    box: Box


def frame_for(width: int, height: int, canvases: Sequence[Size]) -> Frame:
    """The picture centred on the canvas that it fills best."""
    canvas = max(canvases, key=lambda size: _filled(width, height, size))
    return Frame(canvas, fitted(width, height, canvas.width, canvas.height))


def fitted(width: int, height: int, room_width: int, room_height: int) -> Box:
    """The largest box of the same shape inside the room, centred."""
    scale = min(room_width / width, room_height / height)
    inner_width = max(1, min(room_width, round(width * scale)))
    inner_height = max(1, min(room_height, round(height * scale)))
    left, top = (room_width - inner_width) // 2, (room_height - inner_height) // 2
    return Box(left, top, left + inner_width, top + inner_height)


def found_in(frame: Frame, width: int, height: int) -> Box | None:
    """Where the picture lies in an answer of that size; None when the answer has another shape."""
    across, down = width / frame.canvas.width, height / frame.canvas.height
    if abs(across - down) > _SAME_SHAPE * max(across, down):
        return None
    left, top = round(frame.box.left * across), round(frame.box.top * down)
    right = max(left + 1, round(frame.box.right * across))
    bottom = max(top + 1, round(frame.box.bottom * down))
    return Box(left, top, right, bottom)


def _filled(width: int, height: int, size: Size) -> float:
    """The share of the canvas that the picture covers."""
    shape, room = width / height, size.width / size.height
    return min(shape / room, room / shape)
