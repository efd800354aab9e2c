"""The queues under test, each behind the few words that the suite needs to drive it."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Protocol

import aiohttp
from gcloud.aio.pubsub import SubscriberClient

from queueing.contract import Message, Queue
from queueing.memory import MemoryQueue
from queueing.pubsub import Patience, PubSubQueue


class Backend(Protocol):
    """One fresh, empty queue and the world around it."""

    lease_s: float | None
    """How long a message of a dead holder stays away; None where it dies with its holder."""

    retry_delay_s: float
    """The delay after a message's first failure; it doubles from there."""

    async def open(self) -> Queue:
        """A client of the queue, as another process would have one where `lease_s` is set."""

    async def open_strict(self, *, max_deliveries: int) -> Queue:
        """The same, where poison is set aside so soon and comes again without delay until then.

        Only the first client of a queue can ask for it.
        """

    async def open_other(self) -> Queue:
        """A client of another queue."""

    async def dead_letters(self, count: int) -> list[Message]:
        """Wait until at least so many messages have been set aside; what they are."""

    async def close(self) -> None:
        """Close every client and take the queue away."""


class MemoryBackend:
    """The in-memory queue: every client is the same object."""

    lease_s: float | None = None
    retry_delay_s = 0.05

    def __init__(self) -> None:
        self._queue: MemoryQueue | None = None

    async def open(self) -> Queue:
        if self._queue is None:
            self._queue = MemoryQueue(retry_delay_s=self.retry_delay_s, max_deliveries=100)
        return self._queue

    async def open_strict(self, *, max_deliveries: int) -> Queue:
        self._queue = MemoryQueue(retry_delay_s=0, max_deliveries=max_deliveries)
        return self._queue

    async def open_other(self) -> Queue:
        return MemoryQueue()

    async def dead_letters(self, count: int) -> list[Message]:
        assert self._queue is not None, "it has been opened"
        async with asyncio.timeout(60):
            while len(self._queue.dead_letters) < count:
                await asyncio.sleep(0)
        return list(self._queue.dead_letters)

    async def close(self) -> None:
        if self._queue is not None:
            await self._queue.close()


class PubSubBackend:
    """A topic and a subscription of their own on an emulator, the official one or the fake.

    Every client is a separate one, as if in a process of its own.
    """

    lease_s: float | None = 2.0
    retry_delay_s = 1.0

    def __init__(self, emulator_host: str) -> None:
        self.host = emulator_host
        self.topic = f"topic-{secrets.token_hex(6)}"
        self.subscription = f"subscription-{secrets.token_hex(6)}"
        self.dead_id = f"{self.subscription}-dead"
        self._clients: list[PubSubQueue] = []

    def client(self, name_suffix: str = "", **options: Any) -> PubSubQueue:
        """A client with the suite's quick settings, or others."""
        quick = {
            "ack_deadline_s": 2,
            "retry_delay_s": self.retry_delay_s,
            "max_retry_delay_s": 2,
            "max_deliveries": 100,
            "redelivery_backoff_s": None,
            "patience": Patience(publish_s=30, watch_s=0.5),
        }
        queue = PubSubQueue(
            "project",
            self.topic + name_suffix,
            self.subscription + name_suffix,
            emulator_host=self.host,
            **(quick | options),
        )
        self._clients.append(queue)
        return queue

    @property
    def topic_path(self) -> str:
        """The topic's full name."""
        return f"projects/project/topics/{self.topic}"

    @property
    def subscription_path(self) -> str:
        """The subscription's full name."""
        return f"projects/project/subscriptions/{self.subscription}"

    async def open(self) -> Queue:
        return self.client()

    async def open_strict(self, *, max_deliveries: int) -> Queue:
        return self.client(max_deliveries=max_deliveries, retry_delay_s=0)

    async def open_other(self) -> Queue:
        return self.client("-other")

    async def dead_letters(self, count: int) -> list[Message]:
        found: list[Message] = []
        async with aiohttp.ClientSession() as session, asyncio.timeout(30):
            any_session: Any = session
            client = SubscriberClient(
                session=any_session,
                token=any_session,  # an emulator asks for none
                api_root=f"http://{self.host}/v1",
            )
            while len(found) < count:
                for got in await client.pull(f"{self.subscription_path}-dead", 10, timeout=100):
                    found.append(Message(got.data or b"", got.attributes or {}))
        return found

    async def close(self) -> None:
        for queue in self._clients:
            await queue.close()
