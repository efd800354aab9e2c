"""Colour words: names, codes, modifiers, and things that are not colours."""

from __future__ import annotations

import pytest
from coloraide import Color

from service.engines.embedded.plan import Colour
from tests.engines.embedded.language.reading import edits_of, plan_of


def _to(prompt: str) -> Colour:
    colour = plan_of(prompt).edits[0].to
    assert colour is not None
    return colour


def _lch(colour: Colour) -> tuple[float, float, float]:
    lightness, chroma, hue = Color("srgb", [c / 255 for c in colour.rgb]).convert("oklch").coords()
    return lightness, chroma, hue


@pytest.mark.parametrize(
    ("code", "rgb"),
    [
        ("#abc", (170, 187, 204)),
        ("#1E3A8A", (30, 58, 138)),
        ("rgb(20, 60, 120)", (20, 60, 120)),
    ],
)
def test_a_code_is_one_exact_colour(code: str, rgb: tuple[int, int, int]) -> None:
    colour = _to(f"make the text {code}")
    assert colour.rgb == rgb
    assert not colour.family


@pytest.mark.parametrize("name", ["forest", "terracotta", "mustard", "sage", "papayawhip"])
def test_designers_and_css_names_are_families(name: str) -> None:
    assert _to(f"make the text {name}").family


def test_modifiers_move_lightness_and_strength_and_keep_the_hue() -> None:
    plain, pale, deep = (_lch(_to(f"make the text {w}green")) for w in ("", "pale ", "deep "))
    assert pale[0] > plain[0] > deep[0]
    assert pale[1] < plain[1]
    assert pale[2] == pytest.approx(plain[2], abs=6)


def test_a_very_light_colour_is_lighter_than_a_light_one() -> None:
    very, light = (_lch(_to(f"make the text {w} grey"))[0] for w in ("very light", "light"))
    assert very > light


def test_reddish_brown_is_brown_with_some_red() -> None:
    assert _to("make the text reddish brown").name == "reddish brown"
    assert edits_of("make the text brownish") == ["recolour text → brown"]


def test_a_thing_that_is_also_a_colour_is_told_by_its_article() -> None:
    assert edits_of("make the icon rose") == ["recolour icon → rose"]
    assert edits_of("replace the icon with a rose") == []
    assert edits_of("replace the red with a rose") == ["recolour colour:red → rose"]


def test_a_coffee_cup_is_not_a_cup_of_that_colour() -> None:
    assert edits_of("make the coffee cup darker") == ["darken noun:coffee cup"]
