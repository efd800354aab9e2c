"""Logos that are hard on purpose: hairlines, small text, near-equal colours, alpha, photographs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.samples.layers import Layer, Logo, Pen, Point, ramp, rgb

SIZE = 512


def hairlines() -> Logo:
    """Lines of one to three pixels, a thin ring and lettering without a single unmixed pixel."""
    pen = Pen(SIZE, SIZE)
    fan = np.zeros((SIZE, SIZE), np.float32)
    for i in range(7):
        start, end = (80.0, 60.0 + 22 * i), (260.0, 74.0 + 16 * i)
        fan = np.maximum(fan, pen.stroke([start, end], 0.9 + 0.35 * i))
    ring = _ring(pen, (372, 130), 76, 1.6)
    return Logo(
        "hairlines",
        rgb("#f4f1ea"),
        (
            Layer("fan", fan, rgb("#1b263b")),
            Layer("ring", ring, rgb("#b3541e")),
            Layer("name", pen.text("filament", (256, 330), 92), rgb("#1b263b"), "text"),
            Layer(
                "tagline",
                pen.text("lamps and other quiet lights", (256, 420), 17, tracking=0.06),
                rgb("#b3541e"),
                "tagline",
            ),
        ),
    )


def white_on_cream() -> Logo:
    """White shapes and lettering that hardly differ from the ground."""
    pen = Pen(SIZE, SIZE)
    drop = [(256.0, 110.0), (312.0, 220.0), (256.0, 262.0), (200.0, 220.0)]
    return Logo(
        "white_on_cream",
        rgb("#fbf5e6"),
        (
            Layer("disc", pen.ellipse(256, 190, 120), rgb("#ffffff")),
            Layer("ring", _ring(pen, (256, 190), 136, 5), rgb("#c9a227")),
            Layer(
                "drop",
                pen.polygon(drop),
                rgb("#c9a227"),
            ),
            Layer("name", pen.text("blanc", (256, 410), 88, weight=0.05), rgb("#ffffff"), "text"),
        ),
    )


def counters() -> Logo:
    """Letters and a ring through which the ground shows, and a white shape that is not ground."""
    pen = Pen(SIZE, SIZE)
    name = pen.text("BOARD&Ao", (256, 390), 84, weight=0.08)
    return Logo(
        "counters",
        rgb("#ffffff"),
        (
            Layer("badge", pen.ellipse(150, 170, 110), rgb("#a4243b")),
            Layer("dove", pen.ellipse(150, 170, 46, 30), rgb("#ffffff")),
            Layer("ring", _ring(pen, (376, 170), 100, 16), rgb("#273e47")),
            Layer("name", name, rgb("#273e47"), "text"),
        ),
    )


def full_bleed() -> Logo:
    """Artwork on a ground that is a gradient from edge to edge."""
    pen = Pen(SIZE, SIZE)
    sky = ramp((0, 0), (SIZE, SIZE), rgb("#ff7e5f"), rgb("#6a3093"))
    return Logo(
        "full_bleed",
        sky,
        (
            Layer("sun", pen.ellipse(256, 200, 90), rgb("#ffe9b0")),
            Layer("hill", pen.polygon([(90, 360), (256, 240), (422, 360)]), rgb("#2d1e4a")),
            Layer("name", pen.text("DUSK", (256, 430), 80, weight=0.06), rgb("#ffffff"), "text"),
        ),
    )


def badge() -> Logo:
    """A dark badge with light lettering inside it, on white."""
    pen = Pen(SIZE, SIZE)
    star = _star((256, 180), 70, 30)
    name = pen.text("RANGER", (256, 320), 62, weight=0.06, tracking=0.04)
    tagline = pen.text("EST. 1987", (256, 380), 26, tracking=0.12)
    return Logo(
        "badge",
        rgb("#ffffff"),
        (
            Layer("shield", pen.rounded((86, 70, 426, 440), 60), rgb("#14213d")),
            Layer("star", pen.polygon(star), rgb("#fca311")),
            Layer("name", name, rgb("#ffffff"), "text"),
            Layer("tagline", tagline, rgb("#fca311"), "tagline"),
        ),
    )


def faded() -> Logo:
    """A translucent mark on a transparent ground."""
    pen = Pen(SIZE, SIZE)
    glass = pen.ellipse(200, 220, 130) * np.float32(0.5)
    return Logo(
        "faded",
        None,
        (
            Layer("one", glass, rgb("#2563eb")),
            Layer("two", pen.ellipse(320, 220, 90), rgb("#f97316")),
            Layer("name", pen.text("overlap", (256, 420), 76, weight=0.04), rgb("#1e293b"), "text"),
        ),
    )


TRIALS = (hairlines, white_on_cream, counters, full_bleed, badge, faded)


def photograph(height: int = 384, width: int = 512) -> NDArray[np.uint8]:
    """Something like a landscape photograph, straight RGBA: texture everywhere."""
    lots = np.random.default_rng(7)
    sky, ground = _texture(height, width, lots), _texture(height, width, lots)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    above = np.stack([120 + 60 * down + 30 * sky, 150 + 50 * down + 25 * sky, 215 + 20 * sky], 2)
    below = np.stack([60 + 130 * ground, 75 + 110 * ground, 40 + 70 * ground], 2)
    land = (down + 0.3 * (sky - 0.5) > 0.55)[..., None]
    picture = np.where(land, below, above) + lots.normal(0, 4, (height, width, 3))
    opaque = np.full((height, width, 1), 255)
    return np.concatenate([np.clip(picture, 0, 255), opaque], axis=2).astype(np.uint8)


def _texture(height: int, width: int, lots: np.random.Generator) -> NDArray[np.float32]:
    total = np.zeros((height, width), np.float32)
    for octave in range(2, 9):
        coarse = lots.standard_normal((2**octave, 2**octave)).astype(np.float32)
        fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        total += np.asarray(fine, dtype=np.float32) / 2**octave
    return np.asarray((total - total.min()) / (total.max() - total.min()), dtype=np.float32)


def _ring(pen: Pen, centre: Point, radius: float, width: float) -> NDArray[np.float32]:
    ring = pen.ellipse(*centre, radius) - pen.ellipse(*centre, radius - width)
    return np.asarray(np.clip(ring, 0, 1), dtype=np.float32)


def _star(centre: Point, outer: float, inner: float) -> list[Point]:
    turn = np.linspace(0, 2 * np.pi, 10, endpoint=False) - np.pi / 2
    return [
        (centre[0] + r * float(np.cos(t)), centre[1] + r * float(np.sin(t)))
        for t, r in zip(turn, [outer, inner] * 5, strict=True)
    ]
