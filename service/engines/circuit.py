"""Leave an engine alone that keeps being out of order, and find out when it works again.

Not built on a library: of those there are (purgatory, pybreaker, circuitbreaker, aiobreaker) none
has had a release within a year, and all of them take a cancelled call for a success and let every
waiting call through at the first trial. People cancel refinements all the time, and each trial can
cost money.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from service.engines.contract import (
    EngineError,
    EngineRefused,
    EngineTimedOut,
    EngineUnavailable,
)

# what an engine says when it is out of order; anything else shows that it works
_OUTAGES = (EngineUnavailable, EngineRefused, EngineTimedOut)


class CircuitState(StrEnum):
    """Whether an engine is used."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


class Circuit:
    """Open after `most_failures` outages in a row, for `open_s`; then one call tries again.

    For calls of one event loop. `clock` counts seconds and never goes back.
    """

    def __init__(
        self,
        *,
        most_failures: int = 3,
        open_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_failures = most_failures
        self._open_s = open_s
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._on_trial = False

    @property
    def state(self) -> CircuitState:
        """Whether a call would be let through: all, one, or none."""
        if self._opened_at is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self.open_for_s > 0 else CircuitState.HALF_OPEN

    @property
    def open_for_s(self) -> float:
        """How long until a call is let through again."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self._open_s - self._clock())

    @contextmanager
    def passage(self, *, always: bool = False) -> Iterator[None]:
        """Let a call through and learn from its end; raises `EngineUnavailable` instead.

        With `always` nothing holds the call up.
        """
        trial = self._opened_at is not None and not always
        if trial and (self._on_trial or self.open_for_s > 0):
            raise EngineUnavailable(max(self.open_for_s, 1.0))
        if trial:
            self._on_trial = True
        try:
            yield
        except EngineError as error:
            self._learn(failed=isinstance(error, _OUTAGES))
            raise
        else:
            self._learn(failed=False)
        finally:
            # of a call that was cancelled nothing is learnt, but its turn is over
            if trial:
                self._on_trial = False

    def _learn(self, *, failed: bool) -> None:
        if not failed:
            self._failures, self._opened_at = 0, None
            return
        self._failures += 1
        if self._failures >= self._most_failures:
            self._opened_at = self._clock()
