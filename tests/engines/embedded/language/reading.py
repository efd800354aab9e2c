"""Short forms for tests of the language: read a prompt, and write a plan down in words."""

from __future__ import annotations

from service.engines.contract import Instruction, PreserveAspect
from service.engines.embedded.language import read
from service.engines.embedded.plan import Plan


def plan_of(
    prompt: str, description: str | None = None, *, preserve: tuple[PreserveAspect, ...] = ()
) -> Plan:
    """The plan of a prompt."""
    return read(Instruction(prompt, logo_description=description, preserve_aspects=preserve))


def edits_of(prompt: str, description: str | None = None) -> list[str]:
    """The edits of a prompt as "op target" or "op target → colour"."""
    return [
        f"{edit.op} {edit.target}" + (f" → {edit.to.name}" if edit.to else "")
        for edit in plan_of(prompt, description).edits
    ]


def kept_of(prompt: str) -> list[str]:
    """The constraints of a prompt as "keep target"."""
    return [f"{kept.keep} {kept.target}" for kept in plan_of(prompt).constraints]


def reasons_of(prompt: str) -> list[str]:
    """Why parts of a prompt are declined."""
    return [declined.reason for declined in plan_of(prompt).declined]
