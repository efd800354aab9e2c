"""Notice when the event loop is late: when something in this process holds it up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

EVERY_S = 0.25


async def watch_lag(observe: Callable[[float], None], *, every_s: float = EVERY_S) -> None:
    """Tell, until cancelled, by how many seconds each wake-up came late."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + every_s
        await asyncio.sleep(every_s)
        observe(max(0.0, loop.time() - due_s))
