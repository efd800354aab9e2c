"""The exam as pictures: what was asked moved, the rest did not, and nothing is claimed for free."""

from __future__ import annotations

from functools import cache

from service.engines.embedded.apply import perform
from service.engines.embedded.language import read
from tests.engines.embedded.exam.consequences import Seen, faults
from tests.engines.embedded.exam.notation import Item, exam
from tests.engines.embedded.pixels import logo, picture_of

PNG = "image/png"
ITEMS = exam("tuned")[::6]  # all of them take minutes


@cache
def picture_faults() -> dict[str, list[str]]:
    """What is wrong with the pictures of a part of the exam, by prompt."""
    found = {item.instruction.prompt: _faults_of(item) for item in ITEMS}
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


def test_nearly_all_pictures_are_wholly_right() -> None:
    wrong = picture_faults()
    assert len(wrong) <= 0.03 * len(ITEMS), wrong


def test_no_edit_is_claimed_on_an_unchanged_picture() -> None:
    claimed = [p for p, wrong in picture_faults().items() if "unchanged" in "".join(wrong)]
    assert not claimed
