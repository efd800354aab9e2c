"""Run the benchmarks and print one table: `python -m tests.bench [NAME …]`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from tests.bench import accept, drain, engine, latency, live
from tests.bench.table import Row, show

BENCHES: dict[str, Callable[[], Awaitable[list[Row]]]] = {
    "accept": accept.run,
    "drain": drain.run,
    "engine": engine.run,
    "latency": latency.run,
    "live": live.run,
}


def main(names: list[str]) -> int:
    """Run those of the names, or all; 2 for a name that there is not."""
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
        return 2
    rows: list[Row] = []
    for name in names or BENCHES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows += asyncio.run(_run(BENCHES[name]))
    print(show(rows))
    return 0


async def _run(bench: Callable[[], Awaitable[list[Row]]]) -> list[Row]:
    return await bench()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
