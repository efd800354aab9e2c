"""Words for things that are drawn find the shapes that they name, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from service.engines.contract import Instruction
from service.engines.embedded.apply import perform
from service.engines.embedded.canvas import Canvas
from service.engines.embedded.language import read
from service.engines.embedded.nouns import place_noun
from service.engines.embedded.silhouettes import outline_names
from tests.engines.embedded.pixels import changed, logo, picture_of, solid
from tests.samples.layers import Mask, Pen

PEN = Pen(200, 200)


def polygon(corners: int, inner: float = 0.0) -> Mask:
    """A regular polygon, or a star with `corners` points."""
    count = corners * (2 if inner else 1)
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False) + 0.3
    radii = np.where(np.arange(count) % 2, inner or 80, 80)
    points = zip(100 + radii * np.cos(turn), 100 + radii * np.sin(turn), strict=True)
    return PEN.polygon([(float(x), float(y)) for x, y in points])


SHAPES = {
    "disc": PEN.ellipse(100, 100, 80),
    "ring": PEN.ellipse(100, 100, 80) - PEN.ellipse(100, 100, 70),
    "triangle": polygon(3),
    "pentagon": polygon(5),
    "hexagon": polygon(6) - PEN.ellipse(100, 100, 50),
    "star": polygon(5, inner=34),
    "square": PEN.rounded((30, 30, 170, 170), 6),
    "bar": PEN.rounded((20, 80, 180, 96), 2),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_known_by_its_outline(name: str) -> None:
    assert outline_names(SHAPES[name] > 0.5) == {name}


@pytest.mark.parametrize(
    ("subject", "noun", "layers"),
    [
        ("counters", "ring", {"ring"}),
        ("counters", "disc", {"badge"}),
        ("badge", "star", {"star"}),
        ("badge", "shield", {"shield"}),
    ],
)
def test_a_noun_is_placed_on_the_shape_that_it_names(
    subject: str, noun: str, layers: set[str]
) -> None:
    drawn = logo(subject)
    canvas = Canvas(drawn.render())
    placed = canvas.scene.coverage(
        place_noun(canvas, noun, ~canvas.scene.background & ~canvas.scene.text)
    )
    for layer in drawn.layers:
        inside = float((placed[solid(drawn, layer.name)] > 0.5).mean())
        assert inside == pytest.approx(float(layer.name in layers), abs=0.05), layer.name


def test_what_stands_beside_the_named_shape_stays_as_it_is() -> None:
    drawn = logo("counters")
    before = drawn.render()
    after = picture_of(perform(before, read(Instruction("make the ring red"))))
    assert changed(before, after, solid(drawn, "ring")) == 1
    assert changed(before, after, solid(drawn, "badge")) == 0
