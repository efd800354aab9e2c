"""Webhooks as their owners see them: added, listed, tried out, deleted."""

from __future__ import annotations

import asyncio
import base64
from uuid import uuid4

import pytest

from storage.webhooks import MAX_WEBHOOKS
from tests.api.harness import Json, Service, User
from tests.webhooks.receiver import Receiver

URL = "https://hooks.example.com/refined?for=me"


async def added(user: User, url: str = URL, **fields: object) -> Json:
    """A new webhook with its secret."""
    response = await user.request("POST", "/api/webhooks", json={"url": url, **fields})
    assert response.status == 201, await response.text()
    return await response.json()


async def test_a_webhook_is_added_with_a_secret_that_is_shown_this_once(user: User) -> None:
    response = await user.request("POST", "/api/webhooks", json={"url": URL})
    webhook = await response.json()
    assert response.status == 201
    assert response.headers["Location"] == f"/api/webhooks/{webhook['webhook_id']}"
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64
    assert webhook["events"] == ["task.completed", "task.failed"]
    assert webhook["url"] == URL
    assert webhook["disabled_at"] is None
    assert await user.get(f"/api/webhooks/{webhook['webhook_id']}") == webhook
    assert await user.get("/api/webhooks") == [webhook]


async def test_the_events_can_be_chosen_and_each_counts_once(user: User) -> None:
    webhook = await added(user, events=["task.failed", "task.failed"])
    assert webhook["events"] == ["task.failed"]


async def test_no_two_webhooks_have_one_secret(user: User) -> None:
    assert (await added(user))["secret"] != (await added(user))["secret"]


async def test_webhooks_are_listed_newest_first(user: User) -> None:
    made = [(await added(user, f"{URL}&{number}"))["webhook_id"] for number in range(3)]
    assert [webhook["webhook_id"] for webhook in await user.get("/api/webhooks")] == made[::-1]


async def test_a_deleted_webhook_is_gone(user: User) -> None:
    path = f"/api/webhooks/{(await added(user))['webhook_id']}"
    assert (await user.request("DELETE", path)).status == 204
    assert (await user.request("DELETE", path)).status == 404
    assert (await user.request("GET", path)).status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/webhooks/{}"),
        ("DELETE", "/api/webhooks/{}"),
        ("POST", "/api/webhooks/{}/test"),
        ("GET", "/api/webhooks/{}/deliveries"),
    ],
)
async def test_a_webhook_of_someone_else_or_of_nobody_is_404(
    service: Service, user: User, method: str, path: str
) -> None:
    theirs = (await added(await service.guest()))["webhook_id"]
    for identity in (theirs, uuid4(), "x"):
        response = await user.request(method, path.format(identity))
        assert response.status == 404
        assert (await response.json())["code"] == "webhook_not_found"


WRONG_URLS = {
    "plain http": "http://example.com/",
    "no host": "https:///x",
    "relative": "/hook",
    "another scheme": "ftp://example.com/",
    "user info": "https://me:secret@example.com/",
    "a fragment": "https://example.com/#x",
    "this machine": "https://127.0.0.1/",
    "this machine over IPv6": "https://[::1]/",
    "a private address": "https://10.1.2.3/",
    "the cloud's metadata": "https://169.254.169.254/latest",
    "an address with IPv4 inside": "https://[::ffff:10.0.0.1]/",
    "a line break": "https://example.com/\r\nX: y",
    "a bad port": "https://example.com:99999/",
    "port 0": "https://example.com:0/",
    "too long": f"https://example.com/{'x' * 2_048}",
    "no text": 5,
}


@pytest.mark.parametrize("url", WRONG_URLS.values(), ids=WRONG_URLS)
async def test_an_address_that_could_not_be_told_is_422(user: User, url: object) -> None:
    response = await user.request("POST", "/api/webhooks", json={"url": url})
    assert response.status == 422
    problem = await response.json()
    assert problem["code"] == "validation_error"
    assert problem["errors"][0]["loc"] == ["url"]


@pytest.mark.parametrize("events", [[], ["task.started"], "task.failed", [None], {}])
async def test_events_that_there_are_not_are_422(user: User, events: object) -> None:
    response = await user.request("POST", "/api/webhooks", json={"url": URL, "events": events})
    assert response.status == 422


async def test_of_many_added_at_once_exactly_as_many_get_in_as_there_may_be(user: User) -> None:
    answers = await asyncio.gather(
        *(user.request("POST", "/api/webhooks", json={"url": URL}) for _ in range(30))
    )
    statuses = [answer.status for answer in answers]
    assert statuses.count(201) == MAX_WEBHOOKS
    assert statuses.count(409) == 30 - MAX_WEBHOOKS
    refused = next(answer for answer in answers if answer.status == 409)
    assert (await refused.json())["code"] == "too_many_webhooks"
    first = (await user.get("/api/webhooks"))[0]
    await user.request("DELETE", f"/api/webhooks/{first['webhook_id']}")
    await added(user)


async def test_a_test_arrives_signed_and_is_in_the_log(user: User, receiver: Receiver) -> None:
    webhook = await added(user, receiver.url())
    path = f"/api/webhooks/{webhook['webhook_id']}"
    response = await user.request("POST", f"{path}/test")
    assert response.status == 202
    assert response.headers["Location"] == f"{path}/deliveries"
    owed = await response.json()
    assert (owed["event"], owed["status"], owed["task_id"]) == ("webhook.test", "pending", None)
    [received] = await receiver.has(1)
    event = received.verified(webhook["secret"])
    assert event["type"] == "webhook.test"
    assert event["data"] == {"webhook_id": webhook["webhook_id"]}
    assert received.id == owed["delivery_id"]


async def test_a_test_that_is_pending_is_the_one_that_is_asked_for_again(
    user: User, receiver: Receiver
) -> None:
    gate = receiver.hang()
    path = f"/api/webhooks/{(await added(user, receiver.url()))['webhook_id']}"
    answers = await asyncio.gather(*(user.request("POST", f"{path}/test") for _ in range(20)))
    assert len({(await answer.json())["delivery_id"] for answer in answers}) == 1
    await receiver.has(1)
    gate.set()
    assert len(await user.get(f"{path}/deliveries")) == 1


async def test_the_log_pages_without_gap_or_repeat(user: User, receiver: Receiver) -> None:
    webhook = await added(user, receiver.url())
    path = f"/api/webhooks/{webhook['webhook_id']}"
    made: list[str] = []
    for number in range(5):
        made.append((await (await user.request("POST", f"{path}/test")).json())["delivery_id"])
        await receiver.has(number + 1)
        await settled(user, path)
    seen: list[str] = []
    page: str | None = f"{path}/deliveries?limit=2"
    while page:
        response = await user.request("GET", page)
        seen += [delivery["delivery_id"] for delivery in await response.json()]
        page = str(response.links["next"]["url"]) if response.links else None
    assert seen == made[::-1]


async def settled(user: User, path: str) -> list[Json]:
    """The log once nothing in it is pending."""
    async with asyncio.timeout(20):
        while True:
            deliveries: list[Json] = await user.get(f"{path}/deliveries?limit=50")
            if all(delivery["status"] != "pending" for delivery in deliveries):
                return deliveries
