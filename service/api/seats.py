"""Bound how many streams are open at once: each holds a connection for as long as a task takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from service.api.errors import StreamsFull, TooManyStreams


class Seats:
    """The room that one process has for followers, and each user in it."""

    def __init__(self, most: int, most_of_user: int) -> None:
        self._most = most
        self._most_of_user = most_of_user
        self._taken: Counter[UUID] = Counter()

    @contextmanager
    def one(self, user_id: UUID) -> Iterator[None]:
        """Take a seat for as long as the context is open. `StreamsFull` or `TooManyStreams`."""
        if self._taken[user_id] >= self._most_of_user:
            raise TooManyStreams
        if self._taken.total() >= self._most:
            raise StreamsFull
        self._taken[user_id] += 1
        try:
            yield
        finally:
            self._taken[user_id] -= 1
            if not self._taken[user_id]:
                del self._taken[user_id]
