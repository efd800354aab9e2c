"""Run the worker alone: `python -m service.worker`, fed by the configured queue.

With `--push` it listens on HOST and PORT for what a Pub/Sub push subscription brings.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import aiohttp

from queueing.pubsub.push import GOOGLE_KEYS_URL, GoogleKeys, PushVerifier
from service.app import make_worker_app
from service.logs import configure_logs
from service.resources import open_resources
from service.serving import serve
from service.settings import Settings, WrongSetting, read_settings
from service.stopping import Stopping


def main() -> int:
    """Work until told to stop; 0 then, 1 when something died, 2 for a wrong setting."""
    parser = argparse.ArgumentParser(prog="python -m service.worker", description=__doc__)
    parser.add_argument("--push", action="store_true", help="take what Pub/Sub pushes")
    is_pushed: bool = parser.parse_args().push
    try:
        settings = _settings()
        configure_logs(settings.log_level)
        return asyncio.run(run_pushed(settings) if is_pushed else run(settings))
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
        app = make_worker_app(resources, stopping)
        await serve(app, settings.host, settings.worker_port, stopping, on_start=_say_hello)
    return stopping.exit_code


async def run_pushed(settings: Settings) -> int:
    """The same, fed by requests that Google has signed."""
    if not settings.push_audience:
        raise WrongSetting("PUSH_AUDIENCE: --push needs the audience of the push subscription")
    if not settings.push_service_account:
        raise WrongSetting("PUSH_SERVICE_ACCOUNT: --push needs the e-mail that Pub/Sub pushes as")
    stopping = Stopping()
    stopping.listen()
    async with aiohttp.ClientSession() as session, open_resources(settings) as resources:
        verifier = PushVerifier(
            GoogleKeys(session, url=settings.push_keys_url or GOOGLE_KEYS_URL),
            audience=settings.push_audience,
            email=settings.push_service_account,
        )
        app = make_worker_app(resources, stopping, verifier)
        await serve(
            app,
            settings.host,
            settings.port,
            stopping,
            grace_s=settings.shutdown_grace_seconds,
            on_start=_say_hello,
        )
    return stopping.exit_code


def _say_hello() -> None:
    print("The worker is running. Ctrl-C stops it.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
