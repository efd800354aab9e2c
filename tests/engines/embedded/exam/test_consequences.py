"""The exam as pictures: what was asked moved, the rest did not, and nothing is claimed for free."""

from __future__ import annotations

from functools import cache

import pytest

from service.engines.embedded.apply import perform
from service.engines.embedded.language import read
from tests.engines.embedded.exam.consequences import Seen, faults
from tests.engines.embedded.exam.notation import Item, exam
from tests.engines.embedded.pixels import logo, picture_of

PNG = "image/png"


@cache
def picture_faults(part: str) -> dict[str, list[str]]:
    """What is wrong with the pictures of one part of the exam, by prompt."""
    found = {item.instruction.prompt: _faults_of(item) for item in exam(part)}
    return {prompt: faults for prompt, faults in found.items() if faults}


def _faults_of(item: Item) -> list[str]:
    drawn = logo(item.logo)
    source = drawn.render()
    plan = read(item.instruction)
    outcome = perform(source, plan)
    report = outcome.report
    if outcome.image is None:
        return [] if report["not_applied"] else ["neither done nor declined"]
    if outcome.content_type != PNG:
        return []
    return faults(Seen(drawn, source, picture_of(outcome), plan, report))


@pytest.mark.parametrize("part", ["tuned", "held_out"])
def test_nearly_all_pictures_of_the_exam_are_wholly_right(part: str) -> None:
    wrong = picture_faults(part)
    assert len(wrong) <= 0.02 * len(exam(part)), wrong


@pytest.mark.parametrize("part", ["tuned", "held_out"])
def test_no_edit_is_claimed_on_an_unchanged_picture(part: str) -> None:
    claimed = [p for p, wrong in picture_faults(part).items() if "unchanged" in "".join(wrong)]
    assert not claimed
