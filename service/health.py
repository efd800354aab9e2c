"""Ask each dependency whether it works now, within a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from storage.backlog import Backlog, read_backlog
from storage.database import Database, DatabaseUnavailable

CHECK_TIMEOUT_S = 3.0

type Check = Callable[[], Awaitable[None]]


async def look_at_backlog(database: Database) -> Backlog | None:
    """What waits; None while that cannot be found out."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await read_backlog(database)
    except (DatabaseUnavailable, TimeoutError):
        return None


class Health:
    """Named checks that raise when something is wrong; engines' states are told and not judged.

    `is_stopping` tells whether the process is about to end, so that nobody is to be sent to it.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        engine_states: Callable[[], dict[str, str]],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._checks = checks
        self.engine_states = engine_states
        self.is_stopping = is_stopping

    async def look(self) -> dict[str, str]:
        """`ok`, `unavailable` or `timeout` for each check, all asked at once."""
        answers = await asyncio.gather(*(self._ask(check) for check in self._checks.values()))
        return dict(zip(self._checks, answers, strict=True))

    async def _ask(self, check: Check) -> str:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await check()
        except TimeoutError:
            return "timeout"
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not ok
            return "unavailable"
        return "ok"
