"""The sample logos; `python -m tests.samples.logos` renders them into the studio's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.samples.layers import Layer, Logo, Mask, Pen, Point, curve, ramp, rgb, turned

STUDIO = Path(__file__).parents[2] / "service" / "studio" / "samples"


def coffee(size: int = 1024) -> Logo:
    """A cup with a bean on it, steam, lettering and a tagline, in browns on cream."""
    pen, u = Pen(size, size), size / 1024

    def at(*points: Point) -> list[Point]:
        return [(x * u, y * u) for x, y in points]

    body = curve(
        *at((318, 330), (318, 330), (706, 330), (706, 330)),
        *at((706, 500), (640, 628), (512, 628)),
        *at((384, 628), (318, 500), (318, 330)),
    )
    cup = pen.polygon(body)
    handle = np.clip(
        pen.ellipse(712 * u, 424 * u, 82 * u, 78 * u)
        - pen.ellipse(712 * u, 424 * u, 50 * u, 47 * u),
        0,
        1,
    )
    rim = pen.ellipse(512 * u, 330 * u, 194 * u, 40 * u)
    surface = pen.ellipse(512 * u, 334 * u, 172 * u, 29 * u)
    bean_at = (512 * u, 482 * u)
    bean = pen.polygon(
        turned(_oval(bean_at, 58 * u, 80 * u), bean_at, 28),
    )
    crease = pen.stroke(
        turned(
            curve(*at((512, 400), (470, 440), (556, 520), (512, 566))),
            bean_at,
            28,
        ),
        13 * u,
    )
    saucer = pen.rounded((276 * u, 640 * u, 748 * u, 672 * u), 16 * u)
    steam = np.zeros_like(cup)
    for x, top in ((428, 168), (512, 138), (596, 168)):
        wave = curve(
            *at((x, 268), (x - 34, 238), (x + 34, 214), (x, (top + 268) / 2 - 8)),
            *at((x - 30, (top + 268) / 2 - 40), (x + 26, top + 22), (x, top)),
        )
        steam = np.maximum(steam, pen.stroke(wave, 12 * u))
    shade = np.minimum(cup, pen.polygon(at((590, 300), (760, 300), (760, 680), (560, 680))))
    specks = np.zeros_like(cup)
    for x, y, r in (
        (226, 300, 7), (262, 238, 5), (204, 416, 5), (806, 250, 7), (846, 330, 5), (820, 560, 6),
        (240, 560, 6),
    ):  # fmt: skip
        specks = np.maximum(specks, pen.ellipse(x * u, y * u, r * u))
    name = pen.text("BREW & BEAN", (512 * u, 778 * u), 96 * u, tracking=0.06, weight=0.045)
    tagline = pen.text(
        "SMALL BATCH COFFEE ROASTERS", (512 * u, 872 * u), 30 * u, tracking=0.2, weight=0.02
    )
    cup_paint = ramp((0, 330 * u), (0, 628 * u), rgb("#8a5633"), rgb("#6d3f22"))
    return Logo(
        "coffee",
        rgb("#f7eddf"),
        (
            Layer("specks", specks, rgb("#b98a63"), "dots"),
            Layer("steam", steam, rgb("#b98a63")),
            Layer("handle", handle, rgb("#7b4a2b")),
            Layer("cup", cup, cup_paint),
            Layer("shade", shade, rgb("#613619")),
            Layer("rim", rim, rgb("#a06c45")),
            Layer("surface", surface, rgb("#3e2214")),
            Layer("bean", np.clip(bean - crease, 0, 1), rgb("#f7e3c6")),
            Layer("saucer", saucer, rgb("#a06c45")),
            Layer("name", name, rgb("#3b2013"), "text"),
            Layer("tagline", tagline, rgb("#8a5a3a"), "tagline"),
        ),
    )


def _oval(centre: Point, rx: float, ry: float) -> list[Point]:
    turn = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    return [(centre[0] + rx * float(np.cos(t)), centre[1] + ry * float(np.sin(t))) for t in turn]


def mountain(size: int = 1024) -> Logo:
    """Peaks, a sun and pines in a ring, with lettering, in forest greens on white."""
    pen, u = Pen(size, size), size / 1024

    def shape(*points: Point) -> Mask:
        return pen.polygon([(x * u, y * u) for x, y in points])

    centre = (512 * u, 400 * u)
    disc = pen.ellipse(*centre, 268 * u)
    ring = np.clip(pen.ellipse(*centre, 300 * u) - pen.ellipse(*centre, 286 * u), 0, 1)
    sun = pen.ellipse(612 * u, 290 * u, 62 * u)
    back = np.minimum(disc, shape((330, 700), (640, 330), (900, 700)))
    front = np.minimum(disc, shape((160, 720), (436, 238), (712, 720)))
    snow = np.minimum(
        front,
        shape((436, 200), (540, 386), (488, 362), (452, 420), (414, 366), (384, 404), (334, 380)),
    )
    pines = np.zeros_like(disc)
    for x, base, height in ((392, 640, 150), (470, 652, 190), (560, 648, 160), (638, 640, 132)):
        for tier in range(3):
            top = base - height + tier * height * 0.22
            half = height * (0.17 + 0.09 * tier)
            low = top + height * 0.46
            pines = np.maximum(pines, shape((x - half, low), (x, top), (x + half, low)))
        pines = np.maximum(
            pines,
            shape((x - 7, base - 40), (x + 7, base - 40), (x + 7, base + 30), (x - 7, base + 30)),
        )
    ground = np.minimum(
        disc, shape((150, 646), (420, 612), (640, 640), (880, 600), (880, 800), (150, 800))
    )
    name = pen.text("NORTHWOOD", (512 * u, 806 * u), 104 * u, tracking=0.1, weight=0.06)
    tagline = pen.text("OUTDOOR SUPPLY CO.", (512 * u, 900 * u), 36 * u, tracking=0.26, weight=0.03)
    return Logo(
        "mountain",
        rgb("#ffffff"),
        (
            Layer("sky", disc, rgb("#dfeae2")),
            Layer("ring", ring, rgb("#1f4d36")),
            Layer("sun", sun, rgb("#f0913a")),
            Layer("back", back, rgb("#6f9c84")),
            Layer("front", front, rgb("#2f6b4b")),
            Layer("snow", snow, rgb("#ffffff")),
            Layer("pines", np.minimum(pines, disc), rgb("#163a29")),
            Layer("ground", ground, rgb("#1f4d36")),
            Layer("name", name, rgb("#163a29"), "text"),
            Layer("tagline", tagline, rgb("#d0722a"), "tagline"),
        ),
    )


def tech(size: int = 1024) -> Logo:
    """Interlocking rings with a gradient from violet to pink, and lettering, on white."""
    pen, u = Pen(size, size), size / 1024
    left, right = (420 * u, 380 * u), (604 * u, 380 * u)
    outer, inner = 190 * u, 118 * u
    first = np.clip(pen.ellipse(*left, outer) - pen.ellipse(*left, inner), 0, 1)
    second = np.clip(pen.ellipse(*right, outer) - pen.ellipse(*right, inner), 0, 1)
    gap = np.clip(pen.ellipse(*left, outer + 14 * u) - pen.ellipse(*left, inner - 14 * u), 0, 1)
    upper = np.zeros_like(first)
    upper[: int(380 * u)] = 1
    second = np.clip(second - gap * upper, 0, 1)
    gap_below = np.clip(
        pen.ellipse(*right, outer + 14 * u) - pen.ellipse(*right, inner - 14 * u), 0, 1
    )
    first = np.clip(first - gap_below * (1 - upper), 0, 1)
    dot = pen.ellipse(512 * u, 380 * u, 26 * u)
    name = pen.text("nimbus", (512 * u, 724 * u), 168 * u, tracking=0.02, weight=0.05)
    tagline = pen.text("CLOUD INTELLIGENCE", (512 * u, 856 * u), 34 * u, tracking=0.3, weight=0.02)
    violet, pink, blue = rgb("#5b2be0"), rgb("#e0398e"), rgb("#2b7be0")
    return Logo(
        "tech",
        rgb("#ffffff"),
        (
            Layer("first", first, ramp((230 * u, 200 * u), (610 * u, 560 * u), blue, violet)),
            Layer("second", second, ramp((414 * u, 200 * u), (794 * u, 560 * u), violet, pink)),
            Layer("dot", dot, pink),
            Layer("name", name, rgb("#1d1637"), "text"),
            Layer("tagline", tagline, rgb("#7a7391"), "tagline"),
        ),
    )


def leaf(size: int = 1024) -> Logo:
    """Two leaves on a stem with lettering beside them, on a transparent background."""
    pen, u = Pen(size, size), size / 768
    base = (384 * u, 470 * u)

    def blade(length: float, degrees: float) -> Mask:
        x, y = base
        tip = (x, y - length * u)
        side = length * 0.46 * u
        points = curve(
            base,
            (x - side, y - length * 0.25 * u), (x - side * 0.8, y - length * 0.75 * u), tip,
            (x + side * 0.8, y - length * 0.75 * u), (x + side, y - length * 0.25 * u), base,
        )  # fmt: skip
        return pen.polygon(turned(points, base, degrees))

    def vein(length: float, degrees: float) -> Mask:
        x, y = base
        line = [(x, y - 36 * u), (x, y - length * 0.78 * u)]
        return pen.stroke(turned(line, base, degrees), 6 * u)

    big, small = blade(330, 24), blade(250, -38)
    stem = pen.stroke(
        curve((384 * u, 462 * u), (384 * u, 500 * u), (372 * u, 530 * u), (350 * u, 556 * u)),
        14 * u,
    )
    name = pen.text("verdant", (384 * u, 630 * u), 116 * u, tracking=0.03, weight=0.035)
    tagline = pen.text(
        "plant based kitchen", (384 * u, 712 * u), 30 * u, tracking=0.16, weight=0.015
    )
    return Logo(
        "leaf",
        None,
        (
            Layer("stem", stem, rgb("#2c5f2d")),
            Layer("small", small, rgb("#97bc62")),
            Layer("big", big, rgb("#4f8a3c")),
            Layer("veins", np.maximum(vein(330, 24), vein(250, -38)), rgb("#e4efd2")),
            Layer("name", name, rgb("#2c5f2d"), "text"),
            Layer("tagline", tagline, rgb("#6b7f5a"), "tagline"),
        ),
    )


def lunar(size: int = 1024) -> Logo:
    """A crescent over waves with thin lettering, on a dark background."""
    pen, u = Pen(size, size), size / 1024
    moon = np.clip(
        pen.ellipse(512 * u, 348 * u, 190 * u) - pen.ellipse(588 * u, 304 * u, 164 * u), 0, 1
    )
    stars = np.zeros_like(moon)
    for x, y, r in ((640, 230, 9), (700, 330, 6), (596, 330, 5)):
        stars = np.maximum(stars, pen.ellipse(x * u, y * u, r * u))
    waves = []
    for row in range(3):
        y = 590 + 36 * row
        half = 220 - 46 * row
        xs = np.linspace(-half, half, 160)
        points = [(float(512 + x) * u, float(y + 13 * np.sin(x / 29)) * u) for x in xs]
        waves.append(pen.stroke(points, 11 * u))
    name = pen.text("LUNAR TIDE", (512 * u, 786 * u), 92 * u, tracking=0.2, weight=0.0)
    tagline = pen.text("surf & sail club", (512 * u, 874 * u), 34 * u, tracking=0.22, weight=0.0)
    return Logo(
        "lunar",
        rgb("#10162a"),
        (
            Layer(
                "moon",
                moon,
                ramp((340 * u, 180 * u), (600 * u, 520 * u), rgb("#ffe3a3"), rgb("#f2b84b")),
            ),
            Layer("stars", stars, rgb("#ffe3a3"), "dots"),
            Layer("wave1", waves[0], rgb("#3fd0d4")),
            Layer("wave2", waves[1], rgb("#2a9fc0")),
            Layer("wave3", waves[2], rgb("#1f74a6")),
            Layer("name", name, rgb("#f5f1e6"), "text"),
            Layer("tagline", tagline, rgb("#8fa3c4"), "tagline"),
        ),
    )


SAMPLES: tuple[Callable[..., Logo], ...] = (coffee, mountain, tech, leaf, lunar)


def main() -> None:
    """Write every sample as a PNG."""
    STUDIO.mkdir(parents=True, exist_ok=True)
    for draw in SAMPLES:
        logo = draw()
        pixels = logo.render()
        mode = pixels if logo.background is None else pixels[..., :3]
        Image.fromarray(np.ascontiguousarray(mode)).save(STUDIO / f"{logo.name}.png", optimize=True)


if __name__ == "__main__":
    main()
