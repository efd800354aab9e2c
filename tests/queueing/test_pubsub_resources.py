"""Topics and subscriptions are made when missing, at the start and while everything runs."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from gcloud.aio.pubsub import PublisherClient, SubscriberClient

from queueing.contract import Message, QueueMisconfigured
from tests.emulators import PubSubEmulator
from tests.queueing.backends import PubSubBackend
from tests.queueing.fake_pubsub import FakePubSub
from tests.queueing.handling import LIMIT_S, Recorder, bodies, consuming, messages


class Operator:
    """Someone else with rights on the project, at the same broker."""

    def __init__(self, host: str, session: aiohttp.ClientSession) -> None:
        any_session: Any = session
        how = {"session": any_session, "token": any_session, "api_root": f"http://{host}/v1"}
        self.topics = PublisherClient(**how)
        self.subscriptions = SubscriberClient(**how)


async def published_until_handled(backend: PubSubBackend, recorder: Recorder, body: bytes) -> None:
    """Publish again and again, as the database's relay does, until it was handled."""
    queue = backend.client()
    async with asyncio.timeout(LIMIT_S):
        while body not in recorder.handled:
            await queue.publish([Message(body)])
            await recorder.stays_at(len(recorder.seen), during_s=0.2)


async def test_everything_is_made_at_the_first_use_and_lasts(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client(ack_deadline_s=20, max_deliveries=7, redelivery_backoff_s=(10, 300.5))
    await queue.publish([Message(b"first")])
    assert fake.state.topics == {on_fake.topic_path, f"projects/project/topics/{on_fake.dead_id}"}
    settings = fake.state.subscriptions[on_fake.subscription_path].settings
    assert settings["topic"] == on_fake.topic_path
    assert settings["ackDeadlineSeconds"] == 20
    assert settings["retryPolicy"] == {"minimumBackoff": "10s", "maximumBackoff": "300.5s"}
    assert settings["deadLetterPolicy"] == {
        "deadLetterTopic": f"projects/project/topics/{on_fake.dead_id}",
        "maxDeliveryAttempts": 7,
    }
    assert settings["expirationPolicy"] == {}
    dead = fake.state.subscriptions[f"{on_fake.subscription_path}-dead"].settings
    assert (dead["topic"], dead["expirationPolicy"]) == (
        f"projects/project/topics/{on_fake.dead_id}",
        {},
    )


async def test_a_subscription_that_exists_keeps_its_settings(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    await on_fake.client(ack_deadline_s=33).check()
    await on_fake.client(ack_deadline_s=44).check()
    assert fake.state.subscriptions[on_fake.subscription_path].settings["ackDeadlineSeconds"] == 33


async def test_two_processes_that_start_at_once_both_succeed(on_fake: PubSubBackend) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(on_fake.client().check())


async def test_a_subscription_of_another_topic_is_refused_by_name(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    await fake.state.create_topic("projects/project/topics/elsewhere", {})
    await fake.state.create_subscription(
        on_fake.subscription_path, {"topic": "projects/project/topics/elsewhere"}
    )
    with pytest.raises(QueueMisconfigured, match=r"belongs to .*elsewhere"):
        await on_fake.client().check()


async def test_the_check_makes_a_vanished_topic_again(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client()
    await queue.check()
    fake.state.forget()
    await queue.check()
    assert on_fake.topic_path in fake.state.topics
    assert on_fake.subscription_path in fake.state.subscriptions


@pytest.mark.parametrize("vanishing", ["topic", "topic but for its name", "subscription", "both"])
async def test_what_vanishes_while_a_consumer_waits_is_made_again_and_messages_flow(
    on_pubsub: PubSubBackend, vanishing: str
) -> None:
    watcher, recorder = on_pubsub.client(), Recorder()
    async with aiohttp.ClientSession() as session, consuming(watcher, recorder):
        operator = Operator(on_pubsub.host, session)
        await watcher.publish([Message(b"before")])
        await recorder.until_handled(1)
        if vanishing != "subscription":
            await operator.topics.delete_topic(on_pubsub.topic_path)
        if vanishing == "topic but for its name":  # the old subscription gets nothing from it
            await operator.topics.create_topic(on_pubsub.topic_path)
        if vanishing in {"subscription", "both"}:
            await operator.subscriptions.delete_subscription(on_pubsub.subscription_path)
        await published_until_handled(on_pubsub, recorder, b"after")


async def test_a_consumer_finds_a_subscription_that_another_process_made_again(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    watcher, other, recorder = on_fake.client(), on_fake.client(), Recorder()
    async with consuming(watcher, recorder):
        await fake.until_called("pull", 1)
        await fake.state.delete_subscription(on_fake.subscription_path, {})
        await fake.state.delete_topic(on_fake.topic_path, {})
        await other.publish([Message(b"into the new one")])
        await recorder.until_handled(1)


async def test_an_orphaned_subscription_is_replaced_at_the_start(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    await on_fake.client().check()
    await fake.state.delete_topic(on_fake.topic_path, {})
    queue, recorder = on_fake.client(), Recorder()
    await queue.publish([Message(b"to the new pair")])
    async with consuming(queue, recorder):
        await recorder.until_handled(1)


@pytest.mark.parametrize("share", [1 / 3, 1 / 2])
async def test_the_real_emulator_comes_back_empty_in_mid_stream_and_nothing_is_lost(
    on_emulator: PubSubBackend, emulator: PubSubEmulator, share: float
) -> None:
    publisher, consumer = on_emulator.client(), on_emulator.client()
    recorder, sent = Recorder(), bodies("stream", 300)
    async with consuming(consumer, recorder, concurrency=8):
        await publisher.publish(messages(sent))
        await recorder.until_handled(int(300 * share))
        emulator.kill()
        await asyncio.to_thread(emulator.start)
        # The rows of the database know what was not handled, and say it again.
        await publisher.publish(messages(set(sent) - set(recorder.handled)))
        await recorder.until(lambda: set(recorder.handled) == set(sent))
