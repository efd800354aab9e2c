"""Keep the leases of running messages alive, and settle finished ones in batches."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import batched

from queueing.contract import QueueMisconfigured, QueueUnavailable
from queueing.pubsub.backoff import Backoff
from queueing.pubsub.broker import Broker, Missing, Refused

logger = logging.getLogger(__name__)

FLUSH_DELAY_S = 0.02
BATCH_IDS = 1000  # about 200 KB; a request may have 512 KiB
RETRY_CAP_S = 2.0

# The shortest deadline of a real subscription: one that we did not make may have it.
# https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions
SHORTEST_DEADLINE_S = 10

ACKNOWLEDGED = None


class Leases:
    """The deliveries that this process holds or has not yet told Pub/Sub the end of.

    A lease is renewed at a third of the deadline until its end has been told or it is
    `max_lease_s` old. Acks are told until they are accepted; what cannot be told comes again.
    """

    def __init__(self, broker: Broker, *, ack_deadline_s: int, max_lease_s: float) -> None:
        self._broker = broker
        self._ack_deadline_s = ack_deadline_s
        self._max_lease_s = max_lease_s
        self._renew_every_s = min(ack_deadline_s, SHORTEST_DEADLINE_S) / 3
        self._let_go_at: dict[str, float] = {}
        self._ends: dict[str, int | None] = {}  # by ack id: ACKNOWLEDGED, or again in so many s
        self._holding = asyncio.Event()
        self._ending = asyncio.Event()
        self._told = asyncio.Event()
        # A renewal that overtook a give-back would keep the message from everyone.
        self._deadlines = asyncio.Lock()
        self.task = asyncio.create_task(self._run())

    def hold(self, ack_id: str) -> None:
        """Keep renewing the lease."""
        self._let_go_at[ack_id] = asyncio.get_running_loop().time() + self._max_lease_s
        self._holding.set()

    def acknowledge(self, ack_id: str) -> None:
        """Its message was handled. The lease is kept until Pub/Sub knows."""
        self._ends[ack_id] = ACKNOWLEDGED
        self._ending.set()

    def give_back(self, ack_id: str, *, after_s: float) -> None:
        """Its message is to come again, so many seconds (rounded up) from now."""
        self._let_go_at.pop(ack_id, None)
        self._ends[ack_id] = math.ceil(after_s)
        self._ending.set()

    async def close(self, *, limit_s: float) -> None:
        """Tell what has ended within the limit, and keep no lease any more."""
        try:
            async with asyncio.timeout(limit_s):
                while self._ends and not self.task.done():
                    self._told.clear()
                    await self._told.wait()
        except TimeoutError:
            logger.warning("%d messages will come again: Pub/Sub was not told.", len(self._ends))
        self.task.cancel()
        await asyncio.wait({self.task})

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._renew())
            group.create_task(self._tell())

    async def _renew(self) -> None:
        backoff = Backoff(cap_s=self._renew_every_s / 2)
        pause_s = self._renew_every_s
        while True:
            await self._holding.wait()
            await asyncio.sleep(pause_s)
            self._let_go_of_old()
            if await self._renew_all():
                backoff.reset()
                pause_s = self._renew_every_s
            else:
                pause_s = backoff.next_s()
            if not self._let_go_at:
                self._holding.clear()

    def _let_go_of_old(self) -> None:
        now = asyncio.get_running_loop().time()
        for ack_id in [held for held, at in self._let_go_at.items() if at <= now]:
            logger.warning("A message has been held for %g s, no longer now.", self._max_lease_s)
            self._forget(ack_id)

    async def _renew_all(self) -> bool:
        try:
            # A try may not outlast the time that is left for a second one.
            async with self._deadlines, asyncio.timeout(self._renew_every_s):
                for ack_ids in batched(list(self._let_go_at), BATCH_IDS):
                    if not await self._send(self._ack_deadline_s, ack_ids):
                        return False
        except TimeoutError:
            return False
        return True

    async def _tell(self) -> None:
        backoff = Backoff(cap_s=RETRY_CAP_S)
        while True:
            await self._ending.wait()
            await asyncio.sleep(FLUSH_DELAY_S)
            self._ending.clear()
            if await self._tell_all():
                backoff.reset()
            else:
                await asyncio.sleep(backoff.next_s())
                self._ending.set()
            self._told.set()

    async def _tell_all(self) -> bool:
        """Tell every end that is known by now. Whether all of them have been told."""
        by_end: dict[int | None, list[str]] = {}
        for ack_id, end in self._ends.items():
            by_end.setdefault(end, []).append(ack_id)
        told = await asyncio.gather(*(self._tell_those(*those) for those in by_end.items()))
        return all(told)

    async def _tell_those(self, end: int | None, ack_ids: list[str]) -> bool:
        async with nullcontext() if end is ACKNOWLEDGED else self._deadlines:
            told = True
            for some in batched(ack_ids, BATCH_IDS):
                if await self._send(end, some):
                    self._forget(*some)
                else:
                    told = False
            return told

    async def _send(self, end: int | None, ack_ids: Sequence[str]) -> bool:
        """Whether nothing is left to be said about these: it was accepted, or never will be."""
        try:
            if end is ACKNOWLEDGED:
                await self._broker.acknowledge(ack_ids)
            else:
                await self._broker.set_deadline(ack_ids, end)
        except QueueUnavailable:
            return False
        except Missing:
            return True  # the subscription is gone, and its messages with it
        except Refused as error:
            if len(ack_ids) == 1:
                logger.warning("A message may come again: %s", error)
                return True
            # One bad id spoils a request; halving finds it and settles the others.
            middle = len(ack_ids) // 2
            first = await self._send(end, ack_ids[:middle])
            return await self._send(end, ack_ids[middle:]) and first
        except QueueMisconfigured as error:
            logger.error("Handled messages come again: %s", error)  # noqa: TRY400 - it says all
        return True

    def _forget(self, *ack_ids: str) -> None:
        for ack_id in ack_ids:
            self._let_go_at.pop(ack_id, None)
            self._ends.pop(ack_id, None)
