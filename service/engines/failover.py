"""Try engines in order until one does the work, and leave those alone that are out of order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from service.engines.circuit import Circuit, CircuitState
from service.engines.contract import (
    Attempt,
    ContentRejected,
    Engine,
    EngineError,
    EngineRefused,
    Instruction,
    NothingToApply,
    Refined,
)
from service.engines.metrics import EngineMetrics

log = structlog.get_logger()

_LEVELS = {CircuitState.CLOSED: 0.0, CircuitState.HALF_OPEN: 1.0, CircuitState.OPEN: 2.0}


@dataclass(frozen=True, slots=True)
class Member:
    """An engine as it is named in `ENGINE`, and the circuit to it."""

    key: str
    engine: Engine
    circuit: Circuit


class Failover:
    """An `Engine` made of several. What one has been paid for, it is asked for first.

    What it is given to close besides its members is closed after them.
    """

    def __init__(
        self,
        members: Sequence[Member],
        metrics: EngineMetrics,
        *,
        closing: AsyncExitStack | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._members = tuple(members)
        self._metrics = metrics
        self._closing = closing or AsyncExitStack()
        self._clock = clock
        for member in self._members:
            metrics.watch_circuit(member.key, partial(_level, member.circuit))

    @property
    def name(self) -> str:
        """The names of all, in order; a report names the one that did the work."""
        return ",".join(member.engine.name for member in self._members)

    def states(self) -> dict[str, str]:
        """`closed`, `half-open` or `open` for each engine, by its name in `ENGINE`."""
        return {member.key: str(member.circuit.state) for member in self._members}

    async def refine(self, source: bytes, instruction: Instruction, attempt: Attempt) -> Refined:
        """The image of the first engine that has one.

        When none has, the error is the one that leaves the most hope: that of an engine that may
        do it in another try, before one that says why it cannot.
        """
        note = dict(attempt.resume or {})

        async def keep(new: Mapping[str, Any]) -> None:
            await attempt.keep(new)
            note.clear()
            note.update(new)

        holder = note.get("engine") if note.get("job") else None
        errors: list[EngineError] = []
        for member in sorted(self._members, key=lambda member: member.key != holder):
            one = replace(attempt, resume=dict(note), keep=keep)
            try:
                return await self._through(member, source, instruction, one, member.key == holder)
            except ContentRejected:
                # another engine is not a way around a refusal of the content
                raise
            except EngineError as error:
                errors.append(error)
        raise min(errors, key=_despair)

    async def close(self) -> None:
        """Close every engine, then what they share; safe to call twice."""
        for member in self._members:
            await member.engine.close()
        await self._closing.aclose()

    async def _through(
        self,
        member: Member,
        source: bytes,
        instruction: Instruction,
        attempt: Attempt,
        has_job: bool,
    ) -> Refined:
        """One engine's work, counted. A job that is paid for is asked for in any case."""
        with member.circuit.passage(always=has_job):
            started = self._clock()
            try:
                refined = await member.engine.refine(source, instruction, attempt)
            except EngineError as error:
                self._metrics.ended(member.key, error.code, self._clock() - started)
                log.info("engine_ended", engine=member.key, error_code=error.code)
                raise
        self._metrics.ended(member.key, "image", self._clock() - started)
        return refined


def _level(circuit: Circuit) -> float:
    return _LEVELS[circuit.state]


def _despair(error: EngineError) -> tuple[int, float]:
    """The less, the more there is to hope for: first what may pass, and that the sooner."""
    if error.retryable:
        return 0, error.retry_after_s or 0.0
    match error:
        case NothingToApply():
            return 1, 0.0
        case EngineRefused():
            return 3, 0.0
        case _:
            return 2, 0.0
