"""procrastinate with a job that does nothing.

`python -m tests.bench.peer DSN CONCURRENCY` is its worker.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import procrastinate

CONNECTIONS = 16


def jobs_on(dsn: str) -> procrastinate.App:
    """The peer on a database, with one task that is called `refine`."""
    jobs = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=dsn, min_size=CONNECTIONS, max_size=CONNECTIONS
        )
    )

    @jobs.task(name="refine")
    async def refine(**_given: Any) -> None:
        return None

    return jobs


async def work(dsn: str, concurrency: int) -> None:
    """Run jobs until told to stop."""
    jobs = jobs_on(dsn)
    async with jobs.open_async():
        await jobs.run_worker_async(concurrency=concurrency)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2])))
