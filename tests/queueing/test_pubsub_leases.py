"""A lease is kept, ended or lost, and no late word about one touches the next."""

from __future__ import annotations

import asyncio
from functools import partial

from queueing.contract import Message
from queueing.pubsub import Patience
from tests.queueing.backends import PubSubBackend
from tests.queueing.fake_pubsub import LATE, FakePubSub, Fault
from tests.queueing.handling import Gate, Recorder, bodies, consuming, fail, messages
from tests.queueing.pubsub_state import Stored


def was_delivered(message: Stored, times: int) -> bool:
    """Whether a message has been given out so often."""
    return message.attempts >= times


async def test_a_late_ack_of_a_lost_lease_is_no_error_and_settles_nothing_newer(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    loser, winner = on_fake.client(ack_deadline_s=600), on_fake.client(ack_deadline_s=600)
    first_gate, second_gate = Gate(), Gate()
    lost, won = Recorder(first_gate), Recorder(second_gate)
    await loser.publish([Message(b"contested")])
    async with consuming(loser, lost, concurrency=1):
        await lost.until_seen(1)
        fake.state.advance(600)
        async with consuming(winner, won, concurrency=1):
            await won.until_seen(1)
            first_gate.open()
            await fake.until_called("acknowledge", 1)
            assert len(fake.state.backlog(on_fake.subscription_path)) == 1
            second_gate.open()
            await fake.until(lambda: not fake.state.backlog(on_fake.subscription_path))
    assert (lost.counts(), won.counts()) == ({b"contested": 1}, {b"contested": 1})


async def test_a_late_give_back_of_a_lost_lease_does_not_take_it_from_the_next(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    loser = on_fake.client(ack_deadline_s=600, retry_delay_s=0)
    winner = on_fake.client(ack_deadline_s=600)
    gate, held = Gate(), Recorder(Gate())

    async def fail_late(message: Message) -> None:
        await gate(message)
        await fail(message)

    lost = Recorder(fail_late)
    await loser.publish([Message(b"contested")])
    async with consuming(loser, lost, concurrency=1):
        await lost.until_seen(1)
        fake.state.advance(600)
        async with consuming(winner, held, concurrency=1):
            await held.until_seen(1)
            gate.open()
            await fake.until_called("modifyAckDeadline", 1)
            assert await lost.stays_at(1, during_s=0.2)
            assert fake.state.leased(on_fake.subscription_path) == 1


async def test_a_lease_is_let_go_at_its_cap_and_the_message_goes_elsewhere(
    on_fake: PubSubBackend,
) -> None:
    stuck, other = on_fake.client(max_lease_s=1.5), on_fake.client()
    held, rescued = Recorder(Gate()), Recorder()
    await stuck.publish([Message(b"stuck")])
    async with consuming(stuck, held, concurrency=1):
        await held.until_seen(1)
        async with consuming(other, rescued):
            await rescued.until_handled(1)


async def test_a_consumer_holds_as_many_messages_as_it_has_slots(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, gate = on_fake.client(), Gate()
    recorder = Recorder(gate)
    await queue.publish(messages(bodies("queued", 20)))
    async with consuming(queue, recorder, concurrency=3):
        await recorder.until_seen(3)
        assert await recorder.stays_at(3, during_s=0.3)
        assert fake.state.leased(on_fake.subscription_path) == 3
        gate.open()
        await recorder.until_handled(20)


async def test_a_consumer_that_takes_over_a_wider_pull_hands_back_what_it_has_no_slot_for(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, gate = on_fake.client(ack_deadline_s=600), Gate()
    wide, narrow = Recorder(), Recorder(gate)
    async with consuming(queue, wide, concurrency=5):
        await fake.until_called("pull", 1)
    async with consuming(queue, narrow, concurrency=1):
        await queue.publish(messages(bodies("five", 5)))
        await narrow.until_seen(1)
        await fake.until(lambda: fake.state.leased(on_fake.subscription_path) == 1)
        gate.open()
        await narrow.until_handled(5)
    assert [call["maxMessages"] for call in fake.calls["pull"][:3]] == [5, 1, 1]
    assert narrow.peak == 1


async def test_ten_thousand_acks_in_one_window_go_out_a_thousand_at_a_time(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, gate = on_fake.client(ack_deadline_s=60), Gate()
    recorder = Recorder(gate)
    await queue.publish(messages(bodies("flood", 10_000)))
    async with consuming(queue, recorder, concurrency=10_000):
        await recorder.until_seen(10_000)
        gate.open()
        await fake.until(lambda: not fake.state.backlog(on_fake.subscription_path))
    assert recorder.counts() == dict.fromkeys(bodies("flood", 10_000), 1)
    sizes = [len(call["ackIds"]) for call in fake.calls["acknowledge"]]
    assert max(sizes) == 1000
    assert len(sizes) < 20


async def test_renewals_of_many_leases_share_their_calls(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, gate = on_fake.client(ack_deadline_s=3), Gate()
    recorder = Recorder(gate)
    await queue.publish(messages(bodies("held", 1500)))
    async with consuming(queue, recorder, concurrency=1500):
        await recorder.until_seen(1500)
        await fake.until_called("modifyAckDeadline", 4)
        gate.open()
    renewed = [call["ackIds"] for call in fake.calls["modifyAckDeadline"]]
    assert len(renewed[0]) == 1000
    assert len({*renewed[0], *renewed[1]}) == 1500
    assert {call["ackDeadlineSeconds"] for call in fake.calls["modifyAckDeadline"]} == {3}


async def test_one_id_that_is_refused_spoils_no_other(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, gate = on_fake.client(ack_deadline_s=600), Gate()
    recorder, sent = Recorder(gate), bodies("one of", 9)
    await queue.publish(messages(sent))
    async with consuming(queue, recorder, concurrency=9):
        await recorder.until_seen(9)
        refused = next(one for one in fake.state.backlog(on_fake.subscription_path) if one.ack_id)
        fake.state.refused_ids = {str(refused.ack_id)}
        gate.open()
        await fake.until(lambda: fake.state.backlog(on_fake.subscription_path) == [refused])
        calls = len(fake.calls["acknowledge"])
        assert await recorder.stays_at(9, during_s=0.3)
        assert len(fake.calls["acknowledge"]) == calls, "what is refused for good is not repeated"


async def test_a_give_back_waits_for_a_renewal_that_is_on_its_way(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, gate = on_fake.client(ack_deadline_s=5, retry_delay_s=0), Gate()

    async def fail_when_told(message: Message) -> None:
        await gate(message)
        await fail(message)

    recorder = Recorder(fail_when_told)
    fake.fail("modifyAckDeadline", LATE)
    await queue.publish([Message(b"held")])
    async with consuming(queue, recorder, concurrency=1):
        await fake.until_called("modifyAckDeadline", 1)
        gate.open()
        assert await recorder.stays_at(1, during_s=0.3)
        assert len(fake.calls["modifyAckDeadline"]) == 1
        fake.released.set()
        await recorder.until_seen(2)
    assert [call["ackDeadlineSeconds"] for call in fake.calls["modifyAckDeadline"][:2]] == [5, 0]


async def test_a_message_that_cannot_be_read_is_set_aside_and_takes_no_other_along(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, recorder = on_fake.client(max_deliveries=5, ack_deadline_s=600), Recorder()
    await queue.publish([Message(b"good-0")])
    fake.state.store(on_fake.topic_path, {"data": "abc"})  # not base64
    await queue.publish(messages([b"good-1", b"good-2"]))
    async with consuming(queue, recorder):
        await fake.until_called("pull", 2)  # the first one was spoilt for all four
        fake.state.advance(600)
        await fake.until(lambda: len(fake.state.backlog(on_fake.subscription_path)) == 1)
        [poison] = fake.state.backlog(on_fake.subscription_path)
        for _ in range(poison.attempts, 5):
            following = poison.attempts + 1
            fake.state.advance(600)
            await fake.until(partial(was_delivered, poison, following))
        fake.state.advance(600)
        await fake.until(lambda: not fake.state.backlog(on_fake.subscription_path))
        await queue.publish([Message(b"good-3")])
        await recorder.until_handled(4)
    assert recorder.counts() == dict.fromkeys(bodies("good", 4), 1)
    dead = fake.state.subscriptions[f"{on_fake.subscription_path}-dead"].backlog
    assert [one.wire["data"] for one in dead] == ["abc"]


async def test_a_last_failure_is_told_at_once_so_that_poison_is_set_aside_without_delay(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, recorder = on_fake.client(max_deliveries=5, ack_deadline_s=600), Recorder(fail)
    await queue.publish([Message(b"poison")])
    async with consuming(queue, recorder):
        for failures in range(1, 6):
            await fake.until_called("modifyAckDeadline", failures)
            fake.state.advance(2)
        await fake.until(lambda: not fake.state.backlog(on_fake.subscription_path))
    told = [call["ackDeadlineSeconds"] for call in fake.calls["modifyAckDeadline"]]
    assert told == [1, 2, 2, 2, 0]


async def test_leases_outlive_a_broker_that_is_gone_for_a_moment(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, gate = on_fake.client(ack_deadline_s=3), Gate()
    recorder = Recorder(gate)
    await queue.publish(messages(bodies("held", 5)))
    async with consuming(queue, recorder, concurrency=8):
        await recorder.until_seen(5)
        await fake.down()
        gate.open()
        await recorder.until_handled(5)
        await fake.up()
        await fake.until(lambda: not fake.state.backlog(on_fake.subscription_path))
    assert recorder.counts() == dict.fromkeys(bodies("held", 5), 1)


async def test_what_a_stopped_handler_held_is_back_before_close_returns(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, recorder = on_fake.client(ack_deadline_s=600), Recorder(Gate())
    await queue.publish(messages(bodies("stuck", 4)))
    async with consuming(queue, recorder):
        await recorder.until_seen(4)
    await queue.close()
    assert fake.state.leased(on_fake.subscription_path) == 0


async def test_close_keeps_its_limit_when_nothing_can_be_told(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client(patience=Patience(call_s=0.2, close_s=0.5))
    recorder = Recorder()
    await queue.publish([Message(b"handled")])
    fake.always["acknowledge"] = Fault(503)
    async with consuming(queue, recorder):
        await recorder.until_handled(1)
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    await queue.close()
    assert 0.5 <= loop.time() - started_at < 2
