"""Descriptions of the logo as context, and what is ticked to be preserved."""

from __future__ import annotations

import pytest

from service.engines.contract import PreserveAspect
from service.engines.embedded.plan import Keep, Part, Target
from tests.engines.embedded.language.reading import edits_of, plan_of

COFFEE = (
    "A brown cup with a cream bean on it, the wordmark 'BREW & BEAN' and the tagline"
    " 'SMALL BATCH COFFEE'"
)


def test_a_drawn_noun_is_placed_in_the_icon_with_the_colour_it_was_said_to_have() -> None:
    target = plan_of("make the bean darker", COFFEE).edits[0].target
    assert (target.part, target.noun) == (Part.ICON, "bean")
    assert target.colour is not None
    assert target.colour.name == "cream"


def test_a_noun_without_a_description_is_left_to_the_pixels() -> None:
    assert plan_of("make the bean darker").edits[0].target == Target(noun="bean")


@pytest.mark.parametrize("name", ["Brew & Bean", "BREW & BEAN", "'Brew and Bean'"])
def test_the_name_that_a_logo_bears_is_its_lettering(name: str) -> None:
    assert edits_of(f"make {name} navy", COFFEE) == ["recolour text → navy"]


def test_the_words_of_the_tagline_are_the_tagline() -> None:
    assert edits_of('make "Small batch coffee" bigger', COFFEE) == ["scale tagline"]


@pytest.mark.parametrize(
    ("prompt", "aspect"),
    [
        ("make it blue", "colors"),
        ("lighten the browns", "colors"),
        ("make it blue", "color_scheme"),
        ("move the text up", "layout"),
        ("make the text bigger", "proportions"),
        ("make the text bolder", "shapes"),
        ("remove the icon", "symbols"),
        ("turn it into line art", "style"),
    ],
)
def test_an_ask_against_a_preserved_aspect_is_a_conflict(
    prompt: str, aspect: PreserveAspect
) -> None:
    plan = plan_of(prompt, preserve=(aspect,))
    assert not plan.edits
    assert [declined.reason for declined in plan.declined] == ["conflict"]


@pytest.mark.parametrize(
    ("prompt", "aspect"),
    [
        ("transparent background", "colors"),
        ("make it bolder", "colors"),
        ("lighten the browns", "layout"),
        ("make the logo bigger", "layout"),
        ("remove the tagline", "shapes"),
        ("make it more minimalist", "symbols"),
    ],
)
def test_an_ask_beside_a_preserved_aspect_goes_ahead(prompt: str, aspect: PreserveAspect) -> None:
    plan = plan_of(prompt, preserve=(aspect,))
    assert plan.edits
    assert not plan.declined


def test_a_preserved_scheme_allows_lighter_colours_and_says_so() -> None:
    plan = plan_of("use lighter browns", preserve=("color_scheme",))
    assert plan.edits
    assert "colour scheme is preserved" in plan.assumptions[0]


def test_preserved_aspects_protect_with_an_empty_span() -> None:
    kept = plan_of("simplify it", preserve=("colors",)).constraints
    assert [(c.keep, c.target.part, c.span) for c in kept] == [(Keep.COLOUR, Part.ARTWORK, "")]
