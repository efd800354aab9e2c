"""A random walk over the contract, on every backend."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from queueing.contract import Queue
from queueing.memory import MemoryQueue
from tests.emulators import PubSubEmulator
from tests.queueing.backends import PubSubBackend
from tests.queueing.fake_pubsub import fake_pubsub
from tests.queueing.machine import QueueMachine


class MemoryMachine(QueueMachine):
    async def open(self, stack: AsyncExitStack) -> Queue:
        queue = MemoryQueue(retry_delay_s=0, max_deliveries=10_000)
        stack.push_async_callback(queue.close)
        return queue


class PubSubMachine(QueueMachine):
    host: str | None = None

    async def open(self, stack: AsyncExitStack) -> Queue:
        host = self.host or (await stack.enter_async_context(fake_pubsub())).host
        backend = PubSubBackend(host)
        stack.push_async_callback(backend.close)
        # A lease so long that none is lost to a slow machine: the model has no such event.
        return backend.client(ack_deadline_s=600, retry_delay_s=0)


def walk(machine: type[QueueMachine], *, walks: int) -> None:
    """Run so many random walks of up to 40 steps."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=walks,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_queue_in_memory_keeps_its_promises_on_random_walks() -> None:
    walk(MemoryMachine, walks=60)


def test_the_queue_over_the_fake_keeps_its_promises_on_random_walks() -> None:
    walk(PubSubMachine, walks=10)


def test_the_queue_over_the_emulator_keeps_its_promises_on_random_walks(
    emulator: PubSubEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PubSubMachine, "host", emulator.host)
    walk(PubSubMachine, walks=3)
