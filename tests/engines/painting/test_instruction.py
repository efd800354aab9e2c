"""What a model is told has the person's words, what is to stay, and nothing half filled in."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from service.engines.contract import Instruction, PreserveAspect
from service.engines.painting.instruction import compose, template_for

ENGINES = ["openai", "gemini", "replicate", "bfl", "fal", "diffusers"]
ASPECTS = get_args(PreserveAspect)


@pytest.mark.parametrize("engine", ENGINES)
def test_all_that_the_person_said_is_in_it(engine: str) -> None:
    instruction = Instruction("Make it blue", "a cup", "cosy", ASPECTS)
    words = compose(template_for(engine), instruction, "#00b140")
    for said in ("Make it blue", "a cup", "cosy", "#00b140"):
        assert words.count(said) == 1
    for aspect in ASPECTS:
        assert template_for(engine).aspects[aspect] in words


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sentence_about_nothing_is_left_out(engine: str) -> None:
    words = compose(template_for(engine), Instruction("Make it blue"), None)
    assert "Make it blue" in words
    assert not re.search(r"[{}]|None|: *$|Keep *exactly as it is: *\.", words, re.MULTILINE)
    full = compose(template_for(engine), Instruction("x", "y", "z", ASPECTS), "#ffffff")
    assert len(full.splitlines()) == len(words.splitlines()) + 4


@pytest.mark.parametrize("engine", ENGINES)
def test_braces_in_the_person_s_words_are_only_words(engine: str) -> None:
    odd = "Put {logo} {0} {prompt!r} {{}} in braces"
    assert odd in compose(template_for(engine), Instruction(odd, "{theme}", "{kept}"), None)


def test_an_aspect_that_is_named_twice_is_said_once() -> None:
    words = compose(
        template_for("openai"), Instruction("x", preserve_aspects=("colors", "colors")), None
    )
    assert words.count("every colour") == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_the_longest_wish_fits_where_it_is_sent(engine: str) -> None:
    longest = Instruction("x" * 2000, "y" * 2000, "z" * 2000, ASPECTS)
    assert len(compose(template_for(engine), longest, "#ffffff")) < 8_000
