"""Reading a prompt: what is asked, in the person's own words, or an honest decline."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.engines.contract import Instruction
from service.engines.embedded.language import read
from service.engines.embedded.plan import Op, Part
from tests.engines.embedded.language.reading import edits_of, kept_of, plan_of, reasons_of


def test_the_seeds_prompt_simplifies_and_lightens_the_browns() -> None:
    plan = plan_of("Make the logo more minimalist and use lighter shades of brown")
    assert [(edit.op, str(edit.target), edit.span) for edit in plan.edits] == [
        (Op.SIMPLIFY, "image", "Make the logo more minimalist"),
        (Op.LIGHTEN, "colour:brown", "use lighter shades of brown"),
    ]
    assert not plan.declined
    assert not plan.constraints


def test_a_span_takes_in_the_particle_that_stands_apart() -> None:
    assert plan_of("Could you tone the red down, please?").edits[0].span == "tone the red down"


@pytest.mark.parametrize(
    ("words", "amount"),
    [
        ("lighten the brown", 0.4),
        ("lighten the brown slightly", 0.2),
        ("make the brown much lighter", 0.68),
        ("lighten the brown by 30%", 0.3),
        ("lighten the brown completely", 1.0),
        ("make the icon bigger", 1.25),
        ("make the icon twice as big", 2.0),
        ("make the icon 20 % smaller", 0.8),
        ("scale the icon to 60%", 0.6),
        ("halve the size of the icon", 0.5),
        ("lower the contrast by a third", -0.33),
        ("upscale it 3x", 3.0),
    ],
)
def test_amounts_follow_the_persons_words(words: str, amount: float) -> None:
    assert plan_of(words).edits[0].amount == pytest.approx(amount)


def test_too_much_and_not_enough_turn_the_direction_round() -> None:
    assert edits_of("the text is too dark") == ["lighten text"]
    assert edits_of("the text isn't dark enough") == ["darken text"]
    assert edits_of("there isn't enough contrast") == ["contrast artwork"]
    assert plan_of("too much contrast").edits[0].amount == pytest.approx(-0.4)


def test_a_pronoun_means_what_was_spoken_of_last() -> None:
    assert edits_of("The orange feels loud. Tone it down and make it warmer.") == [
        "mute colour:orange",
        "warmer colour:orange",
    ]


def test_it_is_the_logo_where_the_last_thing_could_not_be_meant() -> None:
    assert edits_of("make the background cream and make it bigger") == [
        "background background → cream",
        "scale artwork",
    ]


def test_then_begins_a_new_step() -> None:
    plan = plan_of("remove the tagline, then make it bigger and after that rotate it by 5 degrees")
    assert [edit.step for edit in plan.edits] == [0, 1, 2]


def test_a_reason_asks_for_nothing_of_its_own() -> None:
    assert edits_of("make the text bolder because it gets lost on small screens") == ["bolder text"]


def test_a_reason_is_read_when_nothing_else_is_asked() -> None:
    assert edits_of("it needs some love because it is too dark") == ["lighten artwork"]


def test_swapping_two_colours_with_each_other_is_an_exchange() -> None:
    edit = plan_of("swap the blue and the red").edits[0]
    assert (str(edit.target), edit.to and edit.to.name, edit.mode) == (
        "colour:blue",
        "red",
        "exchange",
    )


def test_the_understood_part_of_a_compound_is_done_and_the_rest_declined_by_span() -> None:
    plan = plan_of("Lighten the brown and add a tree behind the cup")
    assert [str(edit.op) for edit in plan.edits] == ["lighten"]
    assert [(d.span, d.reason) for d in plan.declined] == [
        ("add a tree behind the cup", "needs_generative")
    ]


@pytest.mark.parametrize(
    "prompt",
    [
        "replace the bean with a cat",
        "add steam",
        "use a new font",
        "translate the text into French",
        "make it 3D",
        "make it photorealistic",
        'change the text to "Cumulus"',
        "give the bean a different pose",
        "add my phone number",
        "replace the bean with a rose",
    ],
)
def test_what_needs_drawing_is_declined_with_a_sentence(prompt: str) -> None:
    plan = plan_of(prompt)
    assert not plan.edits
    assert [declined.reason for declined in plan.declined] == ["needs_generative"]
    assert plan.declined[0].message.endswith(".")


@pytest.mark.parametrize(
    "prompt",
    [
        "make it flibber",
        "the quick brown fox jumps over the lazy dog",
        "do what we said on Monday",
        "fling the wombat sideways",
        "hello",
        "!!!",
    ],
)
def test_what_nobody_understands_is_declined_and_never_guessed(prompt: str) -> None:
    plan = plan_of(prompt)
    assert {declined.reason for declined in plan.declined} == {"not_understood"} or not plan.edits


def test_a_letter_of_a_word_is_not_taken_for_the_word() -> None:
    assert edits_of("make the R bigger") == []
    assert edits_of("make the first letter red") == []
    assert reasons_of("make the R bigger") == ["limit"]


def test_vague_words_are_taken_with_little_confidence_and_said_so() -> None:
    plan = plan_of("make it look more premium")
    assert plan.edits
    assert all(edit.confidence < 0.6 for edit in plan.edits)
    assert "premium" in plan.assumptions[0]


def test_the_opposite_of_a_vague_word_is_never_the_word() -> None:
    assert edits_of("it's too corporate") == ["vivid artwork"]
    assert edits_of("make it less modern") == []


def test_a_named_part_without_a_wish_is_declined() -> None:
    assert reasons_of("the background") == ["not_understood"]


@pytest.mark.parametrize(
    ("prompt", "edits", "kept"),
    [
        ("make it simpler but don't change the colours", ["simplify image"], ["colour artwork"]),
        ("lighten the icon and leave the text alone", ["lighten icon"], ["everything text"]),
        ("without altering the text, darken the icon", ["darken icon"], ["everything text"]),
        ("make it warmer, not the background", ["warmer artwork"], ["everything background"]),
        ("no need to touch the text, lighten the icon", ["lighten icon"], ["everything text"]),
        ("don't remove the tagline, just shrink it", ["scale tagline"], ["shape tagline"]),
        ("make everything but the tagline lighter", ["lighten artwork"], ["everything tagline"]),
        ("make the text navy, but keep its size", ["recolour text → navy"], ["place text"]),
        ("don't make it darker, make it warmer", ["warmer artwork"], []),
    ],
)
def test_negations_protect_and_never_delete(prompt: str, edits: list[str], kept: list[str]) -> None:
    assert edits_of(prompt) == edits
    assert kept_of(prompt) == kept


def test_no_with_a_thing_takes_it_away() -> None:
    assert edits_of("no gradients") == ["flatten image"]
    assert edits_of("no tagline please") == ["remove tagline"]


def test_not_too_tempers_what_was_asked() -> None:
    assert plan_of("darken it, but not too dark").edits[0].amount == pytest.approx(0.2)


def test_everything_else_protects_what_no_edit_is_for() -> None:
    assert kept_of("make the background navy and leave everything else as it is") == [
        "everything icon",
        "everything text",
    ]


def test_a_prompt_that_only_protects_says_so() -> None:
    plan = plan_of("don't touch the text")
    assert not plan.edits
    assert "asks for no change" in plan.declined[0].message


def test_contradictions_are_declined_as_conflicts() -> None:
    assert reasons_of("make it blue but don't change the colours") == ["conflict"]


def test_bullets_and_numbers_are_a_list_of_wishes() -> None:
    assert edits_of("- bolder text\n- white background\n2. remove the dots") == [
        "bolder text",
        "background background → white",
        "remove dots",
    ]


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_text_at_all_is_read_without_a_fault(prompt: str) -> None:
    plan = read(Instruction(prompt or "x"))
    spans = [e.span for e in plan.edits] + [d.span for d in plan.declined]
    assert all(span in (prompt or "x") for span in spans)


_WORDS = st.sampled_from(
    [
        "make",
        "the",
        "text",
        "brown",
        "lighter",
        "not",
        "remove",
        "without",
        "it",
        "and",
        ",",
        ".",
        "but",
        "background",
        "bigger",
        "too",
        "don't",
        "keep",
        "except",
        "only",
        "swap",
        "for",
        "to",
        "navy",
        "a",
        "bit",
        "icon",
        "tagline",
        "cat",
        "then",
        "so",
        "because",
        "change",
        "all",
    ]
)


@settings(deadline=None)
@given(st.lists(_WORDS, min_size=1, max_size=14).map(" ".join))
def test_any_words_in_any_order_are_read_twice_alike(prompt: str) -> None:
    assert read(Instruction(prompt)) == read(Instruction(prompt))


def test_parts_of_the_plan_are_real_parts() -> None:
    assert plan_of("bolder lettering").edits[0].target.part is Part.TEXT


@pytest.mark.parametrize(
    ("prompt", "edits"),
    [
        ("add a white background", ["background background → white"]),
        ("make the background dark", ["background background → near black"]),
        ("make the background darker", ["darken background"]),
        ("make the triangle yellow", ["recolour noun:triangle → yellow"]),
        ("make the star pink", ["recolour noun:star → pink"]),
        ("make the bar orange", ["recolour noun:bar → orange"]),
        ("thicker ring", ["bolder noun:ring"]),
    ],
)
def test_words_that_mean_something_else_elsewhere_are_things_after_the(
    prompt: str, edits: list[str]
) -> None:
    assert edits_of(prompt) == edits


@pytest.mark.parametrize("prompt", ["add a triangle", "turn the logo into a hexagon", "add wings"])
def test_what_is_not_there_yet_would_have_to_be_drawn(prompt: str) -> None:
    assert edits_of(prompt) == []
    assert reasons_of(prompt) == ["needs_generative"]
