"""Serve the HTTP API: `python -m service`. With an in-memory queue the worker runs inside it."""

from __future__ import annotations

import asyncio
import signal
import sys

from aiohttp import web

from service.app import make_app
from service.logs import configure_logs
from service.resources import open_resources
from service.settings import Settings, WrongSetting, read_settings
from service.welcome import welcome

SHUTDOWN_TIMEOUT_S = 5.0
HEADER_BYTES = 16 * 1024


def main() -> int:
    """Serve until told to stop; 0 then, 1 when something died, 2 for a wrong setting."""
    try:
        settings = read_settings()
        configure_logs(settings.log_level)
        return asyncio.run(serve(settings))
    except WrongSetting as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


async def serve(settings: Settings) -> int:
    """Open everything, serve, and close everything again."""
    stop = asyncio.Event()
    deaths: list[BaseException] = []

    def die(error: BaseException) -> None:
        deaths.append(error)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with open_resources(settings) as resources:
        app = make_app(resources, on_worker_death=die if settings.queue_is_in_memory else None)
        runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
        )
        await runner.setup()
        try:
            await _listen(runner, settings)
            print(welcome(settings), flush=True)
            await stop.wait()
        finally:
            await runner.cleanup()
    return 1 if deaths else 0


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        raise WrongSetting(
            f"PORT: cannot listen on {settings.host}:{settings.port} ({error.strerror})"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
