"""The exam of pictures: a part of it in every run; `python -m tests.engines.embedded.exam` is all.

The thresholds are a little below what was reached, so that a change for the worse is seen.
"""

from __future__ import annotations

from functools import cache

import pytest

from tests.engines.embedded.exam.marking import CLAIMED_FOR_NOTHING
from tests.engines.embedded.exam.questions import PARTS, questions
from tests.engines.embedded.exam.sitting import Answer, answer, share_right

EVERY = 32  # question is asked: all of them take minutes
LEAST_TUNED, LEAST_HELD_OUT = 0.9, 0.7


@cache
def answers(part: str) -> list[Answer]:
    """What the engine makes of some questions of every group, marked."""
    return [answer(question) for question in questions(part)[::EVERY]]


def test_most_pictures_are_wholly_right(capsys: pytest.CaptureFixture[str]) -> None:
    tuned, held_out = (share_right(answers(part)) for part in ("tuned", "held_out"))
    with capsys.disabled():
        print(f"\nexam of pictures: tuned {tuned:.1%}, held out {held_out:.1%}")
    wrong = [(x.question.instruction.prompt, x.faults) for x in answers("tuned") if x.faults]
    assert tuned >= LEAST_TUNED, wrong
    assert held_out >= LEAST_HELD_OUT


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_claimed_on_an_unchanged_picture(part: str) -> None:
    claimed = [x.question for x in answers(part) if CLAIMED_FOR_NOTHING in x.faults]
    assert not claimed


def test_no_picture_that_is_held_out_is_tuned_to() -> None:
    tuned, held_out = (
        {(q.subject, q.instruction.prompt.casefold()) for q in questions(part)}
        for part in ("tuned", "held_out")
    )
    assert len(tuned) >= 450
    assert len(held_out) >= 80
    assert not tuned & held_out


def test_every_group_of_the_held_out_part_is_tuned_to_in_other_words() -> None:
    held_out, tuned = ({q.group for q in questions(part)} for part in PARTS)
    assert held_out <= tuned
