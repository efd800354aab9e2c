"""Calls that come close together become one, and nobody waits or fails for another's sake."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from storage.batches import BATCH_MOST, Batches


class Doubling:
    """Answers each number with its double once the gate is open; remembers what it was given."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        """Refuses 13; 99 brings everything down."""
        self.calls.append(list(numbers))
        await self.gate.wait()
        if 99 in numbers:
            raise ConnectionError
        if 13 in numbers:
            raise ValueError(13)
        return [2 * number for number in numbers]


async def test_what_is_asked_in_one_turn_goes_together() -> None:
    run = Doubling()
    batches = Batches(run, at_once=2)
    assert await asyncio.gather(*map(batches.ask, range(5))) == [0, 2, 4, 6, 8]
    assert run.calls == [[0, 1, 2, 3, 4]]


async def test_what_gathers_while_calls_are_under_way_goes_together() -> None:
    run = Doubling()
    run.gate.clear()
    batches = Batches(run, at_once=2)
    answers = []
    for number in range(6):
        answers.append(batches.ask(number))
        await asyncio.sleep(0)
    assert run.calls == [[0], [1]], "two at once and no third"
    run.gate.set()
    assert await asyncio.gather(*answers) == [0, 2, 4, 6, 8, 10]
    assert run.calls == [[0], [1], [2, 3, 4, 5]]


async def test_a_batch_has_its_limit() -> None:
    run = Doubling()
    batches = Batches(run, at_once=1)
    await asyncio.gather(*map(batches.ask, range(1000, 1000 + 2 * BATCH_MOST + 1)))
    assert [len(call) for call in run.calls] == [BATCH_MOST, BATCH_MOST, 1]


async def test_one_that_is_refused_fails_alone() -> None:
    batches = Batches(Doubling(), at_once=1)
    answers = await asyncio.gather(*map(batches.ask, (12, 13, 14)), return_exceptions=True)
    assert [answers[0], answers[2]] == [24, 28]
    assert isinstance(answers[1], ValueError)


async def test_an_outage_is_told_to_all_and_not_tried_for_each() -> None:
    run = Doubling()
    batches = Batches(run, at_once=1)
    answers = await asyncio.gather(*map(batches.ask, (1, 99, 2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError] * 3
    assert run.calls == [[1, 99, 2]]
    assert await batches.ask(4) == 8, "and the next call is made"


async def test_who_stops_waiting_stops_nobody_else() -> None:
    run = Doubling()
    run.gate.clear()
    batches = Batches(run, at_once=1)
    gone, stays = batches.ask(1), batches.ask(2)
    await asyncio.sleep(0)
    gone.cancel()
    run.gate.set()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_of_what_has_to_go_apart_one_goes_at_a_time_and_holds_up_nobody_else() -> None:
    run = Doubling()
    batches = Batches(run, at_once=1, apart=lambda number: number % 10)
    assert await asyncio.gather(*map(batches.ask, (1, 11, 2, 21, 12, 3))) == [2, 22, 4, 42, 24, 6]
    assert run.calls == [[1, 2, 3], [11, 12], [21]]


async def test_what_has_gone_before_is_answered_though_the_next_one_apart_fails() -> None:
    batches = Batches(Doubling(), at_once=1, apart=lambda _: "all")
    answers = await asyncio.gather(*map(batches.ask, (1, 99)), return_exceptions=True)
    assert answers[0] == 2
    assert isinstance(answers[1], ConnectionError)
