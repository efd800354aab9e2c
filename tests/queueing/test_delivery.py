"""Nothing is lost, nothing is doubled while it is held, and failures come again later."""

from __future__ import annotations

import asyncio

import pytest

from queueing.contract import Message, QueueClosed
from tests.queueing.backends import Backend
from tests.queueing.handling import Gate, Recorder, bodies, consuming, fail, messages


async def test_many_publishers_and_many_consumers_lose_and_double_nothing(
    backend: Backend,
) -> None:
    publishers = [await backend.open() for _ in range(4)]
    consumers = [await backend.open() for _ in range(3)]
    recorder = Recorder()
    sent = [bodies(f"publisher-{n}", 50) for n in range(len(publishers))]
    async with (
        consuming(consumers[0], recorder),
        consuming(consumers[1], recorder),
        consuming(consumers[2], recorder),
    ):
        async with asyncio.TaskGroup() as group:
            for queue, batch in zip(publishers, sent, strict=True):
                for body in batch:
                    group.create_task(queue.publish([Message(body)]))
        await recorder.until_handled(200)
    assert recorder.counts() == dict.fromkeys((body for batch in sent for body in batch), 1)


async def test_what_was_published_before_anyone_listened_arrives(backend: Backend) -> None:
    recorder = Recorder()
    await (await backend.open()).publish(messages(bodies("early", 20)))
    async with consuming(await backend.open(), recorder):
        await recorder.until_handled(20)
    assert recorder.counts() == dict.fromkeys(bodies("early", 20), 1)


async def test_a_running_handler_keeps_its_message_for_as_long_as_it_takes(
    backend: Backend,
) -> None:
    holder, idler = await backend.open(), await backend.open()
    gate, other = Gate(), Recorder()
    recorder = Recorder(gate)
    async with consuming(holder, recorder):
        await holder.publish(messages(bodies("held", 3)))
        await recorder.until_seen(3)
        async with consuming(idler, other):
            assert await other.stays_at(0, during_s=1.5 * (backend.lease_s or 0.1))
            gate.open()
            await recorder.until_handled(3)
            assert await other.stays_at(0, during_s=1.1 * (backend.lease_s or 0.1))
    assert recorder.counts() == dict.fromkeys(bodies("held", 3), 1)


async def test_a_failed_message_comes_again_and_not_before_its_growing_delay(
    backend: Backend,
) -> None:
    queue, loop = await backend.open(), asyncio.get_running_loop()
    started_at: list[float] = []

    async def fail_twice(_message: Message) -> None:
        started_at.append(loop.time())
        if len(started_at) < 3:
            raise ConnectionError

    recorder = Recorder(fail_twice)
    await queue.publish([Message(b"stubborn", {"kept": "yes"})])
    async with consuming(queue, recorder):
        await recorder.until_handled(1)
    first, second, third = started_at
    assert second - first >= backend.retry_delay_s
    assert third - second >= 2 * backend.retry_delay_s
    assert recorder.seen == [Message(b"stubborn", {"kept": "yes"}, n) for n in (1, 2, 3)]


async def test_a_failed_message_holds_up_no_other(backend: Backend) -> None:
    queue = await backend.open()

    async def fail_on_bad(message: Message) -> None:
        if message.body == b"bad" and message.delivery == 1:
            raise ConnectionError

    recorder = Recorder(fail_on_bad)
    await queue.publish(messages([b"bad", *bodies("good", 10)]))
    async with consuming(queue, recorder, concurrency=1):
        await recorder.until_handled(10)
        assert b"bad" not in recorder.handled
        await recorder.until_handled(11)
    assert recorder.counts() == {b"bad": 2} | dict.fromkeys(bodies("good", 10), 1)


async def test_a_handler_that_cancels_itself_has_failed_and_the_consumer_lives(
    backend: Backend,
) -> None:
    queue = await backend.open()

    async def cancel_once(message: Message) -> None:
        if message.delivery == 1:
            raise asyncio.CancelledError

    recorder = Recorder(cancel_once)
    async with consuming(queue, recorder) as consumer:
        await queue.publish([Message(b"odd")])
        await recorder.until_handled(1)
        assert not consumer.done()
    assert recorder.counts() == {b"odd": 2}


async def test_poison_is_set_aside_at_the_maximum_and_the_consumer_lives(
    backend: Backend,
) -> None:
    queue = await backend.open_strict(max_deliveries=5)

    async def fail_on_poison(message: Message) -> None:
        if message.body == b"poison":
            await fail(message)

    recorder = Recorder(fail_on_poison)
    await queue.publish([Message(b"poison", {"kept": "yes"})])
    async with consuming(queue, recorder):
        await recorder.until_seen(5)
        [dead] = await backend.dead_letters(1)
        await queue.publish([Message(b"food")])
        await recorder.until_handled(1)
    assert (dead.body, dead.attributes["kept"]) == (b"poison", "yes")
    assert recorder.counts() == {b"poison": 5, b"food": 1}


async def test_what_a_lost_process_held_comes_again_after_its_lease(backend: Backend) -> None:
    if backend.lease_s is None:
        pytest.skip("this queue is lost with its process")
    doomed, heir = await backend.open(), await backend.open()
    gate, inherited = Gate(), Recorder()
    held = Recorder(gate)
    await doomed.publish(messages(bodies("orphan", 3)))
    consumer = asyncio.create_task(doomed.consume(held, concurrency=3))
    await held.until_seen(3)
    await doomed.close()  # nothing that it settles from here on is sent
    async with consuming(heir, inherited):
        await inherited.until_handled(3)
    gate.open()
    with pytest.raises(QueueClosed):
        await consumer
    assert inherited.counts() == held.counts() == dict.fromkeys(bodies("orphan", 3), 1)
