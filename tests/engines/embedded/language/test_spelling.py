"""Typing errors are mended, and no word is invented."""

from __future__ import annotations

import pytest

from service.engines.embedded.language.spelling import british, mended
from tests.engines.embedded.language.reading import edits_of, plan_of


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ligther", "lighter"),
        ("backgroud", "background"),
        ("trasnparent", "transparent"),
        ("minimlist", "minimalist"),
        ("grean", "green"),
        ("purpel", "purple"),
        ("contarst", "contrast"),
        ("remvoe", "remove"),
        ("tagine", "tagline"),
        ("cetner", "centre"),
    ],
)
def test_a_slip_is_mended_to_the_word_that_was_meant(typed: str, meant: str) -> None:
    assert mended(typed) == meant


@pytest.mark.parametrize("word", ["drop", "form", "bean", "steam", "stork", "crow", "lime", "crab"])
def test_a_word_of_english_is_never_changed(word: str) -> None:
    assert mended(word) is None


@pytest.mark.parametrize("word", ["zorg", "wibble", "flibber", "frobnicate", "xy"])
def test_a_word_in_doubt_is_left_alone(word: str) -> None:
    assert mended(word) is None


def test_drop_is_not_crop() -> None:
    assert edits_of("drop the tagline") == ["remove tagline"]


def test_a_correction_is_reported_as_typed_and_as_read() -> None:
    assert plan_of("make it ligther").corrections == (("ligther", "lighter"),)


def test_words_of_the_description_are_left_alone() -> None:
    assert plan_of("make the brwonie darker", "a brwonie on a plate").corrections == ()


def test_names_within_a_sentence_are_left_alone() -> None:
    assert plan_of("make the Ligther wordmark navy").corrections == ()


@pytest.mark.parametrize(
    ("american", "form"),
    [("color", "colour"), ("gray", "grey"), ("centered", "centred"), ("vectorize", "vectorise")],
)
def test_american_spelling_is_no_error(american: str, form: str) -> None:
    assert british(american) == form
    assert plan_of(f"{american} it").corrections == ()
