"""How long to wait before the next try."""

from __future__ import annotations

import random


class Backoff:
    """Full jitter: a wait anywhere between nothing and a bound that doubles with each failure.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    def __init__(self, *, first_s: float = 0.1, cap_s: float) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._bound_s = first_s

    def next_s(self) -> float:
        """The next wait."""
        bound_s = min(self._bound_s, self._cap_s)
        self._bound_s = bound_s * 2
        return random.uniform(0, bound_s)

    def reset(self) -> None:
        """Start over: something worked."""
        self._bound_s = self._first_s
