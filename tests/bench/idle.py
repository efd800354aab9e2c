"""What a worker costs that has nothing to do, and what it holds on to when it has had much."""

from __future__ import annotations

import asyncio
import time

from queueing.contract import Message
from queueing.pubsub import PubSubQueue
from tests.bench.cpu import cpu_s, resident_mb
from tests.bench.outages import on_pubsub
from tests.bench.table import Row

IDLE_S = 60
MESSAGES = 50_000
AT_ONCE = 1_000


async def run() -> list[Row]:
    """A worker on the emulator: idle for a minute, then told of 50,000 tasks that there are not."""
    async with on_pubsub({"WORKER_CONCURRENCY": "8"}) as (made, emulator):
        worker = await made.start("worker")
        pid = worker.process.pid
        _, _, topic, subscription = made.settings["QUEUE_URL"].rsplit("/", 3)
        queue = PubSubQueue("bench", topic, subscription, emulator_host=emulator.host)
        await _publish(queue, AT_ONCE)
        await until_at_rest(pid)
        spent_s, begin_s = cpu_s(pid), time.perf_counter()
        await asyncio.sleep(IDLE_S)
        idle = (cpu_s(pid) - spent_s) / (time.perf_counter() - begin_s)
        before_mb = resident_mb(pid)
        for _ in range(MESSAGES // AT_ONCE):
            await _publish(queue, AT_ONCE)
        await until_at_rest(pid)
        after_mb = resident_mb(pid)
        await queue.close()
    return [
        Row("idle worker, of one processor", idle * 100, "%", goal="(goal under 1 %)"),
        Row("memory of a worker after 1,000 messages", before_mb, "MB"),
        Row(f"after {MESSAGES:,} more", after_mb, "MB", after_mb / before_mb, "before", "(flat)"),
    ]


async def _publish(queue: PubSubQueue, number: int) -> None:
    body = b"00000000-0000-0000-0000-000000000000"
    await queue.publish([Message(body)] * number)


async def until_at_rest(pid: int) -> None:
    """Return once a process has used next to nothing for five seconds."""
    async with asyncio.timeout(600):
        while True:
            spent_s = cpu_s(pid)
            await asyncio.sleep(5)
            if cpu_s(pid) - spent_s < 0.25:
                return
