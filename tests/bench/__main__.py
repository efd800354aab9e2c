"""Run the benchmarks and print one table: `python -m tests.bench [NAME …]`.

Without names all but the long ones are run. The numbers are left in `bench.json`, too.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench import accept, drain, engine, growth, idle, latency, live, outages
from tests.bench.parts import all_folders
from tests.bench.table import Row, as_json, show

BENCHES: dict[str, Callable[[], Awaitable[list[Row]]]] = {
    "accept": accept.run,
    "drain": drain.run,
    "engine": engine.run,
    "latency": latency.run,
    "live": live.run,
}
LONG: dict[str, Callable[[], Awaitable[list[Row]]]] = {
    "broker": outages.broker,
    "growth": growth.run,
    "idle": idle.run,
    "kills": outages.kills,
    "long-task": outages.long_task,
}


def main(names: list[str]) -> int:
    """Run those of the names, or all; 2 for a name that there is not."""
    known = BENCHES | LONG
    unknown = set(names) - set(known)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    rows: list[Row] = []
    load_before, *_ = os.getloadavg()
    with all_folders():
        for name in names or BENCHES:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            rows += asyncio.run(_run(known[name]))
    print(show(rows))
    Path("bench.json").write_text(as_json(rows, load_before))
    return 0


async def _run(bench: Callable[[], Awaitable[list[Row]]]) -> list[Row]:
    return await bench()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
