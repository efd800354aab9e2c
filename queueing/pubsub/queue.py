"""The queue over Pub/Sub: one topic, one subscription, and the parts that work them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from queueing.contract import Handler, Message, QueueClosed, QueueUnavailable, ensure_carriable
from queueing.handlers import HandlerSlots
from queueing.pubsub.broker import (
    PRODUCTION,
    Broker,
    Missing,
    Pulled,
)
from queueing.pubsub.leases import Leases
from queueing.pubsub.names import Names
from queueing.pubsub.publisher import Publisher
from queueing.pubsub.receiver import Receiver
from queueing.pubsub.resources import Policy, Resources

LONGEST_DEADLINE_S = 600


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many seconds the queue waits for what."""

    publish_s: float = 10
    """All tries of one `publish`."""
    call_s: float = 5
    """One call of any verb but pull."""
    pull_s: int = 100
    """One pull; Pub/Sub itself ends an empty one after about 89 s, and one that is given up
    before lives on there and swallows the next message until its lease ends."""
    watch_s: float = 10
    """A pull without an answer, before a look at whether its subscription still exists."""
    close_s: float = 5
    """Publishing what is pending at `close`, and the same again for settling."""


class PubSubQueue:
    """A queue over Google Pub/Sub. To be made inside a running event loop; connects when used.

    Topic and subscription, and the same for dead letters (`<subscription>-dead`), are created
    when missing, at the first use and later. A subscription that we create has `ack_deadline_s`
    (10–600), `max_deliveries` (5–100), and, unless None, `redelivery_backoff_s` (0–600): the least
    and most that Pub/Sub itself lets a lost or returned message wait, on a scale of its own.
    Google's Pub/Sub can set dead letters aside only with rights that the project has to give it:
    https://cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions

    A message whose handler raised at delivery n comes again after `retry_delay_s` · 2ⁿ⁻¹, rounded
    up to whole seconds, at most `max_retry_delay_s` (600). Being handed back counts as a delivery.
    A lease is renewed until it is `max_lease_s` old.

    `emulator_host` is the `host:port` of a Pub/Sub emulator; with it no credentials are looked up.
    """

    def __init__(
        self,
        project: str,
        topic: str,
        subscription: str,
        *,
        emulator_host: str | None = None,
        api_root: str = PRODUCTION,
        ack_deadline_s: int = 10,
        max_lease_s: float = 3600,
        max_deliveries: int = 20,
        retry_delay_s: float = 1,
        max_retry_delay_s: float = LONGEST_DEADLINE_S,
        redelivery_backoff_s: tuple[float, float] | None = (1, 60),
        patience: Patience | None = None,
    ) -> None:
        names = Names(project, topic, subscription)
        policy = Policy(ack_deadline_s, max_deliveries, redelivery_backoff_s)
        self._patience = patience or Patience()
        self._broker = Broker(
            names,
            emulator_host=emulator_host,
            api_root=api_root,
            call_timeout_s=self._patience.call_s,
            pull_timeout_s=self._patience.pull_s,
        )
        self._resources = Resources(self._broker, names, policy)
        self._publisher = Publisher(self._send, timeout_s=self._patience.publish_s)
        self._leases = Leases(self._broker, ack_deadline_s=ack_deadline_s, max_lease_s=max_lease_s)
        self._receiver = Receiver(
            self._broker, self._resources, self._leases, watch_every_s=self._patience.watch_s
        )
        self._max_deliveries = max_deliveries
        self._retry_delay_s = retry_delay_s
        self._max_retry_delay_s = min(max_retry_delay_s, LONGEST_DEADLINE_S)
        self._closed = False

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return once Pub/Sub has accepted all; see the contract."""
        self._ensure_open()
        ensure_carriable(messages)
        await self._publisher.publish(messages)

    async def consume(self, handler: Handler, *, concurrency: int) -> None:
        """Call the handler for each message until cancelled; see the contract."""
        async with HandlerSlots(handler, concurrency) as slots:
            while True:
                free = await slots.free()
                self._ensure_open()
                for pulled in await self._receiver.receive(free):
                    slots.start(self._loan(pulled))

    async def check(self) -> None:
        """Ask Pub/Sub for the topic, and remember how the last publish was refused, if it was."""
        self._ensure_open()
        await self._resources.confirm()
        if self._publisher.refusal is not None:
            raise self._publisher.refusal

    async def close(self) -> None:
        """Send what was published and settled within the limit, and let go of everything."""
        if self._closed:
            return
        self._closed = True
        await self._receiver.close()
        await self._publisher.close(limit_s=self._patience.close_s)
        await self._leases.close(limit_s=self._patience.close_s)
        await self._broker.close()

    async def _send(self, messages: Sequence[Message]) -> None:
        await self._resources.ensure()
        try:
            await self._broker.publish(messages)
        except Missing as error:
            await self._resources.repair()
            raise QueueUnavailable(str(error)) from error

    def _loan(self, pulled: Pulled) -> _Loan:
        delivery = pulled.message.delivery
        # At the last delivery Pub/Sub sets the message aside instead, and need not wait with it.
        # The exponent is capped because a float overflows.
        retry_after_s = (
            min(self._retry_delay_s * 2.0 ** min(delivery - 1, 64), self._max_retry_delay_s)
            if delivery < self._max_deliveries
            else 0
        )
        return _Loan(pulled.message, pulled.ack_id, retry_after_s, self._leases)

    def _ensure_open(self) -> None:
        if self._closed:
            raise QueueClosed


@dataclass(frozen=True, slots=True)
class _Loan:
    """One delivery, settled once by the handler's slot."""

    message: Message
    ack_id: str
    retry_after_s: float
    leases: Leases

    def acknowledge(self) -> None:
        self.leases.acknowledge(self.ack_id)

    def retry(self) -> None:
        self.leases.give_back(self.ack_id, after_s=self.retry_after_s)

    def release(self) -> None:
        self.leases.give_back(self.ack_id, after_s=0)
