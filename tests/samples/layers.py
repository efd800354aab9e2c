"""Draw a logo as layers with exact coverage, so that a test knows the truth of every pixel."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

type Mask = NDArray[np.float32]
type Point = tuple[float, float]
type Rgb = tuple[int, int, int]
type Ramp = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]

OVERSAMPLING = 4


def rgb(hex_code: str) -> Rgb:
    """The 8-bit channels of `#rrggbb`."""
    value = int(hex_code.removeprefix("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws coverage masks for a canvas of `width` × `height` pixels, 0–1 float32."""

    width: int
    height: int

    def _drawn(self, draw: Callable[[ImageDraw.ImageDraw], None]) -> Mask:
        size = (self.width * OVERSAMPLING, self.height * OVERSAMPLING)
        sheet = Image.new("L", size, 0)
        draw(ImageDraw.Draw(sheet))
        levels = np.asarray(sheet.reduce(OVERSAMPLING), dtype=np.float32)
        return np.asarray(levels / 255, dtype=np.float32)

    def polygon(self, points: Sequence[Point]) -> Mask:
        """A filled polygon."""
        return self._drawn(lambda d: d.polygon(_scaled(points), fill=255))

    def ellipse(self, x: float, y: float, rx: float, ry: float | None = None) -> Mask:
        """A filled ellipse about (x, y)."""
        turn = [2 * math.pi * i / 360 for i in range(360)]
        radius_y = rx if ry is None else ry
        return self.polygon([(x + rx * math.cos(t), y + radius_y * math.sin(t)) for t in turn])

    def rounded(self, box: tuple[float, float, float, float], radius: float) -> Mask:
        """A filled rounded rectangle, `box` as left, top, right, bottom."""
        scaled = [v * OVERSAMPLING for v in box]
        return self._drawn(lambda d: d.rounded_rectangle(scaled, radius * OVERSAMPLING, fill=255))

    def stroke(self, points: Sequence[Point], width: float) -> Mask:
        """A polyline of even width with round ends and joints."""

        def draw(d: ImageDraw.ImageDraw) -> None:
            path = _scaled(points)
            d.line(path, fill=255, width=round(width * OVERSAMPLING), joint="curve")
            r = width * OVERSAMPLING / 2
            for x, y in (path[0], path[-1]):
                d.ellipse((x - r, y - r, x + r, y + r), fill=255)

        return self._drawn(draw)

    def text(
        self,
        words: str,
        centre: Point,
        size: float,
        *,
        tracking: float = 0.0,
        weight: float = 0.0,
    ) -> Mask:
        """A line of lettering about `centre`; `tracking` and `weight` are fractions of `size`."""
        font = ImageFont.load_default(size * OVERSAMPLING)
        stroke = weight * size * OVERSAMPLING
        step = tracking * size * OVERSAMPLING
        widths = [font.getlength(letter) + step + stroke for letter in words]

        def draw(d: ImageDraw.ImageDraw) -> None:
            x = centre[0] * OVERSAMPLING - (sum(widths) - step) / 2
            for letter, width in zip(words, widths, strict=True):
                place = (x + stroke / 2, centre[1] * OVERSAMPLING)
                d.text(place, letter, fill=255, font=font, anchor="lm", stroke_width=stroke / 2)
                x += width

        return self._drawn(draw)


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points]


def curve(*knots: Point, steps: int = 24) -> list[Point]:
    """A chain of cubic Béziers: a start, then two handles and an end for each piece."""
    path = [knots[0]]
    for i in range(0, len(knots) - 1, 3):
        a, b, c, d = knots[i : i + 4]
        for k in range(1, steps + 1):
            t = k / steps
            s = 1 - t
            path.append(
                (
                    s**3 * a[0] + 3 * s * s * t * b[0] + 3 * s * t * t * c[0] + t**3 * d[0],
                    s**3 * a[1] + 3 * s * s * t * b[1] + 3 * s * t * t * c[1] + t**3 * d[1],
                )
            )
    return path


def turned(points: Sequence[Point], about: Point, degrees: float) -> list[Point]:
    """The points turned clockwise (as seen) about a point."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [
        (
            about[0] + (x - about[0]) * c - (y - about[1]) * s,
            about[1] + (x - about[0]) * s + (y - about[1]) * c,
        )
        for x, y in points
    ]


def ramp(start: Point, end: Point, first: Rgb, last: Rgb) -> Ramp:
    """A linear gradient from one point and colour to another, as 0–255 floats."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy

    def at(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
        t = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / length, 0, 1)[..., None]
        blend = np.asarray(first) * (1 - t) + np.asarray(last) * t
        return np.asarray(blend, dtype=np.float32)

    return at


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One colour of a logo. `role` is what a person would call it: text, tagline, icon…"""

    name: str
    mask: Mask
    paint: Rgb | Ramp
    role: str = "icon"


@dataclass(frozen=True, slots=True, eq=False)
class Logo:
    """Layers, the first at the bottom, over a background (None is transparent)."""

    name: str
    background: Rgb | Ramp | None
    layers: tuple[Layer, ...] = field(default=())

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.layers[0].mask.shape
        return height, width

    def painted(self, **paints: Rgb | Ramp) -> Logo:
        """The same logo with other paint on the named layers."""
        return replace(
            self,
            layers=tuple(
                replace(layer, paint=paints.get(layer.name, layer.paint)) for layer in self.layers
            ),
        )

    def on(self, background: Rgb | Ramp | None) -> Logo:
        """The same logo on another background."""
        return replace(self, background=background)

    def without(self, *names: str) -> Logo:
        """The same logo without the named layers."""
        return replace(self, layers=tuple(x for x in self.layers if x.name not in names))

    def visible(self, *names: str) -> Mask:
        """What is seen of the named layers: their coverage less what lies over them."""
        seen = np.zeros(self.shape, np.float32)
        for layer in self.layers:
            seen *= 1 - layer.mask
            if layer.name in names or layer.role in names:
                seen += layer.mask
        return seen

    def render(self) -> NDArray[np.uint8]:
        """The logo as straight 8-bit RGBA."""
        return np.rint(self.exact()).astype(np.uint8)

    def exact(self) -> NDArray[np.float32]:
        """The logo as straight RGBA in 0–255 floats, blended in sRGB as drawing programs do."""
        height, width = self.shape
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        colour = np.zeros((height, width, 3), np.float32)
        alpha = np.zeros((height, width, 1), np.float32)
        if self.background is not None:
            colour += _paint(self.background, x, y)
            alpha += 1
        for layer in self.layers:
            mask = layer.mask[..., None]
            colour = colour * (1 - mask) + _paint(layer.paint, x, y) * mask
            alpha = alpha * (1 - mask) + mask
        straight = np.divide(colour, alpha, out=np.zeros_like(colour), where=alpha > 0)
        return np.concatenate([straight, alpha * 255], axis=2)


def _paint(
    paint: Rgb | Ramp, x: NDArray[np.float32], y: NDArray[np.float32]
) -> NDArray[np.float32]:
    if callable(paint):
        return paint(x, y)
    return np.asarray(paint, dtype=np.float32)
