"""Pictures that are hardly logos: nothing breaks, and only what is seen is claimed."""

from __future__ import annotations

import numpy as np
import pytest

from service.engines.contract import Instruction
from service.engines.embedded.apply import perform
from service.engines.embedded.language import read
from tests.engines.embedded.pixels import Picture, picture_of

SIDE_PX = 64
INSTRUCTIONS = (
    "make it warmer", "remove the background", "white background", "bolder", "thinner",
    "remove the text", "make the icon bigger", "greyscale", "invert the colours", "simplify it",
    "3 colours", "flat colours", "outlines only", "rotate it 45 degrees", "crop it", "add a shadow",
    "smoother edges", "swap red for blue", "dark mode", "black and white", "centre it",
    "text above the icon", "add a glow", "one colour", "duotone", "complementary colours",
    "round off the corners", "upscale it twice",
)  # fmt: skip


def _opaque(rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Picture:
    alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    return np.concatenate([rgb, alpha], axis=2)


def _odd() -> dict[str, Picture]:
    square = np.full((SIDE_PX, SIDE_PX, 3), 255, np.uint8)
    ramp = np.tile(np.linspace(0, 255, SIDE_PX).astype(np.uint8), (SIDE_PX, 1))
    dot = np.full((16, 16, 3), 255, np.uint8)
    dot[5:11, 5:11] = (200, 30, 30)
    noise = np.random.default_rng(3).integers(0, 256, square.shape).astype(np.uint8)
    return {
        "white": _opaque(square),
        "one colour": _opaque(square // 255 * np.array([30, 60, 200], np.uint8)),
        "clear": np.zeros((SIDE_PX, SIDE_PX, 4), np.uint8),
        "ramp": _opaque(np.stack([ramp, ramp.T, 255 - ramp], axis=2)),
        "tiny": _opaque(dot),
        "noise": _opaque(noise),
        "thin": _opaque(noise[:, :16]),
    }


@pytest.mark.parametrize("name", _odd())
def test_whatever_is_asked_of_an_odd_picture_the_report_tells_the_truth(name: str) -> None:
    source = _odd()[name]
    for words in INSTRUCTIONS:
        outcome = perform(source, read(Instruction(words)))
        report = outcome.report
        assert bool(report["applied"]) == (outcome.image is not None), words
        assert report["applied"] or report["not_applied"], words
        if outcome.image is None:
            continue
        after = picture_of(outcome)
        assert after.shape != source.shape or (after != source).any(), words
