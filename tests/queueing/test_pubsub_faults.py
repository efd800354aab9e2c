"""Whatever Pub/Sub answers, or whether it answers, nothing is lost and the queue recovers."""

from __future__ import annotations

import asyncio

import pytest

from queueing.contract import Message, QueueUnavailable
from queueing.pubsub import Patience
from tests.queueing.backends import PubSubBackend
from tests.queueing.fake_pubsub import (
    DONE_THEN_503,
    DONE_THEN_RESET,
    DONE_THEN_TIMEOUT,
    EMPTY,
    GARBAGE,
    RESET,
    TIMEOUT,
    WRONG_SHAPE,
    FakePubSub,
    Fault,
)
from tests.queueing.handling import Gate, Recorder, bodies, consuming, fail, messages

FAULTS = {
    "503": Fault(503),
    "429": Fault(429),
    "408": Fault(408),
    "500": Fault(500),
    "reset": RESET,
    "timeout": TIMEOUT,
    "garbage": GARBAGE,
    "wrong shape": WRONG_SHAPE,
}
AMBIGUOUS = {
    "503": DONE_THEN_503,
    "reset": DONE_THEN_RESET,
    "timeout": DONE_THEN_TIMEOUT,
}
QUICK = Patience(call_s=0.4)
# Each pull that is given up leaves a ghost, so only tests whose leases are short use this one.
QUICK_PULL = Patience(call_s=0.4, pull_s=1)

# What stands in a 200's body is not looked at by the library where nothing is expected.
SEEN = {name: FAULTS[name] for name in ("503", "429", "reset", "timeout")}

each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
each_seen_fault = pytest.mark.parametrize("fault", SEEN.values(), ids=SEEN.keys())
each_ambiguous = pytest.mark.parametrize("fault", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())


@each_fault
@pytest.mark.parametrize("verb", ["createTopic", "createSubscription", "publish", "pull"])
async def test_a_call_that_goes_wrong_three_times_is_made_until_it_works(
    on_fake: PubSubBackend, fake: FakePubSub, verb: str, fault: Fault
) -> None:
    queue, recorder = on_fake.client(patience=QUICK_PULL), Recorder()
    fake.fail(verb, fault, fault, fault)
    async with consuming(queue, recorder):
        await queue.publish([Message(b"through")])
        await recorder.until_handled(1)
        await fake.until(lambda: not fake.state.backlog(on_fake.subscription_path))
    assert set(recorder.handled) == {b"through"}
    assert len(fake.calls[verb]) >= 4


@each_seen_fault
async def test_an_ack_that_goes_wrong_three_times_is_told_until_it_is_heard(
    on_fake: PubSubBackend, fake: FakePubSub, fault: Fault
) -> None:
    queue, recorder = on_fake.client(patience=QUICK), Recorder()
    fake.fail("acknowledge", fault, fault, fault)
    await queue.publish(messages(bodies("handled", 3)))
    async with consuming(queue, recorder):
        await fake.until(lambda: not fake.state.backlog(on_fake.subscription_path))
    assert recorder.counts() == dict.fromkeys(bodies("handled", 3), 1)


@pytest.mark.parametrize("fault", [GARBAGE, WRONG_SHAPE], ids=lambda fault: fault.how)
async def test_an_ack_that_garbage_answered_may_bring_its_message_again(
    on_fake: PubSubBackend, fake: FakePubSub, fault: Fault
) -> None:
    queue, recorder = on_fake.client(), Recorder()
    fake.fail("acknowledge", fault)
    await queue.publish([Message(b"handled")])
    async with consuming(queue, recorder):
        await fake.until_called("acknowledge", 1)
        fake.state.advance(2)
        await fake.until(lambda: not fake.state.backlog(on_fake.subscription_path))
    assert recorder.counts() == {b"handled": 2}


@each_seen_fault
async def test_a_renewal_that_goes_wrong_is_tried_again_before_the_lease_ends(
    on_fake: PubSubBackend, fake: FakePubSub, fault: Fault
) -> None:
    queue, rival = on_fake.client(patience=QUICK), on_fake.client()
    gate, other = Gate(), Recorder()
    recorder = Recorder(gate)
    await queue.publish([Message(b"kept")])
    async with consuming(queue, recorder):
        await recorder.until_seen(1)
        fake.fail("modifyAckDeadline", fault)
        async with consuming(rival, other):
            await fake.until_called("modifyAckDeadline", 3)
            assert fake.state.leased(on_fake.subscription_path) == 1
        gate.open()
        await recorder.until_handled(1)
    assert (recorder.counts(), other.counts()) == ({b"kept": 1}, {})


@each_seen_fault
async def test_a_give_back_that_goes_wrong_is_told_again(
    on_fake: PubSubBackend, fake: FakePubSub, fault: Fault
) -> None:
    # The deadline is so long that only a give-back brings the message again in this test's time.
    queue = on_fake.client(patience=QUICK, ack_deadline_s=600, retry_delay_s=0)
    recorder = Recorder(fail)
    await queue.publish([Message(b"again")])
    fake.fail("modifyAckDeadline", fault, fault)
    async with consuming(queue, recorder):
        await recorder.until_seen(2)


