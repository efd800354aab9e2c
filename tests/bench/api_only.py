"""The API without a worker beside it, so that what is measured is the API.

Its queue is one in memory that nobody reads. `python -m tests.bench.api_only`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from service.app import make_app
from service.logs import configure_logs
from service.resources import open_resources
from service.serving import serve
from service.settings import read_settings
from service.stopping import Stopping


async def main() -> None:
    """Serve until told to stop."""
    settings = read_settings()
    configure_logs(settings.log_level)
    stopping = Stopping()
    stopping.listen()
    async with open_resources(settings) as opened:
        # the address only keeps the worker out; the queue that was opened stays
        elsewhere = settings.model_copy(update={"queue_url": "pubsub://none/none/none"})
        app = make_app(replace(opened, settings=elsewhere), stopping)
        await serve(app, settings.host, settings.port, stopping, on_start=lambda: None)


if __name__ == "__main__":
    asyncio.run(main())
