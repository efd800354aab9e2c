"""The pictures of the exam: samples, hard trials, and more that the engine was not built on."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.engines.embedded.exam.sight import GROUND
from tests.samples import logos, trials
from tests.samples.layers import Layer, Logo, Mask, Pen, rgb

SAMPLE_PX = 512
_JPEG_QUALITY = 82

type Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Subject:
    """One picture to refine, as a file; `logo` is its truth, None for a photograph."""

    name: str
    file: bytes
    logo: Logo | None

    @cached_property
    def pixels(self) -> Picture:
        """What the file shows, straight RGBA."""
        return np.asarray(Image.open(io.BytesIO(self.file)).convert("RGBA"))


@cache
def subject(name: str) -> Subject:
    """The picture of a name; `…_jpeg` is a logo after JPEG compression."""
    if name == "photo":
        return Subject(name, encoded(trials.photograph(), "PNG"), None)
    plain = name.removesuffix("_jpeg")
    drawn = _logo(plain)
    return Subject(name, encoded(drawn.render(), "PNG" if plain == name else "JPEG"), drawn)


def _logo(name: str) -> Logo:
    for sample in logos.SAMPLES:
        if sample.__name__ == name:
            return _without_ground(sample(SAMPLE_PX))
    return next(draw() for draw in (*trials.TRIALS, *UNSEEN) if draw.__name__ == name)


def _without_ground(logo: Logo) -> Logo:
    """The logo with another name for a layer that is called as backgrounds are in questions."""
    named = [replace(x, name="earth") if x.name == GROUND else x for x in logo.layers]
    return replace(logo, layers=tuple(named))


def encoded(pixels: Picture, kind: str) -> bytes:
    """A file of straight RGBA."""
    body = io.BytesIO()
    opaque = kind == "JPEG" or int(pixels[..., 3].min()) == 255
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., :3]) if opaque else pixels)
    picture.save(body, kind, **({"quality": _JPEG_QUALITY} if kind == "JPEG" else {}))
    return body.getvalue()


def bloom() -> Logo:
    """Five petals that overlap in one colour, with lettering of related pinks, on pale pink."""
    pen = Pen(512, 512)
    petals = np.zeros((512, 512), np.float32)
    for turn in np.linspace(0, 2 * np.pi, 5, endpoint=False) - np.pi / 2:
        at = (256 + 62 * float(np.cos(turn)), 150 + 62 * float(np.sin(turn)))
        petals = np.maximum(petals, pen.ellipse(*at, 48))
    leaves = np.maximum(pen.ellipse(218, 308, 34, 13), pen.ellipse(294, 326, 34, 13))
    tagline = pen.text("flowers for every day", (256, 462), 21, tracking=0.08, weight=0.01)
    return Logo(
        "bloom",
        rgb("#fff0f3"),
        (
            Layer("stem", pen.stroke([(256, 200), (256, 356)], 9), rgb("#588157")),
            Layer("leaves", leaves, rgb("#588157")),
            Layer("petals", petals, rgb("#e05780")),
            Layer("eye", pen.ellipse(256, 150, 30), rgb("#ffd166")),
            Layer(
                "name", pen.text("Petal & Co", (256, 408), 66, weight=0.03), rgb("#7a1f3d"), "text"
            ),
            Layer("tagline", tagline, rgb("#b5637f"), "tagline"),
        ),
    )


def bank() -> Logo:
    """A mark with a white peak in it, and lettering over a red bar beside it, off the centre."""
    pen = Pen(640, 360)
    peak = pen.polygon([(62, 206), (112, 112), (162, 206), (136, 206), (112, 160), (88, 206)])
    return Logo(
        "bank",
        rgb("#ffffff"),
        (
            Layer("mark", pen.rounded((40, 90, 184, 234), 22), rgb("#0b3954")),
            Layer("peak", peak, rgb("#ffffff")),
            Layer(
                "name", pen.text("Alder Bank", (364, 132), 62, weight=0.05), rgb("#0b3954"), "text"
            ),
            Layer("bar", pen.rounded((214, 178, 514, 187), 2), rgb("#d7263d")),
            Layer(
                "tagline",
                pen.text("since 1921", (364, 216), 28, tracking=0.12, weight=0.01),
                rgb("#7d8597"),
                "tagline",
            ),
        ),
    )


def arcade() -> Logo:
    """Neon lines, a triangle and a row of dots on a dark ground."""
    pen = Pen(512, 512)
    corners = [
        (256 + 130 * float(np.cos(turn)), 180 + 130 * float(np.sin(turn)))
        for turn in np.linspace(0, 2 * np.pi, 7) + np.pi / 6
    ]
    dots = np.zeros((512, 512), np.float32)
    for x in range(176, 337, 40):
        dots = np.maximum(dots, pen.ellipse(x, 345, 9))
    triangle = pen.polygon([(216, 122), (216, 238), (322, 180)])
    return Logo(
        "arcade",
        rgb("#1a1033"),
        (
            Layer("hexagon", pen.stroke(corners, 11), rgb("#21e6c1")),
            Layer("triangle", triangle, rgb("#ff2e88")),
            Layer("dots", dots, rgb("#ffd23f"), "dots"),
            Layer(
                "name",
                pen.text("PIXEL PUB", (256, 408), 64, tracking=0.06, weight=0.05),
                rgb("#ffffff"),
                "text",
            ),
            Layer(
                "tagline",
                pen.text("play all night", (256, 462), 22, tracking=0.14, weight=0.01),
                rgb("#21e6c1"),
                "tagline",
            ),
        ),
    )


def harbor() -> Logo:
    """A disc with sails and lettering in it inside a thin ring, on a transparent ground."""
    pen = Pen(480, 480)
    sails = np.maximum(
        pen.polygon([(232, 70), (232, 200), (150, 200)]),
        pen.polygon([(246, 96), (246, 200), (314, 200)]),
    )
    return Logo(
        "harbor",
        None,
        (
            Layer("rope", _ring(pen, (240, 210), 186, 7), rgb("#e8c07d")),
            Layer("disc", pen.ellipse(240, 210, 166), rgb("#0f6e75")),
            Layer("sails", sails, rgb("#ffffff")),
            Layer(
                "name",
                pen.text("HARBOR", (240, 262), 56, tracking=0.05, weight=0.05),
                rgb("#fff6e0"),
                "text",
            ),
            Layer(
                "tagline",
                pen.text("FISH & CHIPS", (240, 438), 30, tracking=0.14, weight=0.03),
                rgb("#0f6e75"),
                "tagline",
            ),
        ),
    )


def _ring(pen: Pen, centre: tuple[float, float], radius: float, width: float) -> Mask:
    ring = pen.ellipse(*centre, radius) - pen.ellipse(*centre, radius - width)
    return np.asarray(np.clip(ring, 0, 1))


UNSEEN = (bloom, bank, arcade, harbor)
