"""The whole service with a courier that is let through to a test's receiver, and may die.

`python -m tests.webhooks.program`, told by the environment: RECEIVER is `port,certificate`;
COURIER_LEASE_S is how long an attempt may take before another is made; CHAOS_DIE_AT names an
effect as `delivery/delivered:before`, at which the process is gone without a word.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from dataclasses import replace
from typing import cast

from service.app import make_app
from service.logs import configure_logs
from service.resources import Resources, open_resources
from service.serving import serve
from service.settings import read_settings
from service.stopping import Stopping
from service.webhooks import Courier
from storage.deliveries import Deliveries
from storage.work import Work
from tests.chaos.program import Mortal
from tests.fetching.outside import Names, anywhere
from tests.scripted import ScriptedEngine
from tests.webhooks.receiver import HOST


def courier_for(resources: Resources, die_at: str) -> Courier:
    """A courier for whom the receiver is the world."""
    port, _, certificate = os.environ["RECEIVER"].partition(",")
    deliveries = resources.deliveries
    if die_at:
        deliveries = cast("Deliveries", Mortal(deliveries, die_at))
    return Courier(
        deliveries,
        resources.tasks,
        resources.metrics,
        lease_s=float(os.environ["COURIER_LEASE_S"]),
        resolver=Names(int(port), {HOST: [["127.0.0.1"]]}),
        may_connect=anywhere,
        tls=ssl.create_default_context(cafile=certificate),
    )


async def main() -> int:
    """Serve until told to stop, or to die."""
    settings = read_settings()
    configure_logs("info")
    stopping = Stopping()
    stopping.listen()
    effect, _, point = os.environ.get("CHAOS_DIE_AT", "").partition("/")
    async with open_resources(settings, warm=False) as opened:
        courier = courier_for(opened, point if effect == "delivery" else "")
        refinery = replace(opened.refinery, engine=ScriptedEngine())
        if effect == "task":
            refinery = replace(refinery, work=cast("Work", Mortal(refinery.work, point)))
        resources = replace(opened, courier=courier, refinery=refinery)
        app = make_app(resources, stopping)
        try:
            await serve(app, settings.host, settings.port, stopping, on_start=lambda: None)
        finally:
            await courier.close()
    return stopping.exit_code


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
