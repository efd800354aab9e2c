"""An engine whose work a test directs; it stands where a model of someone else's would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from service.engines.contract import Attempt, EngineError, Instruction, Refined, Report

Behaviour = Callable[[bytes, Instruction, Attempt], Awaitable[Refined]]


def a_report() -> Report:
    """A report of one edit that was done."""
    return {
        "engine": "scripted/1",
        "outcome": "complete",
        "understood": [],
        "applied": [],
        "not_applied": [],
        "assumptions": [],
        "corrections": [],
        "warnings": [],
        "palette": {"before": [], "after": []},
    }


async def echo(source: bytes, _instruction: Instruction, _attempt: Attempt) -> Refined:
    """Give the image back as it came."""
    return Refined(source, "image/png", 8, 8, a_report())


@dataclass
class ScriptedEngine:
    """Does what `behaviour` says; `calls` has every instruction, `canceled` counts stopped ones."""

    behaviour: Behaviour = echo
    calls: list[Instruction] = field(default_factory=list)
    canceled: int = 0
    name: str = "scripted/1"

    async def refine(self, source: bytes, instruction: Instruction, attempt: Attempt) -> Refined:
        self.calls.append(instruction)
        try:
            return await self.behaviour(source, instruction, attempt)
        except asyncio.CancelledError:
            self.canceled += 1
            raise

    async def close(self) -> None:
        """There is nothing to release."""

    def hold(self) -> asyncio.Event:
        """Make every call wait until the event is set."""
        gate = asyncio.Event()

        async def wait(source: bytes, instruction: Instruction, attempt: Attempt) -> Refined:
            attempt.progress(0.5, "Working on it")
            await gate.wait()
            return await echo(source, instruction, attempt)

        self.behaviour = wait
        return gate

    def fail(self, *errors: Exception) -> None:
        """Raise these errors, one a call, and echo after that."""
        left = list(errors)

        async def raise_next(source: bytes, instruction: Instruction, attempt: Attempt) -> Refined:
            if left:
                raise left.pop(0)
            return await echo(source, instruction, attempt)

        self.behaviour = raise_next


class Flaky(EngineError):
    """It did not work this time."""

    code = "engine_unavailable"
    retryable = True