@each_ambiguous
async def test_a_publish_that_worked_and_looked_like_a_failure_loses_nothing(
    on_fake: PubSubBackend, fake: FakePubSub, fault: Fault
) -> None:
    queue, recorder = on_fake.client(patience=QUICK), Recorder()
    fake.fail("publish", fault)
    await queue.publish(messages(bodies("sent", 3)))
    async with consuming(queue, recorder):
        await recorder.until_handled(6)
    assert recorder.counts() == dict.fromkeys(bodies("sent", 3), 2)


@each_ambiguous
async def test_an_ack_that_worked_and_looked_like_a_failure_is_told_twice_without_harm(
    on_fake: PubSubBackend, fake: FakePubSub, fault: Fault
) -> None:
    queue, recorder = on_fake.client(patience=QUICK), Recorder()
    await queue.publish([Message(b"once")])
    fake.fail("acknowledge", fault)
    async with consuming(queue, recorder):
        await fake.until_called("acknowledge", 2)
        await fake.until(lambda: not fake.state.backlog(on_fake.subscription_path))
    assert fake.calls["acknowledge"][0] == fake.calls["acknowledge"][1]
    assert recorder.counts() == {b"once": 1}


@each_ambiguous
async def test_messages_of_a_pull_whose_answer_got_lost_come_again_after_their_lease(
    on_fake: PubSubBackend, fake: FakePubSub, fault: Fault
) -> None:
    queue, recorder = on_fake.client(patience=QUICK_PULL), Recorder()
    fake.fail("pull", fault)
    await queue.publish([Message(b"underway")])
    async with consuming(queue, recorder):
        await fake.until_called("pull", 2)
        fake.state.advance(2)
        await recorder.until_handled(1)


async def test_acks_that_fail_for_three_deadlines_cause_no_second_run(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, rival = on_fake.client(), on_fake.client()
    recorder, sent = Recorder(), bodies("handled", 20)
    await queue.publish(messages(sent))
    fake.always["acknowledge"] = Fault(503)
    async with consuming(queue, recorder), consuming(rival, recorder):
        await recorder.until_handled(20)
        assert await recorder.stays_at(20, during_s=6.2)
        del fake.always["acknowledge"]
        await fake.until(lambda: not fake.state.backlog(on_fake.subscription_path))
    assert recorder.counts() == dict.fromkeys(sent, 1)


@pytest.mark.parametrize("fault", [Fault(503), GARBAGE, EMPTY, RESET], ids=lambda fault: fault.how)
async def test_a_pull_that_never_works_is_not_tried_in_a_frenzy(
    on_fake: PubSubBackend, fake: FakePubSub, fault: Fault
) -> None:
    queue, recorder = on_fake.client(), Recorder()
    fake.always["pull"] = fault
    async with consuming(queue, recorder):
        assert await recorder.stays_at(0, during_s=1)
        assert 2 <= len(fake.calls["pull"]) < 30
        del fake.always["pull"]
        await queue.publish([Message(b"at last")])
        await recorder.until_handled(1)


async def test_an_idle_consumer_makes_one_pull_and_waits(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, recorder = on_fake.client(), Recorder()
    async with consuming(queue, recorder, concurrency=7):
        assert await recorder.stays_at(0, during_s=1)
    assert fake.calls["pull"] == [{"maxMessages": 7}]


async def test_a_stopped_consumer_leaves_no_ghost_that_swallows_messages(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, other = on_fake.client(ack_deadline_s=600), on_fake.client(ack_deadline_s=600)
    recorder = Recorder()
    async with consuming(queue, recorder):
        await fake.until_called("pull", 1)
    await queue.publish([Message(b"caught and handed back")])
    async with consuming(other, recorder):
        await recorder.until_handled(1)
    async with consuming(queue, recorder):
        await queue.publish([Message(b"by a pull that was taken over")])
        await recorder.until_handled(2)


async def test_a_publish_that_cannot_be_delivered_fails_within_its_limit(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client(patience=Patience(call_s=0.2, publish_s=0.5))
    await queue.check()
    await fake.down()
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    with pytest.raises(QueueUnavailable, match="did not work within"):
        await queue.publish([Message(b"nowhere")])
    assert loop.time() - started_at < 5
    with pytest.raises(OSError, match="creating"):
        await queue.check()
    await fake.up()
    await queue.check()
    await queue.publish([Message(b"somewhere")])


@pytest.mark.parametrize("share", [1 / 3, 1 / 2])
@pytest.mark.parametrize("loses_everything", [False, True], ids=["keeps", "forgets"])
async def test_a_broker_restart_in_mid_stream_loses_nothing_that_is_published_again(
    on_fake: PubSubBackend, fake: FakePubSub, share: float, loses_everything: bool
) -> None:
    publisher, consumer = on_fake.client(), on_fake.client()
    recorder, sent = Recorder(), bodies("stream", 300)
    async with consuming(consumer, recorder, concurrency=8):
        publishing = asyncio.create_task(publisher.publish(messages(sent)))
        await recorder.until_handled(int(300 * share))
        await fake.down()
        if loses_everything:
            fake.state.forget()
        await fake.up()
        await publishing
        if loses_everything:  # the rows of the database know better, and say it again
            await publisher.publish(messages(set(sent) - set(recorder.handled)))
        await recorder.until(lambda: set(recorder.handled) == set(sent))
