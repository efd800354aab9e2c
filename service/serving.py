"""Listen for HTTP until told to stop, and then let what has begun come to its end."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Callable

from aiohttp import web

from service.api.connections import Runner, Server
from service.settings import WrongSetting
from service.stopping import Stopping

FINISH_S = 10.0
LOOK_AGAIN_S = 0.02
# after the time for finishing, so for what has to be cut off
CUT_OFF_S = 0.5
OPEN_FILES = 65_536


async def serve(
    app: web.Application,
    host: str,
    port: int | None,
    stopping: Stopping,
    *,
    grace_s: float = 0.0,
    on_start: Callable[[], None],
) -> None:
    """Run the application with all its contexts until `stopping` is asked, and `grace_s` longer.

    Without a port it runs and nobody can connect. Raises `WrongSetting` for a port that is taken.
    """
    allow_many_connections()
    runner = Runner(app, stopping, cut_off_s=CUT_OFF_S)
    try:
        await runner.setup()
        if port is not None:
            await _listen(runner, host, port)
        on_start()
        await stopping.asked.wait()
        await _until(stopping.hurry, within_s=grace_s)
        await _finish(runner, stopping)
    finally:
        await runner.cleanup()


def allow_many_connections() -> None:
    """Let this process open as many files as it may: each connection is one, and shells and
    service managers begin with 1,024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        # some systems have a lower limit that they tell nobody
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise WrongSetting(f"PORT: cannot listen on {host}:{port}: {error.strerror}") from error


async def _finish(runner: Runner, stopping: Stopping) -> None:
    """Take no new connections, and wait for the requests that there are.

    The runner's own way of doing so no longer reads, so it would cut off uploads.
    """
    for site in runner.sites:
        await site.stop()
    # ends what would not end by itself: streams and long polls
    await runner.shutdown()
    server = runner.server
    assert isinstance(server, Server)
    give_up_at_s = asyncio.get_running_loop().time() + FINISH_S
    while server.is_busy and asyncio.get_running_loop().time() < give_up_at_s:
        # aiohttp tells nobody when a request is over
        if await _until(stopping.hurry, within_s=LOOK_AGAIN_S):
            return


async def _until(event: asyncio.Event, *, within_s: float) -> bool:
    """Wait for the event; whether it came."""
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True
