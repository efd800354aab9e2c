"""The default engine: edits logos by instruction, on this machine, the same way every time."""

from __future__ import annotations

from service.engines.contract import (
    Attempt,
    EngineError,
    EngineFailed,
    EngineTimedOut,
    Instruction,
    NothingToApply,
    Refined,
)
from service.engines.embedded.outcome import NAME, Outcome
from service.sandbox import Sandbox, SandboxTimedOut

DEADLINE_S = 20.0


class EmbeddedEngine:
    """An `Engine` that needs no network; each refinement runs in a child process.

    The sandbox stays its owner's: `close` leaves it open.
    """

    def __init__(self, sandbox: Sandbox, *, deadline_s: float = DEADLINE_S) -> None:
        self._sandbox = sandbox
        self._deadline_s = deadline_s

    @property
    def name(self) -> str:
        """Name and version as reports state it."""
        return NAME

    async def refine(self, source: bytes, instruction: Instruction, attempt: Attempt) -> Refined:
        """The refined image; `NothingToApply` when no part of the instruction could be done."""
        try:
            outcome = await self._sandbox.run(
                _apply, source, instruction, deadline_s=self._deadline_s, progress=attempt.progress
            )
        except EngineError:
            raise
        except SandboxTimedOut as error:
            raise EngineTimedOut(EngineTimedOut.__doc__) from error
        except Exception as error:  # a crash of the child, or a fault of ours on an odd image
            raise EngineFailed(EngineFailed.__doc__) from error
        return _refined(outcome)

    async def close(self) -> None:
        """Nothing of its own is open."""


def _apply(source: bytes, instruction: Instruction) -> Outcome:
    """In the child, which alone has the time and memory that the editing takes to import."""
    from service.engines.embedded.apply import apply

    return apply(source, instruction)


def _refined(outcome: Outcome) -> Refined:
    if outcome.image is None:
        raise NothingToApply(outcome.report)
    return Refined(
        outcome.image, outcome.content_type, outcome.width, outcome.height, outcome.report
    )
