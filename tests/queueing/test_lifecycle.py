"""Starting, stopping and closing lose nothing, and each stop does what its number says."""

from __future__ import annotations

import asyncio

import pytest

from queueing.contract import Message, QueueClosed
from tests.queueing.backends import Backend
from tests.queueing.handling import (
    LIMIT_S,
    Gate,
    Recorder,
    bodies,
    consuming,
    messages,
    stop,
)


async def test_everything_after_close_is_refused_and_a_second_close_is_not(
    backend: Backend,
) -> None:
    queue = await backend.open()
    await queue.publish([Message(b"before")])
    await queue.close()
    await queue.close()
    with pytest.raises(QueueClosed, match="has been closed"):
        await queue.publish([Message(b"after")])
    with pytest.raises(QueueClosed):
        await queue.publish([])
    with pytest.raises(QueueClosed):
        await queue.consume(Recorder(), concurrency=1)
    with pytest.raises(QueueClosed):
        await queue.check()


async def test_a_queue_that_was_never_used_closes(backend: Backend) -> None:
    await (await backend.open()).close()


async def test_closing_ends_every_idle_consumer(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    consumers = [asyncio.create_task(queue.consume(recorder, concurrency=2)) for _ in range(3)]
    await queue.publish([Message(b"first")])
    await recorder.until_handled(1)
    await queue.close()
    async with asyncio.timeout(LIMIT_S):
        ends = await asyncio.gather(*consumers, return_exceptions=True)
    assert [type(end) for end in ends] == [QueueClosed] * 3


async def test_a_publish_under_way_is_flushed_by_close(backend: Backend) -> None:
    publisher, recorder = await backend.open(), Recorder()
    pending = asyncio.create_task(publisher.publish(messages(bodies("late", 20))))
    await asyncio.sleep(0)
    await publisher.close()
    await pending
    if backend.lease_s is None:
        return  # what is queued in memory goes with it
    async with consuming(await backend.open(), recorder):
        await recorder.until_handled(20)
    assert recorder.counts() == dict.fromkeys(bodies("late", 20), 1)


async def test_what_was_handled_before_close_does_not_come_again(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    await queue.publish(messages(bodies("done", 5)))
    async with consuming(queue, recorder):
        await recorder.until_handled(5)
    if backend.lease_s is None:
        return  # another client would be the same object
    await queue.close()
    async with consuming(await backend.open(), recorder):
        assert await recorder.stays_at(5, during_s=1.1 * backend.lease_s)


async def test_the_first_stop_lets_running_handlers_finish_and_takes_nothing_new(
    backend: Backend,
) -> None:
    leaving, staying = await backend.open(), await backend.open()
    gate, others = Gate(), Recorder()
    running = Recorder(gate)
    consumer = asyncio.create_task(leaving.consume(running, concurrency=2))
    await leaving.publish(messages(bodies("running", 2)))
    await running.until_seen(2)
    consumer.cancel()
    await leaving.publish(messages(bodies("waiting", 6)))
    async with consuming(staying, others):
        await others.until_handled(6)
    assert not consumer.done()
    gate.open()
    async with asyncio.timeout(LIMIT_S):
        await asyncio.wait({consumer})
    assert consumer.cancelled()
    assert running.counts() == dict.fromkeys(bodies("running", 2), 1)
    assert sorted(running.handled) == bodies("running", 2)
    assert others.counts() == dict.fromkeys(bodies("waiting", 6), 1)


async def test_a_failure_during_the_drain_comes_again_elsewhere(backend: Backend) -> None:
    leaving, staying = await backend.open(), await backend.open()
    gate, others = Gate(), Recorder()

    async def fail_at_the_end(message: Message) -> None:
        await gate(message)
        raise ConnectionError

    running = Recorder(fail_at_the_end)
    consumer = asyncio.create_task(leaving.consume(running, concurrency=1))
    await leaving.publish([Message(b"unlucky")])
    await running.until_seen(1)
    consumer.cancel()
    gate.open()
    async with consuming(staying, others):
        await others.until_handled(1)
    await stop(consumer)
    assert others.counts() == {b"unlucky": 1}


async def test_a_second_stop_cancels_the_handlers_and_hands_their_messages_back_at_once(
    backend: Backend,
) -> None:
    leaving, staying = await backend.open(), await backend.open()
    running, others = Recorder(Gate()), Recorder()
    consumer = asyncio.create_task(leaving.consume(running, concurrency=3))
    await leaving.publish(messages(bodies("stuck", 3)))
    await running.until_seen(3)
    consumer.cancel()
    await asyncio.wait({consumer}, timeout=0.05)
    assert not consumer.done()
    loop = asyncio.get_running_loop()
    stopped_at = loop.time()
    await stop(consumer)
    assert consumer.cancelled()
    assert running.running == 0
    async with consuming(staying, others):
        await others.until_handled(3)
    assert loop.time() - stopped_at < (backend.lease_s or 1) * 0.9
    assert others.counts() == dict.fromkeys(bodies("stuck", 3), 1)


async def test_a_handler_that_finishes_while_it_is_stopped_is_acknowledged(
    backend: Backend,
) -> None:
    queue, gate = await backend.open(), Gate()

    async def finish_anyway(message: Message) -> None:
        try:
            await gate(message)
        except asyncio.CancelledError:
            return

    recorder = Recorder(finish_anyway)
    consumer = asyncio.create_task(queue.consume(recorder, concurrency=1))
    await queue.publish([Message(b"last words")])
    await recorder.until_seen(1)
    consumer.cancel()
    await asyncio.sleep(0)
    await stop(consumer)
    async with consuming(queue, recorder):
        assert await recorder.stays_at(1, during_s=1.1 * (backend.lease_s or 0.1))


async def test_a_time_limit_around_a_consumer_is_a_stop(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    await queue.publish([Message(b"in time")])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await queue.consume(recorder, concurrency=1)
    assert recorder.counts() == {b"in time": 1}


async def test_cancelling_in_mid_receive_loses_and_doubles_nothing(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    sent = bodies("slippery", 60)
    for n, body in enumerate(sent):
        consumer = asyncio.create_task(queue.consume(recorder, concurrency=1 + n % 3))
        publishing = asyncio.create_task(queue.publish([Message(body)]))
        for _ in range(n % 12):  # so that the stop meets every stage of a receive
            await asyncio.sleep(0)
        await stop(consumer)
        await publishing
    async with consuming(queue, recorder):
        await recorder.until_handled(len(sent))
    assert recorder.counts() == dict.fromkeys(sent, 1)


async def test_starting_and_stopping_five_hundred_times_loses_nothing(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    sent = bodies("stress", 10)
    for body in sent:
        await queue.publish([Message(body)])
        consumers = [asyncio.create_task(queue.consume(recorder, concurrency=1)) for _ in range(50)]
        await asyncio.sleep(0)
        for consumer in consumers:
            await stop(consumer)
    async with consuming(queue, recorder):
        await recorder.until_handled(len(sent))
    assert set(recorder.handled) == set(sent)


async def test_a_chain_of_short_lived_consumers_sees_everything(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    sent = bodies("chain", 60)
    await queue.publish(messages(sent))
    for link in range(20):
        async with consuming(queue, recorder, concurrency=3):
            await recorder.until_handled(min(3 * (link + 1), len(sent)))
    assert recorder.counts() == dict.fromkeys(sent, 1)


async def test_short_lived_clients_see_everything(backend: Backend) -> None:
    if backend.lease_s is None:
        pytest.skip("this queue is lost with its only client")
    recorder, sent = Recorder(), bodies("client", 6)
    await (await backend.open()).publish(messages(sent))
    for link in range(3):
        queue = await backend.open()
        async with consuming(queue, recorder, concurrency=2):
            await recorder.until_handled(2 * (link + 1))
        await queue.close()
    assert set(recorder.handled) == set(sent)
