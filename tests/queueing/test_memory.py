"""What the in-memory queue promises beyond the contract."""

from __future__ import annotations

import asyncio

from queueing.contract import Message
from queueing.memory import MemoryQueue
from tests.queueing.handling import Recorder, bodies, consuming, fail, messages


async def test_the_delay_stops_growing_at_its_cap() -> None:
    queue = MemoryQueue(retry_delay_s=0.01, max_retry_delay_s=0.02, max_deliveries=8)
    loop = asyncio.get_running_loop()
    recorder = Recorder(fail)
    started_at = loop.time()
    await queue.publish([Message(b"")])
    async with consuming(queue, recorder):
        await recorder.until_seen(8)
    # 0.01 + 6 × 0.02 s; doubling without a cap would take 1.27 s
    assert 0.13 <= loop.time() - started_at < 1.0


async def test_a_patient_queue_retries_beyond_what_a_float_can_double() -> None:
    queue = MemoryQueue(retry_delay_s=0, max_deliveries=1100)
    recorder = Recorder(fail)
    await queue.publish([Message(b"")])
    async with consuming(queue, recorder):
        await recorder.until_seen(1100)
    assert queue.dead_letters[0].delivery == 1100


async def test_only_the_latest_dead_letters_are_kept() -> None:
    queue = MemoryQueue(max_deliveries=1, max_dead_letters=3)
    recorder = Recorder(fail)
    await queue.publish(messages(bodies("dead", 5)))
    async with consuming(queue, recorder, concurrency=1):
        await recorder.until_seen(5)
    assert [letter.body for letter in queue.dead_letters] == bodies("dead", 5)[2:]


async def test_nothing_comes_again_after_close() -> None:
    queue, recorder = MemoryQueue(retry_delay_s=0.01), Recorder(fail)
    await queue.publish([Message(b"")])
    async with consuming(queue, recorder):
        await recorder.until_seen(1)
    await queue.close()
    assert await recorder.stays_at(1, during_s=0.05)
