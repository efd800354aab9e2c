"""Colour: the arithmetic agrees with an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
from coloraide import Color

from service.engines.embedded.colour import contrast, from_lch, hex_of, into_gamut, oklab, srgb
from service.engines.embedded.families import members
from tests.engines.embedded.pixels import colour

EVERY_17TH = np.array(
    [(r, g, b) for r in range(0, 256, 17) for g in range(0, 256, 51) for b in range(0, 256, 17)],
    np.uint8,
)


def test_oklab_agrees_with_coloraide() -> None:
    ours = oklab(EVERY_17TH)
    theirs = [Color("srgb", [c / 255 for c in rgb]).convert("oklab").coords() for rgb in EVERY_17TH]
    assert np.abs(ours - np.array(theirs)).max() < 2e-4


def test_every_colour_survives_the_way_to_oklab_and_back() -> None:
    assert (srgb(oklab(EVERY_17TH)) == EVERY_17TH).all()


def test_a_colour_outside_srgb_keeps_its_lightness_and_hue() -> None:
    wanted = from_lch(
        np.array([0.7, 0.4, 0.9], np.float32),
        np.array([0.4, 0.4, 0.3], np.float32),
        np.array([2.5, 0.5, 4.6], np.float32),
    )
    shown = into_gamut(wanted)
    assert np.allclose(shown[:, 0], wanted[:, 0], atol=1e-5)
    angle = np.arctan2(shown[:, 2], shown[:, 1]) - np.arctan2(wanted[:, 2], wanted[:, 1])
    assert np.abs(np.sin(angle)).max() < 1e-3
    for lab in shown:
        assert Color("oklab", [float(v) for v in lab]).in_gamut("srgb", tolerance=2e-3)


def test_a_colour_outside_srgb_keeps_as_much_chroma_as_fits() -> None:
    (shown,) = into_gamut(np.array([[0.7, -0.3, 0.2]], np.float32))
    bolder = shown * np.array([1, 1.02, 1.02])
    assert not Color("oklab", [float(v) for v in bolder]).in_gamut("srgb", tolerance=0)


def test_contrast_agrees_with_coloraide() -> None:
    pairs = np.array([[(0, 0, 0), (255, 255, 255)], [(59, 32, 19), (247, 237, 223)]], np.uint8)
    for one, other in pairs:
        theirs = Color(hex_of(one)).contrast(Color(hex_of(other)), method="wcag21")
        assert float(contrast(one, other)) == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize(
    ("word", "inside", "outside"),
    [
        ("brown", ["#2b1608", "#7b4a2b", "#b98a63", "#5d4037"], ["#f7eddf", "#d32f2f", "#808080"]),
        ("green", ["#1f4d36", "#97bc62", "#2e7d32"], ["#3fd0d4", "#7b4a2b", "#ffffff"]),
        ("blue", ["#0a1f44", "#2563eb", "#87ceeb"], ["#5b2be0", "#808080", "#2e7d32"]),
        ("black", ["#000000", "#161616"], ["#3b2013", "#0a1f44", "#808080"]),
        ("white", ["#ffffff", "#fafafa"], ["#f7e3c6", "#bdbdbd"]),
        ("orange", ["#f0913a", "#e67e22"], ["#d32f2f", "#fdd835", "#7b4a2b"]),
        ("grey", ["#808080", "#c0c0c0"], ["#000000", "#ffffff", "#7b4a2b"]),
    ],
)
def test_a_colour_word_means_what_people_mean(
    word: str, inside: list[str], outside: list[str]
) -> None:
    lab = oklab(np.array([list(bytes.fromhex(code[1:])) for code in inside + outside], np.uint8))
    assert members(lab, colour(word, "#000000")).tolist() == [True] * len(inside) + [False] * len(
        outside
    )


def test_an_exact_colour_means_that_colour_only() -> None:
    lab = oklab(np.array([[123, 74, 43], [160, 108, 69], [59, 32, 19]], np.uint8))
    assert members(lab, colour("#7b4a2b", "#7b4a2b", family=False)).tolist() == [True, False, False]
