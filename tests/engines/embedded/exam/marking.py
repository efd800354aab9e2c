"""Mark one answer of the engine: what is seen, what is claimed, and what nobody asks for."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from service.engines.contract import Report
from service.engines.embedded.outcome import Outcome
from tests.engines.embedded.exam.checks import CHECKS
from tests.engines.embedded.exam.drawings import Subject
from tests.engines.embedded.exam.edges import halo_fault, text_fault
from tests.engines.embedded.exam.frame import WHOLE, whole_fault
from tests.engines.embedded.exam.questions import Question
from tests.engines.embedded.exam.sight import GROUND, Picture, Sight

# After these every shape is where it was, so edges and lettering can be held against the truth.
_SHAPES_STAY = {
    "recolour", "lighten", "darken", "warmer", "cooler", "pastel", "mute", "vivid", "earthy",
    "neon", "monochrome", "harmony", "flatten", "invert", "dark_mode", "light_mode", "contrast",
    "brightness", "background",
}  # fmt: skip
_KEYS = {
    "engine", "outcome", "understood", "applied", "not_applied", "assumptions", "corrections",
    "warnings", "palette",
}  # fmt: skip
CLAIMED_FOR_NOTHING = "a claim on an unchanged picture"
_BARELY = 2  # levels
_COMPARED = ("same", "gone", "inside-same", "clear", "is", "like")


def faults(question: Question, subject: Subject, outcome: Outcome) -> list[str]:
    """What is wrong with an answer, a line each; empty when it is wholly right."""
    after = picture_of(outcome)
    found = report_faults(outcome.report, subject.pixels, after)
    if question.either and after is None:
        return found
    if question.unchanged or after is None:
        found += [] if question.unchanged == (after is None) else [_presence(outcome)]
        return found + _refusals(question, outcome.report)
    found += _refusals(question, outcome.report)
    sight = Sight(subject.pixels, after, subject.logo, subject.name.endswith("_jpeg"))
    found += seen_faults(question, sight)
    ops = {edit["op"] for edit in outcome.report["applied"]}
    if sight.logo is not None and ops <= _SHAPES_STAY and not sight.resized:
        found += [x for x in (halo_fault(sight),) if x]
        found += [x for name in sight.text_layers if (x := text_fault(sight, name))]
    return found


def picture_of(outcome: Outcome) -> Picture | None:
    """The new picture as straight RGBA; None when there is none."""
    if outcome.image is None:
        return None
    return np.asarray(Image.open(io.BytesIO(outcome.image)).convert("RGBA"))


def _presence(outcome: Outcome) -> str:
    if outcome.image is None:
        reasons = [f"{x['span']}: {x['reason']}" for x in outcome.report["not_applied"]]
        return f"nothing was done: {'; '.join(reasons)}"
    return f"done though it should not be: {[x['summary'] for x in outcome.report['applied']]}"


def report_faults(report: Report, before: Picture, after: Picture | None) -> list[str]:
    """What is wrong with a report whatever the question was."""
    found = []
    if set(report) != _KEYS:
        found.append(f"keys of the report: {sorted(set(report) ^ _KEYS)}")
    applied, left = report["applied"], report["not_applied"]
    outcome = "none" if not applied else "partial" if left else "complete"
    if report["outcome"] != outcome:
        found.append(f"the outcome is {outcome}, not {report['outcome']}")
    if bool(applied) != (after is not None):
        found.append("a picture without a claim, or a claim without a picture")
    if not applied and not left:
        found.append("neither done nor declined")
    if after is not None and after.shape == before.shape:
        difference = np.abs(after.astype(np.int16) - before.astype(np.int16))
        if int(difference.max()) <= _BARELY:
            found.append(CLAIMED_FOR_NOTHING)
    found += [f"no sentence: {x}" for x in left if len(x["message"]) < 12 or not x["span"]]
    return found


def _refusals(question: Question, report: Report) -> list[str]:
    allowed = [set(wanted.split("|")) for wanted in question.refused]
    reasons = {x["reason"] for x in report["not_applied"]}
    missing = [wanted for wanted in allowed if not wanted & reasons]
    known = set().union(*allowed)
    found = [f"not declined: {'|'.join(sorted(wanted))}" for wanted in missing]
    return found + [
        f"declined without need: {x['span']} ({x['reason']})"
        for x in report["not_applied"]
        if x["reason"] not in known
    ]


def seen_faults(question: Question, sight: Sight) -> list[str]:
    """What is seen and should not be, or the other way about."""
    found: list[str] = []
    spoken: set[str] = set()
    wanted: dict[str, tuple[str, ...]] = {}
    for line in question.see:
        if line.startswith(WHOLE):
            fault = whole_fault(sight, line)
            found += [f"{line}: {fault}"] if fault else []
            continue
        names, *checks = line.split()
        for name in names.split(","):
            wanted[name] = (*wanted.get(name, ()), *checks)
            spoken |= _members(sight, name)
    others = wanted.pop("rest", ("same",))
    for name in [n for n in (*sight.layers, GROUND) if n not in spoken]:
        wanted[name] = others
    for name, asked in wanted.items():
        found += _checked(sight, name, asked)
    return found


def _members(sight: Sight, name: str) -> set[str]:
    return {"art": set(sight.layers), "all": {*sight.layers, GROUND}, "rest": set()}.get(
        name, {name}
    )


def _checked(sight: Sight, name: str, checks: tuple[str, ...]) -> list[str]:
    found = []
    for check in checks:
        word, _, argument = check.partition(":")
        if word == "free":
            continue
        if sight.resized and word in _COMPARED:
            found.append(f"{name} {check}: the canvas has another size")
            continue
        if name not in ("all", "art") and not sight.solid(name).any():
            continue
        fault = CHECKS[word](sight, name, argument)
        found += [f"{name} {check}: {fault}"] if fault else []
    return found
