"""Serve the HTTP API: `python -m service`. With an in-memory queue the worker runs inside it."""

from __future__ import annotations

import asyncio
import sys

from service.app import make_app
from service.logs import configure_logs
from service.resources import open_resources
from service.serving import serve
from service.settings import Settings, WrongSetting, read_settings
from service.stopping import Stopping
from service.welcome import welcome


def main() -> int:
    """Serve until told to stop; 0 then, 1 when something died, 2 for a wrong setting."""
    try:
        settings = read_settings()
        configure_logs(settings.log_level)
        return asyncio.run(run(settings))
    except WrongSetting as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


async def run(settings: Settings) -> int:
    """Open everything, serve, and close everything again."""
    stopping = Stopping()
    stopping.listen()
    async with open_resources(settings) as resources:
        await serve(
            make_app(resources, stopping),
            settings.host,
            settings.port,
            stopping,
            grace_s=settings.shutdown_grace_seconds,
            on_start=lambda: print(welcome(settings), flush=True),
        )
    return stopping.exit_code


if __name__ == "__main__":
    sys.exit(main())
