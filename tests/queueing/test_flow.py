"""Never more at once than asked for, never more held than started, and quick to wake."""

from __future__ import annotations

import asyncio
import statistics
import time

import pytest

from queueing.contract import Message
from tests.queueing.backends import Backend
from tests.queueing.handling import Gate, Recorder, bodies, consuming, messages


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_never_more_handlers_than_the_concurrency(backend: Backend, concurrency: int) -> None:
    queue = await backend.open()
    recorder = Recorder(lambda _message: asyncio.sleep(0.001))
    await queue.publish(messages(bodies("many", 30)))
    async with consuming(queue, recorder, concurrency=concurrency):
        await recorder.until_handled(30)
    assert recorder.peak == concurrency


async def test_a_busy_consumer_leaves_to_others_what_it_cannot_start(backend: Backend) -> None:
    busy, free = await backend.open(), await backend.open()
    gate, others = Gate(), Recorder()
    held = Recorder(gate)
    async with consuming(busy, held, concurrency=2):
        await busy.publish(messages(bodies("first", 2)))
        await held.until_seen(2)
        await busy.publish(messages(bodies("more", 5)))
        async with consuming(free, others):
            await others.until_handled(5)
        gate.open()
        await held.until_handled(2)
    assert held.counts() == dict.fromkeys(bodies("first", 2), 1)
    assert others.counts() == dict.fromkeys(bodies("more", 5), 1)


async def test_a_freed_slot_is_filled_while_the_others_still_run(backend: Backend) -> None:
    queue, gate = await backend.open(), Gate()

    async def hold_one(message: Message) -> None:
        if message.body == b"slow":
            await gate(message)

    recorder = Recorder(hold_one)
    async with consuming(queue, recorder, concurrency=2):
        await queue.publish([Message(b"slow")])
        await recorder.until_seen(1)
        await queue.publish(messages(bodies("quick", 10)))
        await recorder.until_handled(10)
        gate.open()
        await recorder.until_handled(11)
    assert recorder.peak == 2


async def test_a_slow_consumer_loses_no_lease(backend: Backend) -> None:
    slow, eager = await backend.open(), await backend.open()
    share = (backend.lease_s or 0.1) * 0.6
    recorder = Recorder(lambda _message: asyncio.sleep(share))
    await slow.publish(messages(bodies("slow", 4)))
    async with (
        consuming(slow, recorder, concurrency=1),
        consuming(eager, recorder, concurrency=1),
    ):
        await recorder.until_handled(4)
    assert recorder.counts() == dict.fromkeys(bodies("slow", 4), 1)


async def test_an_idle_consumer_wakes_at_once(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    loop, latencies_s = asyncio.get_running_loop(), list[float]()
    async with consuming(queue, recorder):
        for n in range(30):
            published_at = loop.time()
            await queue.publish([Message(b"%d" % n)])
            await recorder.until_handled(n + 1)
            latencies_s.append(loop.time() - published_at)
    assert statistics.median(latencies_s) < 0.2
    assert max(latencies_s) < 2


async def test_idle_consumers_cost_no_processor_time(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    async with consuming(queue, recorder), consuming(queue, recorder):
        await queue.publish([Message(b"warm")])
        await recorder.until_handled(1)
        before_s = time.process_time()
        assert await recorder.stays_at(1, during_s=1.0)
        assert time.process_time() - before_s < 0.03


async def test_a_concurrency_below_one_is_refused(backend: Backend) -> None:
    queue = await backend.open()
    with pytest.raises(ValueError, match="at least 1"):
        await queue.consume(Recorder(), concurrency=0)
