"""See that a queue's topics and subscriptions exist, at the start and whenever one vanished."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from typing import Any

from queueing.contract import QueueMisconfigured, QueueUnavailable
from queueing.pubsub.broker import Broker, Exists, Missing, NotPermitted, Refused
from queueing.pubsub.names import Names

logger = logging.getLogger(__name__)

# What Pub/Sub shows as the topic of a subscription whose topic was deleted. It gets nothing ever
# after, a new topic of the old name notwithstanding.
# https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions
ORPHANED = "_deleted-topic_"

# Tells one subscription from a later one of the same name, on whose behalf no old pull waits.
INCARNATION = "incarnation"


@dataclass(frozen=True, slots=True)
class Policy:
    """How a subscription that we create redelivers. One that exists keeps its own settings."""

    ack_deadline_s: int
    max_deliveries: int
    redelivery_backoff_s: tuple[float, float] | None

    def settings(self, dead_topic: str) -> dict[str, Any]:
        """https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions"""
        settings: dict[str, Any] = {
            "ackDeadlineSeconds": self.ack_deadline_s,
            "deadLetterPolicy": {
                "deadLetterTopic": dead_topic,
                "maxDeliveryAttempts": self.max_deliveries,
            },
            **_lasting(),
        }
        if self.redelivery_backoff_s is not None:
            minimum_s, maximum_s = self.redelivery_backoff_s
            settings["retryPolicy"] = {
                "minimumBackoff": f"{minimum_s:g}s",
                "maximumBackoff": f"{maximum_s:g}s",
            }
        return settings


def _lasting() -> dict[str, Any]:
    """An empty expiration policy: without it a subscription unused for 31 days is deleted."""
    return {"expirationPolicy": {}, "labels": {INCARNATION: secrets.token_hex(8)}}


class Resources:
    """The topic, the subscription, and the dead letters' topic and subscription of a queue.

    Where this process may not create or read them they are taken to be there, and what turns out
    to be missing all the same is `QueueMisconfigured`.
    """

    def __init__(self, broker: Broker, names: Names, policy: Policy) -> None:
        self.incarnation: str | None = None
        self._broker = broker
        self._names = names
        self._policy = policy
        self._lock = asyncio.Lock()
        self._ensured = False
        self._forbidden: NotPermitted | None = None

    async def ensure(self) -> None:
        """Create what is missing; remembered until a `repair`."""
        async with self._lock:
            if not self._ensured:
                await self._create()
                self._ensured = True

    async def repair(self) -> None:
        """Create what has turned out to be missing."""
        self._ensured = False
        await self.ensure()
        if self._forbidden is not None:
            raise QueueMisconfigured(
                f"{self._names.topic} or {self._names.subscription} is missing "
                f"and may not be created: {self._forbidden}"
            ) from self._forbidden

    async def confirm(self) -> None:
        """Ask whether the topic is there now, and create it with all the rest when it is not."""
        try:
            await self._broker.create_topic(self._names.topic)
        except (Exists, NotPermitted):
            await self.ensure()
        else:
            await self.repair()

    async def vanished(self, incarnation: str | None) -> bool:
        """Whether the subscription that was known by this incarnation is gone or orphaned.

        Pub/Sub lets a pull on such a one wait to its end. A new one is there on return.
        """
        try:
            now = await self._broker.describe_subscription(self._names.subscription)
        except Missing:
            await self.repair()
            return True
        except (NotPermitted, QueueUnavailable):
            return False  # the pull itself will tell
        if now.get("topic") == ORPHANED:
            await self.repair()
            return True
        self.incarnation = _incarnation(now)
        return self.incarnation != incarnation

    async def _create(self) -> None:
        self._forbidden = None
        names = self._names
        await self._create_topic(names.dead_topic)
        await self._create_subscription(names.dead_subscription, names.dead_topic, _lasting())
        await self._create_topic(names.topic)
        settings = self._policy.settings(names.dead_topic)
        made = await self._create_subscription(names.subscription, names.topic, settings)
        self.incarnation = _incarnation(made)

    async def _create_topic(self, topic: str) -> None:
        try:
            await self._broker.create_topic(topic)
        except Exists:
            return
        except NotPermitted as error:
            self._forbidden = error
        except Refused as error:
            raise QueueMisconfigured(str(error)) from error
        else:
            logger.info("Created %s.", topic)

    async def _create_subscription(
        self, subscription: str, topic: str, settings: dict[str, Any]
    ) -> dict[str, Any]:
        """The subscription as it is on return, or nothing where it may not be read."""
        try:
            await self._broker.create_subscription(subscription, topic, settings)
        except Exists:
            return await self._replace_orphan(subscription, topic, settings)
        except NotPermitted as error:
            self._forbidden = error
            return {}
        except Missing as error:
            if self._forbidden is not None:
                return {}
            # Its topic was created a moment ago; it takes Pub/Sub a while to be sure of it.
            raise QueueUnavailable(str(error)) from error
        except Refused as error:
            raise QueueMisconfigured(str(error)) from error
        logger.info("Created %s.", subscription)
        return settings

    async def _replace_orphan(
        self, subscription: str, topic: str, settings: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            now = await self._broker.describe_subscription(subscription)
            if now.get("topic") == ORPHANED:
                logger.warning("%s has lost its topic and is made anew.", subscription)
                await self._broker.delete_subscription(subscription)
                await self._broker.create_subscription(subscription, topic, settings)
                return settings
        except NotPermitted:
            return {}
        except (Missing, Exists) as error:
            # Another process is replacing it at this moment.
            raise QueueUnavailable(str(error)) from error
        if now.get("topic", topic) != topic:
            raise QueueMisconfigured(f"{subscription} belongs to {now['topic']}, not to {topic}")
        return now


def _incarnation(subscription: dict[str, Any]) -> str | None:
    label = subscription.get("labels", {}).get(INCARNATION)
    return str(label) if label is not None else None
