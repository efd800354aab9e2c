"""An engine that keeps being out of order is left alone, and tried again by one call."""

from __future__ import annotations

import asyncio

import pytest

from service.engines.circuit import Circuit
from service.engines.contract import (
    ContentRejected,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineTimedOut,
    EngineUnavailable,
)

OUTAGES = [EngineUnavailable(), EngineRefused("x"), EngineTimedOut("x")]


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def end(circuit: Circuit, error: BaseException | None = None, *, always: bool = False) -> None:
    """One call that ends like this."""
    with circuit.passage(always=always):
        if error is not None:
            raise error


def opened(clock: Clock, open_s: float = 30) -> Circuit:
    circuit = Circuit(most_failures=3, open_s=open_s, clock=clock)
    for error in OUTAGES:
        with pytest.raises(EngineError):
            end(circuit, error)
    return circuit


def test_outages_in_a_row_open_it() -> None:
    circuit = opened(Clock())
    assert circuit.state == "open"
    with pytest.raises(EngineUnavailable) as refused:
        end(circuit)
    assert refused.value.retry_after_s == 30


@pytest.mark.parametrize("error", [EngineFailed("x"), ContentRejected("x")])
def test_an_answer_that_shows_it_works_starts_the_row_anew(error: EngineError) -> None:
    circuit = Circuit(most_failures=3)
    for outcome in (*OUTAGES[:2], error, *OUTAGES[:2]):
        with pytest.raises(EngineError):
            end(circuit, outcome)
    assert circuit.state == "closed"


def test_after_its_time_one_call_tries_and_success_closes_it() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now_s += 30
    assert circuit.state == "half-open"
    with circuit.passage(), pytest.raises(EngineUnavailable):
        end(circuit)
    assert circuit.state == "closed"


def test_a_failed_trial_opens_it_for_another_while() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now_s += 30
    with pytest.raises(EngineTimedOut):
        end(circuit, EngineTimedOut("x"))
    assert circuit.state == "open"
    assert circuit.open_for_s == 30


def test_of_a_cancelled_trial_nothing_is_learnt_and_the_next_call_tries() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now_s += 30
    with pytest.raises(asyncio.CancelledError):
        end(circuit, asyncio.CancelledError())
    assert circuit.state == "half-open"
    end(circuit)
    assert circuit.state == "closed"


def test_a_call_that_must_go_through_is_not_held_up_and_counts() -> None:
    circuit = opened(Clock())
    end(circuit, always=True)
    assert circuit.state == "closed"
