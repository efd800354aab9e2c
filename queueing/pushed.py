"""Feed a consumer with messages that somebody brings, one call each, and tell them how it ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from queueing.contract import Handler, Message
from queueing.handlers import HandlerSlots


class PushedMessages:
    """A source for `consume` whose messages are brought by `offer`, as a push subscription does.

    It holds nothing that has no free slot: who offers has to come again.
    """

    def __init__(self) -> None:
        self._offered: asyncio.Queue[_Offer] = asyncio.Queue()
        self._free = 0

    async def offer(self, message: Message) -> bool:
        """Have the message handled; False when it was not and has to be brought again."""
        if self._free <= 0:
            return False
        self._free -= 1
        offer = _Offer(message, asyncio.get_running_loop().create_future())
        offer.handled.add_done_callback(self._release)
        self._offered.put_nowait(offer)
        return await offer.handled

    async def consume(self, handler: Handler, *, concurrency: int) -> None:
        """Call the handler for each message that is offered until cancelled; see the contract."""
        self._free += concurrency
        try:
            async with HandlerSlots(handler, concurrency) as slots:
                while True:
                    await slots.free()
                    slots.start(await self._offered.get())
        finally:
            self._free -= concurrency
            while not self._offered.empty():
                self._offered.get_nowait().release()

    def _release(self, _handled: asyncio.Future[bool]) -> None:
        self._free += 1


@dataclass(frozen=True, slots=True)
class _Offer:
    """A delivery that is settled by answering whoever brought it."""

    message: Message
    handled: asyncio.Future[bool]

    def acknowledge(self) -> None:
        self._answer(is_handled=True)

    def retry(self) -> None:
        self._answer(is_handled=False)

    def release(self) -> None:
        self._answer(is_handled=False)

    def _answer(self, *, is_handled: bool) -> None:
        if not self.handled.done():
            self.handled.set_result(is_handled)
