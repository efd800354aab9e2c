"""Listen for HTTP until told to stop."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from service.settings import WrongSetting
from service.stopping import Stopping

SHUTDOWN_TIMEOUT_S = 5.0
HEADER_BYTES = 16 * 1024


async def serve(
    app: web.Application,
    host: str,
    port: int | None,
    stopping: Stopping,
    *,
    on_start: Callable[[], None],
) -> None:
    """Run the application with all its contexts until `stopping` is asked.

    Without a port it runs and nobody can connect. Raises `WrongSetting` for a port that is taken.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        max_line_size=HEADER_BYTES,
        max_field_size=HEADER_BYTES,
    )
    try:
        await runner.setup()
        if port is not None:
            await _listen(runner, host, port)
        on_start()
        await stopping.asked.wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise WrongSetting(f"PORT: cannot listen on {host}:{port}: {error.strerror}") from error
