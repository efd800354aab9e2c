"""Events on their way: signed, repeated until they have arrived, never sent where they must not."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from standardwebhooks import WebhookVerificationError

from service.engines.contract import EngineFailed
from service.outbound import is_public
from tests.api.harness import Json, Service, User
from tests.scripted import ScriptedEngine
from tests.webhooks.conftest import Serve
from tests.webhooks.receiver import Receiver
from tests.webhooks.test_webhooks import added, settled


def log_of(webhook: Json) -> str:
    return f"/api/webhooks/{webhook['webhook_id']}"


async def ended(user: User) -> Json:
    """A task that has run to its end."""
    return await user.ended((await user.begin())["task_id"])


async def test_a_completed_task_is_told_as_the_api_shows_it(user: User, receiver: Receiver) -> None:
    webhook = await added(user, receiver.url("/here?x=1"))
    task = await ended(user)
    [received] = await receiver.has(1)
    event = received.verified(webhook["secret"])
    assert event["type"] == "task.completed"
    assert event["timestamp"] == task["completed_at"]
    image_url = event["data"].pop("image_url")
    assert image_url.partition("?")[0] == task.pop("image_url").partition("?")[0]
    assert (await user.request("GET", image_url)).status == 200
    for shown in (event["data"], task):
        source_url = shown["metadata"].pop("original_image_url").partition("?")[0]
        assert source_url.endswith(".png")
    assert event["data"] == task
    assert received.path == "/here"
    assert received.headers["content-type"] == "application/json"
    assert "authorization" not in received.headers
    [delivery] = await settled(user, log_of(webhook))
    assert delivery["delivery_id"] == received.id
    assert delivery["task_id"] == task["task_id"]
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 1)
    assert (delivery["response_status"], delivery["error"]) == (204, None)
    assert delivery["next_attempt_at"] is None


async def test_failed_and_canceled_tasks_are_told_as_failed(
    user: User, receiver: Receiver, engine: ScriptedEngine
) -> None:
    webhook = await added(user, receiver.url())
    engine.fail(EngineFailed())
    await ended(user)
    engine.hold()
    task = await user.begin()
    await user.request("POST", f"/api/tasks/{task['task_id']}/cancel")
    events = [one.verified(webhook["secret"]) for one in await receiver.has(2)]
    assert [event["type"] for event in events] == ["task.failed", "task.failed"]
    assert {event["data"]["error_code"] for event in events} == {"engine_failed", "canceled"}


async def test_each_webhook_is_told_only_what_it_asked_for(
    user: User, receiver: Receiver, engine: ScriptedEngine
) -> None:
    await added(user, receiver.url("/good"), events=["task.completed"])
    await added(user, receiver.url("/bad"), events=["task.failed"])
    await added(user, receiver.url("/all"))
    await ended(user)
    engine.fail(EngineFailed())
    await ended(user)
    paths = sorted(one.path for one in await receiver.has(4))
    assert paths == ["/all", "/all", "/bad", "/good"]


async def test_nobody_else_is_told(service: Service, user: User, receiver: Receiver) -> None:
    await added(await service.guest(), receiver.url("/stranger"))
    await added(user, receiver.url("/mine"))
    await ended(user)
    assert [one.path for one in await receiver.has(1)] == ["/mine"]


async def test_a_failure_is_repeated_under_the_same_id_with_a_new_signature(
    user: User, receiver: Receiver
) -> None:
    webhook = await added(user, receiver.url())
    receiver.answer(500, 404)
    await ended(user)
    received = await receiver.has(3)
    assert len({one.id for one in received}) == 1
    assert len({one.body for one in received}) == 1
    for one in received:
        assert one.verified(webhook["secret"])["type"] == "task.completed"
    [delivery] = await settled(user, log_of(webhook))
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 3)


async def test_a_signature_holds_for_its_own_secret_id_and_time_alone(
    user: User, receiver: Receiver
) -> None:
    webhook = await added(user, receiver.url())
    other = await added(user, "https://other.test/")
    await ended(user)
    [one] = await receiver.has(1)
    one.verified(webhook["secret"])
    with pytest.raises(WebhookVerificationError):
        one.verified(other["secret"])
    for name in ("webhook-id", "webhook-timestamp"):
        kept = one.headers[name]
        one.headers[name] = kept[:-1] + ("0" if kept[-1] != "0" else "1")
        with pytest.raises(WebhookVerificationError):
            one.verified(webhook["secret"])
        one.headers[name] = kept


async def test_after_the_last_attempt_a_delivery_has_failed(user: User, receiver: Receiver) -> None:
    webhook = await added(user, receiver.url())
    receiver.answer(500, 500, 500, 500)
    await ended(user)
    [delivery] = await settled(user, log_of(webhook))
    assert (delivery["status"], delivery["error"]) == ("failed", "refused")
    assert (delivery["attempts"], delivery["response_status"]) == (3, 500)
    assert len(receiver.received) == 3


async def test_a_receiver_may_ask_for_more_time(serve: Serve, receiver: Receiver) -> None:
    async with serve(retry_after_s=(1,)) as service:
        user = await service.guest()
        webhook = await added(user, receiver.url())
        receiver.answer(503, **{"Retry-After": "7200"})
        await ended(user)
        [delivery] = await attempted(user, webhook)
    waits = datetime.fromisoformat(delivery["next_attempt_at"]) - datetime.fromisoformat(
        delivery["last_attempt_at"]
    )
    assert 7_200 <= waits.total_seconds() < 7_210


async def test_the_next_attempt_waits_as_scheduled_and_a_little_more_by_chance(
    serve: Serve, receiver: Receiver
) -> None:
    async with serve(retry_after_s=(300,)) as service:
        users = [await service.guest() for _ in range(5)]
        webhooks = [await added(user, receiver.url()) for user in users]
        receiver.answer(*[500] * 5)
        for user in users:
            await ended(user)
        waits = set()
        for user, webhook in zip(users, webhooks, strict=True):
            [delivery] = await attempted(user, webhook)
            due = datetime.fromisoformat(delivery["next_attempt_at"])
            waits.add((due - datetime.fromisoformat(delivery["last_attempt_at"])).total_seconds())
    assert all(300 <= wait <= 331 for wait in waits), waits
    assert len(waits) == 5


async def attempted(user: User, webhook: Json) -> list[Json]:
    """The log once every delivery has been tried and noted."""
    async with asyncio.timeout(20):
        while True:
            deliveries: list[Json] = await user.get(f"{log_of(webhook)}/deliveries")
            if deliveries and all(one["error"] or one["response_status"] for one in deliveries):
                return deliveries


async def test_a_receiver_that_hangs_is_left_and_holds_nobody_up(
    serve: Serve, receiver: Receiver
) -> None:
    async with serve(attempt_s=1.0, retry_after_s=()) as service:
        slow, quick = await service.guest(), await service.guest()
        webhook = await added(slow, receiver.url("/slow"))
        gate = receiver.hang()
        await ended(slow)
        await receiver.has(1)
        other = await added(quick, receiver.url("/quick"))
        await ended(quick)
        assert (await settled(quick, log_of(other)))[0]["status"] == "delivered"
        [delivery] = await settled(slow, log_of(webhook))
        gate.set()
    assert (delivery["status"], delivery["error"]) == ("failed", "timed_out")
    assert delivery["response_status"] is None


async def test_a_receiver_that_is_gone_is_not_told_again(user: User, receiver: Receiver) -> None:
    webhook = await added(user, receiver.url())
    receiver.answer(410)
    await ended(user)
    [delivery] = await settled(user, log_of(webhook))
    assert (delivery["status"], delivery["error"]) == ("failed", "gone")
    assert delivery["response_status"] == 410
    assert (await user.get(log_of(webhook)))["disabled_at"]
    await ended(user)
    assert len(await user.get(f"{log_of(webhook)}/deliveries")) == 1
    response = await user.request("POST", f"{log_of(webhook)}/test")
    assert response.status == 409
    assert (await response.json())["code"] == "webhook_disabled"
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(
    serve: Serve, receiver: Receiver, status: int
) -> None:
    async with serve(retry_after_s=()) as service:
        user = await service.guest()
        webhook = await added(user, receiver.url())
        receiver.answer(status, Location=receiver.url("/elsewhere"))
        await ended(user)
        [delivery] = await settled(user, log_of(webhook))
    assert (delivery["status"], delivery["error"]) == ("failed", "redirected")
    assert [one.path for one in receiver.received] == ["/hook"]


async def test_a_name_that_stands_for_an_address_inside_is_never_connected_to(
    serve: Serve, receiver: Receiver
) -> None:
    async with serve(may_connect=is_public, retry_after_s=()) as service:
        user = await service.guest()
        webhook = await added(user, receiver.url())
        await ended(user)
        [delivery] = await settled(user, log_of(webhook))
    assert (delivery["status"], delivery["error"]) == ("failed", "address_refused")
    assert receiver.received == []


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    serve: Serve, receiver: Receiver
) -> None:
    async with serve(tls=True, retry_after_s=()) as service:
        user = await service.guest()
        webhook = await added(user, receiver.url())
        await ended(user)
        [delivery] = await settled(user, log_of(webhook))
    assert (delivery["status"], delivery["error"]) == ("failed", "certificate_invalid")
    assert receiver.received == []


async def test_nobody_listening_is_unreachable(serve: Serve, receiver: Receiver) -> None:
    async with serve(retry_after_s=(), resolver=None) as service:
        user = await service.guest()
        webhook = await added(user, "https://nowhere.invalid/")
        await ended(user)
        [delivery] = await settled(user, log_of(webhook))
    assert (delivery["status"], delivery["error"]) == ("failed", "unreachable")


async def test_a_task_that_is_deleted_before_it_could_be_told_is_not_told(
    serve: Serve, receiver: Receiver
) -> None:
    async with serve(retry_after_s=(0.3,)) as service:
        user = await service.guest()
        webhook = await added(user, receiver.url())
        receiver.answer(500)
        task = await ended(user)
        await attempted(user, webhook)
        await user.request("DELETE", f"/api/tasks/{task['task_id']}")
        [delivery] = await settled(user, log_of(webhook))
    assert (delivery["status"], delivery["error"]) == ("failed", "task_deleted")
    assert len(receiver.received) == 1


async def test_a_deleted_webhook_is_told_nothing_more(serve: Serve, receiver: Receiver) -> None:
    async with serve(retry_after_s=(0.1,)) as service:
        user = await service.guest()
        webhook = await added(user, receiver.url())
        receiver.answer(500)
        await ended(user)
        await attempted(user, webhook)
        await user.request("DELETE", log_of(webhook))
        told = len(receiver.received)
        other = await added(user, receiver.url("/other"))
        await ended(user)
        await settled(user, log_of(other))
        assert [one.path for one in receiver.received[told:]] == ["/other"]
        [left] = await service.resources.database.fetch("SELECT webhook_id FROM webhook_delivery")
    assert str(left["webhook_id"]) == other["webhook_id"]


async def test_two_couriers_at_once_send_each_event_once(serve: Serve, receiver: Receiver) -> None:
    async with serve() as first, serve() as second:
        owners = [await one.guest() for one in (first, second) for _ in range(4)]
        webhooks = [(user, await added(user, receiver.url())) for user in owners for _ in range(8)]
        answers = await asyncio.gather(
            *(user.request("POST", f"{log_of(webhook)}/test") for user, webhook in webhooks)
        )
        owed = {(await answer.json())["delivery_id"] for answer in answers}
        await receiver.has(len(webhooks))
        for user, webhook in webhooks:
            assert (await settled(user, log_of(webhook)))[0]["attempts"] == 1
    assert len(receiver.received) == len(webhooks)
    assert {one.id for one in receiver.received} == owed


async def test_what_deliveries_come_to_is_counted(user: User, receiver: Receiver) -> None:
    webhook = await added(user, receiver.url())
    receiver.answer(500)
    await ended(user)
    await settled(user, log_of(webhook))
    text = await (await user.request("GET", "/metrics")).text()
    assert 'webhook_attempts_total{outcome="refused"} 1.0' in text
    assert 'webhook_attempts_total{outcome="delivered"} 1.0' in text
