"""Speak Pub/Sub's verbs once each, and say what every possible answer means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from gcloud.aio.pubsub import PublisherClient, SubscriberClient

from queueing.contract import Message, QueueMisconfigured, QueueUnavailable
from queueing.pubsub.credentials import application_token, no_token
from queueing.pubsub.names import Names, from_wire, to_wire

PRODUCTION = "https://pubsub.googleapis.com/v1"
PUBLISHER = "roles/pubsub.publisher"
SUBSCRIBER = "roles/pubsub.subscriber"
EDITOR = "roles/pubsub.editor"


class Garbled(QueueUnavailable):
    """The answer of Pub/Sub cannot be read."""


class NotPermitted(QueueMisconfigured):
    """This process lacks a role."""


class Missing(Exception):
    """The topic or the subscription does not exist."""


class Exists(Exception):
    """What was to be created is there already."""


class Refused(Exception):
    """Pub/Sub finds fault with the request itself; the same one again would end the same."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A message and the handle of this one delivery of it."""

    ack_id: str
    message: Message


class Broker:
    """One queue's verbs, each tried once. To be made inside a running event loop.

    Each raises `QueueUnavailable` when a later try may work, `QueueMisconfigured` when none will,
    `Missing` when its topic or subscription is, `Refused` when the request itself was wrong.
    """

    def __init__(
        self,
        names: Names,
        *,
        emulator_host: str | None,
        api_root: str,
        call_timeout_s: float,
        pull_timeout_s: int,
    ) -> None:
        self._names = names
        self._pull_timeout_s = pull_timeout_s
        self._call_timeout_s = call_timeout_s
        is_emulator = emulator_host is not None
        # The address is always given to the clients, or they would read the environment.
        root = f"http://{emulator_host}/v1" if is_emulator else api_root
        self._token = no_token() if is_emulator else application_token()
        # No limit on connections: long pulls occupy some, and must not keep an ack waiting.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        # The library's annotations name the session of its synchronous twin.
        session: Any = self._session
        self._publisher = PublisherClient(
            session=session, token=self._token, api_root=root, api_is_dev=is_emulator
        )
        self._subscriber = SubscriberClient(
            session=session, token=self._token, api_root=root, api_is_dev=is_emulator
        )

    async def publish(self, messages: Sequence[Message]) -> None:
        """Send one batch."""
        sent = [to_wire(message) for message in messages]

        async def request() -> None:
            answer = await self._publisher.publish(self._names.topic, sent)
            if len(answer["messageIds"]) != len(sent):
                raise ValueError("an id for each message was expected")

        await self._ask(f"publishing to {self._names.topic}", PUBLISHER, request)

    async def pull(self, at_most: int) -> list[Pulled]:
        """Wait for messages; none when none came for as long as the server waits."""

        async def request() -> list[Pulled]:
            received = await self._subscriber.pull(
                self._names.subscription, at_most, timeout=self._pull_timeout_s
            )
            return [
                Pulled(got.ack_id, from_wire(got.data, got.attributes, got.delivery_attempt))
                for got in received
            ]

        # The limit is the request's own: this one only has to be the longer of the two.
        return await self._ask(
            f"pulling from {self._names.subscription}",
            SUBSCRIBER,
            request,
            limit_s=self._pull_timeout_s + self._call_timeout_s,
        )

    async def acknowledge(self, ack_ids: Sequence[str]) -> None:
        """Settle deliveries for good."""
        await self._ask(
            f"acknowledging on {self._names.subscription}",
            SUBSCRIBER,
            lambda: self._subscriber.acknowledge(self._names.subscription, list(ack_ids)),
        )

    async def set_deadline(self, ack_ids: Sequence[str], deadline_s: int) -> None:
        """Let leases end so long from now; 0 gives the messages back at once."""
        await self._ask(
            f"extending leases on {self._names.subscription}",
            SUBSCRIBER,
            lambda: self._subscriber.modify_ack_deadline(
                self._names.subscription, list(ack_ids), deadline_s
            ),
        )

    async def create_topic(self, topic: str) -> None:
        """`Exists` when it does."""
        await self._create(topic, lambda: self._publisher.create_topic(topic))

    async def create_subscription(
        self, subscription: str, topic: str, settings: dict[str, Any]
    ) -> None:
        """`Exists` when it does, whatever its topic and settings."""
        await self._create(
            subscription,
            lambda: self._subscriber.create_subscription(subscription, topic, settings),
        )

    async def describe_subscription(self, subscription: str) -> dict[str, Any]:
        """https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions"""
        return await self._ask(
            f"reading {subscription}",
            EDITOR,
            lambda: self._subscriber.get_subscription(subscription),
        )

    async def delete_subscription(self, subscription: str) -> None:
        """Delete, with all that waits in it."""
        await self._ask(
            f"deleting {subscription}",
            EDITOR,
            lambda: self._subscriber.delete_subscription(subscription),
        )

    async def close(self) -> None:
        """Drop the connections; safe to call twice."""
        await self._token.close()
        await self._session.close()

    async def _create(self, name: str, create: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        async def request() -> None:
            created = await create()
            if created["name"] != name:
                raise ValueError("the new resource was expected")

        await self._ask(f"creating {name}", EDITOR, request)

    async def _ask[T](
        self,
        doing: str,
        role: str,
        request: Callable[[], Awaitable[T]],
        *,
        limit_s: float | None = None,
    ) -> T:
        try:
            async with asyncio.timeout(limit_s or self._call_timeout_s):
                try:
                    return await request()
                except aiohttp.ClientResponseError as error:
                    if error.status != 401:
                        raise
                    # A token can end before its time, e.g. with its key. Once is enough to tell.
                    self._token.renew()
                    return await request()
        except (QueueUnavailable, QueueMisconfigured):
            raise
        except aiohttp.ClientResponseError as error:
            raise _meaning(error, doing, role) from error
        except (aiohttp.ClientError, OSError) as error:
            raise QueueUnavailable(f"{doing}: {error!r}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # What the client's own parsing raises on an answer that is not Pub/Sub's.
            raise Garbled(f"{doing}: the answer cannot be read") from error


def _meaning(error: aiohttp.ClientResponseError, doing: str, role: str) -> Exception:
    """https://cloud.google.com/pubsub/docs/reference/error-codes"""
    said = f"{doing}: {error.status} {error.message[:300]}"
    match error.status:
        case 401:
            return QueueMisconfigured(f"Google refuses the credentials of this process; {said}")
        case 403:
            return NotPermitted(f"this process needs {role}; {said}")
        case 404:
            return Missing(said)
        case 409:
            return Exists(said)
        case 408 | 429 | 499:
            return QueueUnavailable(said)
        case status if status < 400:
            return Garbled(said)
        case status if status >= 500:
            return QueueUnavailable(said)
        case _:
            return Refused(said)
