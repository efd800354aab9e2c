"""Run the worker alone, fed by the configured queue: `python -m service.worker`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from service.app import make_worker_app
from service.logs import configure_logs
from service.resources import open_resources
from service.serving import serve
from service.settings import Settings, WrongSetting, read_settings
from service.stopping import Stopping


def main() -> int:
    """Work until told to stop; 0 then, 1 when something died, 2 for a wrong setting."""
    argparse.ArgumentParser(prog="python -m service.worker", description=__doc__).parse_args()
    try:
        settings = _settings()
        configure_logs(settings.log_level)
        return asyncio.run(run(settings))
    except WrongSetting as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def _settings() -> Settings:
    settings = read_settings()
    if settings.queue_is_in_memory:
        raise WrongSetting("QUEUE_URL: a queue in memory has its worker inside `service`")
    return settings


async def run(settings: Settings) -> int:
    """Open everything, consume, and close everything again."""
    stopping = Stopping()
    stopping.listen()
    async with open_resources(settings) as resources:
        await serve(
            make_worker_app(resources, stopping),
            settings.host,
            settings.worker_port,
            stopping,
            on_start=lambda: print("The worker is running. Ctrl-C stops it.", flush=True),
        )
    return stopping.exit_code


if __name__ == "__main__":
    sys.exit(main())
