"""Gather what is asked for one by one into calls for many, without keeping anyone waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass

# more would have what comes after wait as one: the database would idle while the disk writes
BATCH_MOST = 25


@dataclass(frozen=True, slots=True)
class _Asked[Item, Answer]:
    item: Item
    answer: asyncio.Future[Answer]

    def tell(self, answer: Answer) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Batches[Item, Answer]:
    """One kind of call. `run` gets up to 25 items and answers each, in their order.

    What is asked for in one turn of the loop goes together, and so does what gathers while
    `at_once` calls are under way; a single item waits for nobody. Of items that `apart` gives the
    same value, no two go together. Who stops waiting does not stop the call. When `run` raises for
    several items, each is tried alone, unless the error is an `OSError`, which is nobody's own.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        at_once: int,
        apart: Callable[[Item], Hashable] | None = None,
    ) -> None:
        self._run = run
        self._at_once = at_once
        self._apart = apart
        self._asked: deque[_Asked[Item, Answer]] = deque()
        self._runners: set[asyncio.Task[None]] = set()
        self._is_starting = False

    def ask(self, item: Item) -> asyncio.Future[Answer]:
        """The answer to one item, or what `run` raised for it."""
        asked: _Asked[Item, Answer] = _Asked(item, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        self._start()
        return asked.answer

    def _start(self) -> None:
        if self._asked and not self._is_starting and len(self._runners) < self._at_once:
            # A task begins in the next turn, so that what is left of this one goes along.
            self._is_starting = True
            runner = asyncio.create_task(self._work_off())
            self._runners.add(runner)
            runner.add_done_callback(self._end)

    def _end(self, runner: asyncio.Task[None]) -> None:
        self._runners.discard(runner)
        self._start()

    async def _work_off(self) -> None:
        self._is_starting = False
        while self._asked:
            batch = self._take()
            self._start()
            await self._answer(batch)

    def _take(self) -> list[_Asked[Item, Answer]]:
        """The first that can go together."""
        taken: dict[Hashable, _Asked[Item, Answer]] = {}
        later: list[_Asked[Item, Answer]] = []
        while self._asked and len(taken) < BATCH_MOST:
            asked = self._asked.popleft()
            value = self._apart(asked.item) if self._apart else id(asked)
            if taken.setdefault(value, asked) is not asked:
                later.append(asked)
        self._asked.extendleft(reversed(later))
        return list(taken.values())

    async def _answer(self, batch: list[_Asked[Item, Answer]]) -> None:
        try:
            answers = await self._run([asked.item for asked in batch])
        except Exception as error:  # noqa: BLE001 - whoever asked is told, whatever it was
            if len(batch) == 1 or isinstance(error, OSError):
                for asked in batch:
                    asked.fail(error)
                return
            for asked in batch:
                await self._answer([asked])
        else:
            for asked, answer in zip(batch, answers, strict=True):
                asked.tell(answer)
