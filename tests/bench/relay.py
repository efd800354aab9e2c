"""The relay and the rescue of a worker, alone beside an API: `python -m tests.bench.relay`.

Its queue is one in memory that nobody reads.
"""

from __future__ import annotations

import asyncio

from service.logs import configure_logs
from service.resources import open_resources
from service.settings import read_settings
from service.upkeep import keep_up


async def main() -> None:
    """Keep up until ended."""
    settings = read_settings()
    configure_logs(settings.log_level)
    async with open_resources(settings) as opened:
        await keep_up(
            opened.rescue,
            opened.turns,
            opened.concepts,
            opened.images,
            opened.queue,
            opened.metrics,
        )


if __name__ == "__main__":
    asyncio.run(main())
