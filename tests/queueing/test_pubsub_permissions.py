"""What a process may not do is said at once and by the name of the role that it lacks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from queueing.contract import Message, QueueMisconfigured
from queueing.pubsub import PubSubQueue
from tests.queueing.backends import PubSubBackend
from tests.queueing.fake_pubsub import FakePubSub, Fault
from tests.queueing.handling import Gate, Recorder, bodies, consuming, messages

ALL_ADMIN_VERBS = {"createTopic", "createSubscription", "getSubscription", "deleteSubscription"}


async def test_a_publisher_without_its_role_is_told_which_at_once(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue = on_fake.client()
    fake.forbidden = {"publish"}
    with pytest.raises(QueueMisconfigured, match=r"roles/pubsub\.publisher"):
        await queue.publish([Message(b"forbidden")])
    assert len(fake.calls["publish"]) == 1
    with pytest.raises(QueueMisconfigured, match=r"roles/pubsub\.publisher"):
        await queue.check()
    fake.forbidden = set()
    await queue.publish([Message(b"allowed")])
    await queue.check()


async def test_a_consumer_without_its_role_ends_and_says_which(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    fake.forbidden = {"pull"}
    with pytest.raises(QueueMisconfigured, match=r"roles/pubsub\.subscriber"):
        await on_fake.client().consume(Recorder(), concurrency=1)
    assert len(fake.calls["pull"]) == 1


async def test_a_consumer_that_loses_its_role_lets_its_handlers_finish_first(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, gate = on_fake.client(), Gate()
    recorder = Recorder(gate)
    await queue.publish([Message(b"running")])
    consumer = asyncio.create_task(queue.consume(recorder, concurrency=2))
    await recorder.until_seen(1)
    await fake.until_called("pull", 2)
    fake.forbidden = {"pull"}
    fake.state.is_down.set()  # the pull under way ends empty
    await fake.until_called("pull", 3)
    assert not consumer.done()
    gate.open()
    with pytest.raises(QueueMisconfigured):
        await consumer
    assert recorder.handled == [b"running"]


async def test_without_the_right_to_create_what_is_there_is_used(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    owner, recorder = on_fake.client(), Recorder()
    await owner.publish([Message(b"the owner's")])
    fake.forbidden = ALL_ADMIN_VERBS
    modest = on_fake.client()
    await modest.check()
    await modest.publish([Message(b"mine")])
    async with consuming(modest, recorder):
        await recorder.until_handled(2)


@pytest.mark.parametrize("use", ["publish", "consume"])
async def test_what_is_missing_and_may_not_be_created_is_named_with_the_role(
    on_fake: PubSubBackend, fake: FakePubSub, use: str
) -> None:
    fake.forbidden = ALL_ADMIN_VERBS
    queue = on_fake.client()
    calls = {
        "publish": lambda: queue.publish([Message(b"")]),
        "consume": lambda: queue.consume(Recorder(), concurrency=1),
    }
    with pytest.raises(QueueMisconfigured, match=r"missing.*roles/pubsub\.editor"):
        await calls[use]()


@pytest.mark.parametrize("max_deliveries", [4, 101])
async def test_settings_that_pubsub_refuses_are_reported_in_its_words(
    on_pubsub: PubSubBackend, max_deliveries: int
) -> None:
    with pytest.raises(QueueMisconfigured, match="max_delivery_attempts"):
        await on_pubsub.client(max_deliveries=max_deliveries).check()


async def test_acks_that_are_refused_for_good_do_not_spin(
    on_fake: PubSubBackend, fake: FakePubSub
) -> None:
    queue, recorder = on_fake.client(ack_deadline_s=600), Recorder()
    await queue.publish(messages(bodies("unackable", 5)))
    fake.always["acknowledge"] = Fault(403)
    async with consuming(queue, recorder):
        await fake.until_called("acknowledge", 1)
        assert await recorder.stays_at(5, during_s=0.5)
    assert 1 <= len(fake.calls["acknowledge"]) <= 2


async def test_an_emulator_needs_no_credentials_and_none_are_looked_up(
    on_fake: PubSubBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/credentials.json")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    await on_fake.client().check()


async def test_credentials_that_cannot_be_read_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/credentials.json")
    with pytest.raises(QueueMisconfigured, match="credentials cannot be read"):
        PubSubQueue("project", "topic", "subscription")


@pytest.fixture
async def authorized(
    fake: FakePubSub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PubSubQueue]:
    """A queue with a service account's key, as in production, whose token server is the fake's."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "type": "service_account",
        "client_email": "worker@project.iam.gserviceaccount.com",
        "token_uri": f"http://{fake.host}/token",
        "private_key": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    }
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(credentials))
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")  # not ours to read
    fake.accepted_token = fake.issued_token
    queue = PubSubQueue("project", "topic", "subscription", api_root=f"http://{fake.host}/v1")
    yield queue
    await queue.close()


async def test_every_call_carries_one_shared_token(
    authorized: PubSubQueue, fake: FakePubSub
) -> None:
    recorder = Recorder()
    async with consuming(authorized, recorder):
        await authorized.publish(messages(bodies("signed", 5)))
        await recorder.until_handled(5)
    assert len(fake.calls["token"]) == 1


async def test_a_token_that_ended_before_its_time_is_replaced(
    authorized: PubSubQueue, fake: FakePubSub
) -> None:
    await authorized.publish([Message(b"with the first")])
    fake.issued_token = fake.accepted_token = "second"
    await authorized.publish([Message(b"with the second")])
    assert len(fake.calls["token"]) == 2


async def test_a_token_that_is_never_accepted_ends_the_tries(
    authorized: PubSubQueue, fake: FakePubSub
) -> None:
    fake.accepted_token = "another"
    with pytest.raises(QueueMisconfigured, match="refuses the credentials"):
        await authorized.publish([Message(b"")])
    with pytest.raises(QueueMisconfigured, match="refuses the credentials"):
        await authorized.consume(Recorder(), concurrency=1)
    assert len(fake.calls["token"]) <= 4
