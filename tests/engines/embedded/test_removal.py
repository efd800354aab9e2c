"""What is removed leaves no trace, even where a gradient is elsewhere in the picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.engines.contract import Instruction
from service.engines.embedded.apply import apply

COFFEE = Path(__file__).parents[3] / "service/studio/samples/coffee.png"
CREAM = (247, 237, 223)
# the middles of the dots about the cup, x and y
DOTS = [(226, 300), (262, 238), (806, 250), (846, 330), (204, 416), (240, 560), (820, 560)]


@pytest.mark.parametrize("prompt", ["remove the dots", "make it more minimalist"])
def test_no_ghost_is_left_where_a_dot_was(prompt: str) -> None:
    refined = apply(COFFEE.read_bytes(), Instruction(prompt))
    assert refined.image is not None
    pixels = np.asarray(Image.open(io.BytesIO(refined.image)).convert("RGB")).astype(int)
    for x, y in DOTS:
        about = pixels[y - 9 : y + 10, x - 9 : x + 10]
        assert np.abs(about - CREAM).max() <= 1, (x, y)


@pytest.mark.parametrize(
    "prompt",
    [
        "Remove the tagline and make the lettering green",
        "Remove the tagline, then make the background black",
        "Make the background navy, the text white, and drop the tagline",
    ],
)
def test_what_was_removed_stays_away_when_what_was_about_it_is_edited_later(prompt: str) -> None:
    refined = apply(COFFEE.read_bytes(), Instruction(prompt))
    assert refined.image is not None
    assert "remove" in [edit["op"] for edit in refined.report["applied"]]
    pixels = np.asarray(Image.open(io.BytesIO(refined.image)).convert("RGB")).astype(int)
    tagline = pixels[848:896, 150:874]
    assert np.abs(tagline - pixels[0, 0]).max() <= 6
