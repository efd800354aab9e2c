"""Put questions to the engine and count the answers that are wholly right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from service.engines.embedded.apply import apply
from service.engines.embedded.outcome import Outcome
from tests.engines.embedded.exam.drawings import subject
from tests.engines.embedded.exam.marking import faults
from tests.engines.embedded.exam.questions import Question


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine made of a question, and what is wrong with it."""

    question: Question
    outcome: Outcome
    faults: tuple[str, ...]


def answer(question: Question) -> Answer:
    """Let the engine work on a question, from file to file."""
    about = subject(question.subject)
    outcome = apply(about.file, question.instruction)
    return Answer(question, outcome, tuple(faults(question, about, outcome)))


def share_right(answers: Sequence[Answer]) -> float:
    """The part of the answers that are wholly right, 0–1."""
    return sum(not given.faults for given in answers) / len(answers)


def scores(answers: Sequence[Answer]) -> str:
    """The score as a line, then the groups that are not wholly right."""
    asked = Counter(given.question.group for given in answers)
    right = Counter(given.question.group for given in answers if not given.faults)
    groups = [f"{group} {right[group]}/{n}" for group, n in asked.items() if right[group] < n]
    total = f"{sum(right.values())} of {len(answers)} wholly right ({share_right(answers):.1%})"
    return f"{total}; {', '.join(groups)}" if groups else total
