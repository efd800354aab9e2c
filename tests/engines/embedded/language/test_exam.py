"""The language's own exam: nearly all of what it is tuned to, and the held-out third beside it."""

from __future__ import annotations

import pytest

from service.engines.embedded.language import read
from tests.engines.embedded.exam.notation import Item, exam, faults


def _wrong(items: list[Item]) -> list[str]:
    found = []
    for item in items:
        wrong = faults(item, read(item.instruction))
        if wrong:
            found.append(f"{item.instruction.prompt}: {'; '.join(wrong)}")
    return found


def test_nearly_all_tuned_instructions_are_wholly_right(capsys: pytest.CaptureFixture[str]) -> None:
    tuned, held_out = exam("tuned"), exam("held_out")
    wrong = _wrong(tuned)
    tuned_share = 1 - len(wrong) / len(tuned)
    held_out_share = 1 - len(_wrong(held_out)) / len(held_out)
    with capsys.disabled():
        print(f"\nlanguage exam: tuned {tuned_share:.1%}, held out {held_out_share:.1%}")
    assert tuned_share >= 0.98, "\n".join(wrong)
    assert held_out_share >= tuned_share - 0.12


def test_no_phrasing_that_was_read_once_is_lost() -> None:
    assert _wrong(exam("phrasings")) == []


def test_a_third_of_the_exam_is_held_out() -> None:
    tuned, held_out = len(exam("tuned")), len(exam("held_out"))
    assert held_out >= 110
    assert tuned >= 220
    assert held_out / (tuned + held_out) > 0.29


def test_no_instruction_is_in_both_parts() -> None:
    prompts = [{i.instruction.prompt.casefold() for i in exam(n)} for n in ("tuned", "held_out")]
    assert not prompts[0] & prompts[1]
