"""Publishing gathers, splits and waits, and answers every caller for its own messages."""

from __future__ import annotations

import asyncio
import base64
from itertools import chain

import pytest

from queueing.contract import Message, QueueClosed, QueueMisconfigured, QueueUnavailable
from queueing.pubsub import Patience
from tests.queueing.backends import PubSubBackend
from tests.queueing.fake_pubsub import TIMEOUT, FakePubSub, Fault
from tests.queueing.handling import Recorder, bodies, consuming, messages


def batches(fake: FakePubSub) -> list[list[bytes]]:
    """The bodies of each publish request."""
    return [
        [base64.urlsafe_b64decode(wire["data"]) for wire in call["messages"]]
        for call in fake.calls["publish"]
    ]


async def test_messages_of_many_callers_travel_together(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client()
    await queue.check()
    async with asyncio.TaskGroup() as group:
        for body in bodies("caller", 60):
            group.create_task(queue.publish([Message(body)]))
    assert [sorted(batch) for batch in batches(fake)] == [sorted(bodies("caller", 60))]


async def test_a_batch_holds_a_hundred_messages_at_most(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client()
    await queue.publish(messages(bodies("many", 250)))
    assert sorted(len(batch) for batch in batches(fake)) == [50, 100, 100]
    assert sorted(chain(*batches(fake))) == sorted(bodies("many", 250))


async def test_a_batch_holds_seven_hundred_kilobytes_at_most_and_a_larger_message_goes_alone(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client()
    await queue.publish([Message(b"x" * size) for size in (300_000, 300_000, 300_000, 720_000, 10)])
    sizes = [[len(body) for body in batch] for batch in batches(fake)]
    assert sorted(sizes) == [[10], [300_000], [300_000, 300_000], [720_000]]


async def test_a_message_that_is_refused_fails_alone(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, recorder = on_fake.client(), Recorder()
    await queue.check()
    refused = Message(b"bad", {"google-owns-this-name": ""})
    calls = [queue.publish([Message(body)]) for body in bodies("good", 8)]
    results = await asyncio.gather(*calls, queue.publish([refused]), return_exceptions=True)
    assert results[:8] == [None] * 8
    assert isinstance(results[8], ValueError)
    async with consuming(queue, recorder):
        await recorder.until_handled(8)
    assert recorder.counts() == dict.fromkeys(bodies("good", 8), 1)


async def test_a_caller_that_gives_up_takes_no_other_along(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, recorder = on_fake.client(), Recorder()
    await queue.check()
    impatient = asyncio.create_task(queue.publish([Message(b"given up")]))
    patient = asyncio.create_task(queue.publish([Message(b"wanted")]))
    await asyncio.sleep(0)
    impatient.cancel()
    await patient
    async with consuming(queue, recorder):
        await recorder.until_handled(1)
    assert recorder.counts() == {b"wanted": 1}
    assert impatient.cancelled()


async def test_a_broker_that_is_down_fails_each_call_in_its_own_time_and_keeps_nothing(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, recorder = on_fake.client(patience=Patience(call_s=0.3, publish_s=0.6)), Recorder()
    await queue.check()
    await fake.down()
    calls = [queue.publish([Message(body)]) for body in bodies("lost", 500)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(result) for result in results} == {QueueUnavailable}
    await fake.up()
    await queue.publish([Message(b"fresh")])
    async with consuming(queue, recorder):
        await recorder.until_handled(1)
    assert recorder.counts() == {b"fresh": 1}


async def test_close_sends_what_is_pending_even_while_calls_fail(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client()
    await queue.check()
    fake.fail("publish", Fault(503), Fault(503))
    pending = asyncio.create_task(queue.publish(messages(bodies("late", 3))))
    await asyncio.sleep(0)
    await queue.close()
    await pending
    assert sorted(batches(fake)[-1]) == bodies("late", 3)


async def test_close_keeps_its_limit_and_tells_who_still_waits(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client(patience=Patience(call_s=30, publish_s=30, close_s=0.3))
    await queue.check()
    fake.always["publish"] = TIMEOUT
    pending = asyncio.create_task(queue.publish([Message(b"stuck")]))
    await fake.until_called("publish", 1)
    await queue.close()
    with pytest.raises(QueueClosed):
        await pending


async def test_a_refusal_reaches_every_caller_of_the_batch(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client()
    await queue.check()
    fake.forbidden = {"publish"}
    calls = [queue.publish([Message(body)]) for body in bodies("denied", 20)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {isinstance(result, QueueMisconfigured) for result in results} == {True}
    assert len(fake.calls["publish"]) == 1


async def test_one_call_of_ten_thousand_messages_is_accepted_as_a_whole(
    on_pubsub: PubSubBackend,
) -> None:
    queue, recorder = on_pubsub.client(ack_deadline_s=60), Recorder()
    await queue.publish(messages(bodies("bulk", 10_000)))
    async with consuming(queue, recorder, concurrency=200):
        await recorder.until_handled(10_000)
    assert recorder.counts() == dict.fromkeys(bodies("bulk", 10_000), 1)
