"""Keep topics, subscriptions and leases as Pub/Sub does, on a clock that tests can advance.

Where it behaves in a way that is not obvious (pulls of clients long gone that still swallow
messages, subscriptions that outlive their topic), the official emulator was found to do so.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

LONGEST_PULL_S = 89.0
Json = dict[str, Any]


class Answer(Exception):
    """What a call gets instead of its result."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True, eq=False)
class Stored:
    """One message in one subscription. `attempts` counts its deliveries."""

    wire: Json
    attempts: int = 0
    leased_until: float = 0.0
    ack_id: str | None = None


@dataclass(slots=True, eq=False)
class Subscription:
    """A subscription and its backlog, in order of arrival."""

    settings: Json
    backlog: list[Stored] = field(default_factory=list)
    peak_leased: int = 0


class PubSubState:
    """Topics, subscriptions and what is in them. Its verbs take and give the REST bodies.

    `on_change` is called after every change.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.topics: set[str] = set()
        self.subscriptions: dict[str, Subscription] = {}
        self.refused_ids: set[str] = set()
        self.is_down = asyncio.Event()
        self._on_change = on_change
        self._skew_s = 0.0
        self._ids = count(1)
        self._changed = asyncio.Event()

    def advance(self, seconds: float) -> None:
        """Let so much time pass for the leases, and none for anyone else."""
        self._skew_s += seconds
        self._notify()

    def leased(self, subscription: str) -> int:
        """How many of a subscription's messages are leased now."""
        now = self._now()
        return sum(one.leased_until > now for one in self.subscriptions[subscription].backlog)

    def backlog(self, subscription: str) -> list[Stored]:
        """What a subscription holds that has not been acknowledged."""
        return self.subscriptions[subscription].backlog

    def forget(self) -> None:
        """Lose everything, as the emulator does with its process."""
        self.topics.clear()
        self.subscriptions.clear()

    def _now(self) -> float:
        return asyncio.get_running_loop().time() + self._skew_s

    def _notify(self) -> None:
        self._on_change()
        self._changed.set()
        self._changed = asyncio.Event()

    async def create_topic(self, name: str, _body: Json) -> Json:
        if len(name.rsplit("/", 1)[1]) < 3:
            raise Answer(400, f"Invalid [topics] name: (name={name})")
        if name in self.topics:
            raise Answer(409, "Topic already exists")
        self.topics.add(name)
        return {"name": name}

    async def delete_topic(self, name: str, _body: Json) -> Json:
        self.topics.discard(name)
        for subscription in self.subscriptions.values():
            if subscription.settings["topic"] == name:
                subscription.settings["topic"] = "_deleted-topic_"
        return {}

    async def create_subscription(self, name: str, body: Json) -> Json:
        if name in self.subscriptions:
            raise Answer(409, "Subscription already exists")
        if body["topic"] not in self.topics:
            raise Answer(404, "Subscription topic does not exist")
        attempts = body.get("deadLetterPolicy", {}).get("maxDeliveryAttempts", 5)
        if not 5 <= attempts <= 100:
            raise Answer(400, "The value for max_delivery_attempts is too small or too large.")
        self.subscriptions[name] = Subscription({"name": name, "ackDeadlineSeconds": 10} | body)
        return self.subscriptions[name].settings

    async def get_subscription(self, name: str, _body: Json) -> Json:
        return self._existing(name).settings

    async def delete_subscription(self, name: str, _body: Json) -> Json:
        self._existing(name)
        del self.subscriptions[name]
        return {}

    def _existing(self, name: str) -> Subscription:
        if name not in self.subscriptions:
            raise Answer(404, "Subscription does not exist")
        return self.subscriptions[name]

    async def publish(self, name: str, body: Json) -> Json:
        if name not in self.topics:
            raise Answer(404, "Topic not found")
        for wire in body["messages"]:
            if not wire.get("data") and not wire.get("attributes"):
                raise Answer(400, "Some messages are empty")
            if any(key.startswith("goog") for key in wire.get("attributes", {})):
                raise Answer(400, "Attribute keys may not begin with goog")
        ids = [self.store(name, wire) for wire in body["messages"]]
        return {"messageIds": ids}

    def store(self, topic: str, wire: Json) -> str:
        """Give a message, as the wire has it, to every subscription of a topic."""
        message_id = str(next(self._ids))
        stamped = {"messageId": message_id, "publishTime": "2026-01-01T00:00:00.000Z"}
        for subscription in self.subscriptions.values():
            if subscription.settings["topic"] == topic:
                subscription.backlog.append(Stored(_plain(wire) | stamped))
        self._notify()
        return message_id

    async def pull(self, name: str, body: Json) -> Json:
        subscription = self._existing(name)
        give_up_at = asyncio.get_running_loop().time() + LONGEST_PULL_S
        while not (taken := self._take(subscription, body["maxMessages"])):
            now = asyncio.get_running_loop().time()
            ends = [one.leased_until - self._skew_s for one in subscription.backlog]
            wake_at = min([give_up_at, *ends])
            with suppress(TimeoutError):
                async with asyncio.timeout(wake_at - now):
                    await _either(self._changed.wait(), self.is_down.wait())
            if self.is_down.is_set() or asyncio.get_running_loop().time() >= give_up_at:
                break
        return {"receivedMessages": taken}

    def _take(self, subscription: Subscription, at_most: int) -> list[Json]:
        now, settings = self._now(), subscription.settings
        self._set_poison_aside(subscription, now)
        ready = [one for one in subscription.backlog if one.leased_until <= now][:at_most]
        for one in ready:
            one.attempts += 1
            one.leased_until = now + settings["ackDeadlineSeconds"]
            one.ack_id = f"{settings['name']}:{next(self._ids)}"
        leased = sum(one.leased_until > now for one in subscription.backlog)
        subscription.peak_leased = max(subscription.peak_leased, leased)
        return [
            {"ackId": one.ack_id, "message": one.wire, "deliveryAttempt": one.attempts}
            for one in ready
        ]

    def _set_poison_aside(self, subscription: Subscription, now: float) -> None:
        policy = subscription.settings.get("deadLetterPolicy")
        if policy is None:
            return
        for one in list(subscription.backlog):
            if one.attempts >= policy["maxDeliveryAttempts"] and one.leased_until <= now:
                subscription.backlog.remove(one)
                self.store(policy["deadLetterTopic"], one.wire)

    async def acknowledge(self, name: str, body: Json) -> Json:
        subscription = self._existing(name)
        done = set(self._checked(body["ackIds"]))
        now = self._now()
        # Best effort, as the real one: an ack that comes after its lease settles nothing.
        subscription.backlog[:] = [
            one for one in subscription.backlog if one.ack_id not in done or one.leased_until <= now
        ]
        self._notify()
        return {}

    async def modify_ack_deadline(self, name: str, body: Json) -> Json:
        subscription, now = self._existing(name), self._now()
        changed = set(self._checked(body["ackIds"]))
        for one in subscription.backlog:
            if one.ack_id in changed and one.leased_until > now:
                one.leased_until = now + body["ackDeadlineSeconds"]
        self._set_poison_aside(subscription, now)
        self._notify()
        return {}

    def _checked(self, ack_ids: list[str]) -> list[str]:
        if len(ack_ids) > 1000:
            raise Answer(400, "Request has too many ack ids.")
        if self.refused_ids.intersection(ack_ids):
            raise Answer(400, "Invalid ack id")
        return ack_ids


def _plain(wire: Json) -> Json:
    """As the real one answers: standard base64, and nothing for what is empty."""
    kept = {name: value for name, value in wire.items() if value}
    if "data" in kept:
        with suppress(ValueError):
            kept["data"] = base64.b64encode(base64.urlsafe_b64decode(kept["data"])).decode()
    return kept


async def _either(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
