"""Use a queue at random beside a model of what its contract promises."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from queueing.contract import Message, Queue
from tests.queueing.handling import LIMIT_S

MOST_CONSUMERS = 3


class Running:
    """A handler that has begun and waits to be told how to end."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.end: asyncio.Future[bool] = asyncio.get_running_loop().create_future()


class Consumer:
    """A consumer all of whose handlers wait for the machine; sets `changed` at every change."""

    def __init__(self, queue: Queue, concurrency: int, changed: asyncio.Event) -> None:
        self.concurrency = concurrency
        self.takes_new = True
        self.running: list[Running] = []
        self._changed = changed
        self.task = asyncio.create_task(queue.consume(self._handle, concurrency=concurrency))
        self.task.add_done_callback(lambda _task: changed.set())

    async def _handle(self, message: Message) -> None:
        running = Running(message.body)
        self.running.append(running)
        self._changed.set()
        try:
            if not await running.end:
                raise ConnectionError("the machine lets this one fail")
        finally:
            self.running.remove(running)
            self._changed.set()


class QueueMachine(RuleBasedStateMachine):
    """Publishes, starts, finishes, fails, stops; after each step the queue has to catch up.

    Its whole model: a message waits, runs, or is done. It runs in one place at a time, never
    again once done, and never waits while a consumer that takes new ones has a free slot.
    """

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._queue: Queue
        self._changed = asyncio.Event()
        self._consumers: list[Consumer] = []
        self._published = 0
        self._done: set[bytes] = set()

    @abstractmethod
    async def open(self, stack: AsyncExitStack) -> Queue:
        """A fresh queue that retries at once and sets nothing aside; the stack closes it."""

    @initialize()
    def begin(self) -> None:
        self._queue = self._run(self.open(self._stack))

    @rule(count=st.integers(1, 6))
    def publish(self, count: int) -> None:
        bodies = [b"%d" % n for n in range(self._published, self._published + count)]
        self._published += count
        self._run(self._queue.publish([Message(body) for body in bodies]))

    @precondition(lambda self: len(self._consumers) < MOST_CONSUMERS)
    @rule(concurrency=st.integers(1, 3))
    def start(self, concurrency: int) -> None:
        async def started() -> Consumer:
            return Consumer(self._queue, concurrency, self._changed)

        self._consumers.append(self._run(started()))

    @precondition(lambda self: self._all_running())
    @rule(data=st.data(), well=st.booleans())
    def end_a_handler(self, data: st.DataObject, well: bool) -> None:
        running = data.draw(st.sampled_from(self._all_running()), label="which handler")
        if well:
            self._done.add(running.body)
        running.end.set_result(well)

    @precondition(lambda self: any(consumer.takes_new for consumer in self._consumers))
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        going = [consumer for consumer in self._consumers if consumer.takes_new]
        stopped = data.draw(st.sampled_from(going), label="which consumer")
        stopped.takes_new = False
        stopped.task.cancel()

    @precondition(lambda self: any(not consumer.takes_new for consumer in self._consumers))
    @rule(data=st.data())
    def stop_hard(self, data: st.DataObject) -> None:
        draining = [consumer for consumer in self._consumers if not consumer.takes_new]
        stopped = data.draw(st.sampled_from(draining), label="which draining consumer")
        stopped.task.cancel()
        self._run(asyncio.wait({stopped.task}, timeout=LIMIT_S))
        assert stopped.task.cancelled()
        assert not stopped.running

    @invariant()
    def catches_up(self) -> None:
        if self._consumers:
            self._run(self._caught_up())
        bodies = [running.body for running in self._all_running()]
        assert len(bodies) == len(set(bodies)), "a message runs in one place at a time"
        assert not self._done.intersection(bodies), "what is done never runs again"
        for consumer in self._consumers:
            assert len(consumer.running) <= consumer.concurrency
            assert not (consumer.takes_new and consumer.task.done()), "it died"

    def teardown(self) -> None:
        if hasattr(self, "_queue"):
            self._run(self._finish())
            assert self._done == {b"%d" % n for n in range(self._published)}
        self._run(self._stack.aclose())
        self._runner.close()

    def _run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def _all_running(self) -> list[Running]:
        return [
            running
            for consumer in self._consumers
            for running in consumer.running
            if not running.end.done()
        ]

    async def _caught_up(self) -> None:
        """Wait until no message waits for a slot that is free, and what was stopped has ended."""
        async with asyncio.timeout(LIMIT_S):
            while not self._has_caught_up():
                self._changed.clear()
                await self._changed.wait()
        self._consumers = [one for one in self._consumers if not one.task.done()]

    def _has_caught_up(self) -> bool:
        draining = [one for one in self._consumers if not one.takes_new]
        if any(not one.running and not one.task.done() for one in draining):
            return False
        if any(running.end.done() for one in self._consumers for running in one.running):
            return False
        held = sum(len(one.running) for one in draining)
        taking = [one for one in self._consumers if one.takes_new]
        slots = sum(one.concurrency for one in taking)
        to_do = self._published - len(self._done) - held
        return sum(len(one.running) for one in taking) == min(slots, to_do)

    async def _finish(self) -> None:
        """Work off all that is left, and stop."""
        self._consumers.append(Consumer(self._queue, 3, self._changed))
        while True:
            await self._caught_up()
            if not (left := self._all_running()):
                break
            for running in left:
                self._done.add(running.body)
                running.end.set_result(True)
        for consumer in self._consumers:
            consumer.task.cancel()
        await asyncio.wait([consumer.task for consumer in self._consumers])
