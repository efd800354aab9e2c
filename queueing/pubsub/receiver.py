"""Fetch messages by long pulls that are never given up, whoever stops waiting for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from queueing.contract import QueueClosed, QueueMisconfigured, QueueUnavailable
from queueing.pubsub.backoff import Backoff
from queueing.pubsub.broker import Broker, Garbled, Missing, Pulled, Refused
from queueing.pubsub.leases import Leases
from queueing.pubsub.resources import Resources

logger = logging.getLogger(__name__)

RETRY_CAP_S = 5.0
# An empty answer that came sooner than this was not a long pull.
SHORTEST_PULL_S = 1.0
# Longer than a message that cannot be read stays away before it comes again.
ONE_BY_ONE_S = 60.0

Fetch = asyncio.Task[list[Pulled]]


class Receiver:
    """The pulls of one queue.

    A pull whose consumer stopped waiting is parked: the next consumer takes it over, and what it
    brings until then is given back at once. Only `close` gives pulls up.
    """

    def __init__(
        self, broker: Broker, resources: Resources, leases: Leases, *, watch_every_s: float
    ) -> None:
        self._broker = broker
        self._resources = resources
        self._leases = leases
        self._watch_every_s = watch_every_s
        self._fetches: set[Fetch] = set()
        self._parked: set[Fetch] = set()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._one_by_one_until = 0.0

    async def receive(self, at_most: int) -> Sequence[Pulled]:
        """Wait for at least one message; all of them are held from then on."""
        fetch = self._taken_over() or self._begin(at_most)
        ends: set[asyncio.Future[Any]] = {fetch, self._closed, self._leases.task}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._park(fetch)
            raise
        if self._closed.done():
            raise QueueClosed
        if self._leases.task.done():
            self._park(fetch)
            await self._leases.task  # its failure is the consumer's
        pulled = fetch.result()
        for one in pulled:
            self._leases.hold(one.ack_id)
        for one in pulled[at_most:]:
            self._leases.give_back(one.ack_id, after_s=0)
        return pulled[:at_most]

    async def close(self) -> None:
        """Give up every pull and end every wait."""
        if not self._closed.done():
            self._closed.set_result(None)
        for fetch in self._fetches:
            fetch.cancel()
        if self._fetches:
            await asyncio.wait(self._fetches)

    def _begin(self, at_most: int) -> Fetch:
        fetch = asyncio.create_task(self._fetch(at_most))
        self._fetches.add(fetch)
        fetch.add_done_callback(self._fetches.discard)
        return fetch

    def _park(self, fetch: Fetch) -> None:
        self._parked.add(fetch)
        fetch.add_done_callback(self._give_back)

    def _taken_over(self) -> Fetch | None:
        # One that is done has its giving back under way.
        for fetch in self._parked:
            if not fetch.done():
                fetch.remove_done_callback(self._give_back)
                self._parked.discard(fetch)
                return fetch
        return None

    def _give_back(self, fetch: Fetch) -> None:
        self._parked.discard(fetch)
        if not fetch.cancelled() and fetch.exception() is None:
            for one in fetch.result():
                self._leases.give_back(one.ack_id, after_s=0)

    async def _fetch(self, at_most: int) -> list[Pulled]:
        """Pull until something comes, through every outage."""
        backoff = Backoff(cap_s=RETRY_CAP_S)
        loop = asyncio.get_running_loop()
        while True:
            started_at = loop.time()
            try:
                await self._resources.ensure()
                one_by_one = started_at < self._one_by_one_until
                if pulled := await self._pull(1 if one_by_one else at_most):
                    return pulled
            except Missing:
                await self._repair()
            except QueueUnavailable as error:
                logger.warning("Waiting for Pub/Sub: %s", error)
                if isinstance(error, Garbled):
                    # It may be for one message, which must not take its neighbours along again.
                    self._one_by_one_until = loop.time() + ONE_BY_ONE_S
            except Refused as error:
                raise QueueMisconfigured(str(error)) from error
            else:
                if loop.time() - started_at >= SHORTEST_PULL_S:
                    backoff.reset()
                    continue
            await asyncio.sleep(backoff.next_s())

    async def _repair(self) -> None:
        try:
            await self._resources.repair()
        except QueueUnavailable as error:
            logger.warning("Waiting for Pub/Sub: %s", error)

    async def _pull(self, at_most: int) -> list[Pulled]:
        """One pull, abandoned only when the subscription that it waits on is no more."""
        incarnation = self._resources.incarnation
        pull = asyncio.create_task(self._broker.pull(at_most))
        try:
            while True:
                done, _ = await asyncio.wait({pull}, timeout=self._watch_every_s)
                if done:
                    return pull.result()
                if await self._resources.vanished(incarnation):
                    return []
        finally:
            pull.cancel()
            await asyncio.wait({pull})
