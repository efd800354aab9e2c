"""Put the HTTP application together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial

from aiohttp import web
from storage.images.files import FileImages

from service.api import account, concepts, images, keys, operations, tasks
from service.api.live import Watcher
from service.api.middlewares import (
    MAX_JSON_BYTES,
    add_common_headers,
    answer,
    authenticate,
    check_body,
)
from service.consuming import running_worker
from service.health import Health
from service.resources import Resources
from service.upkeep import keep_up


def make_app(
    resources: Resources, *, on_worker_death: Callable[[BaseException], None] | None = None
) -> web.Application:
    """The API on open resources. With `on_worker_death` the worker runs inside it."""
    app = web.Application(
        middlewares=[answer, authenticate, check_body], client_max_size=MAX_JSON_BYTES
    )
    _provide(app, resources)
    for module in (account, concepts, tasks, operations):
        app.add_routes(module.ROUTES)
    if isinstance(resources.images, FileImages):
        app[keys.FILE_IMAGES] = resources.images
        app.add_routes(images.ROUTES)
    app.on_response_prepare.append(add_common_headers)
    app.on_shutdown.append(_end_streams)
    app.cleanup_ctx.append(_watch)
    if on_worker_death is not None:
        app.cleanup_ctx.append(partial(_work, resources=resources, on_death=on_worker_death))
    return app


def _provide(app: web.Application, resources: Resources) -> None:
    app[keys.SETTINGS] = resources.settings
    app[keys.TASKS] = resources.tasks
    app[keys.CONCEPTS] = resources.concepts
    app[keys.EVENTS] = resources.events
    app[keys.IMAGES] = resources.images
    app[keys.INTAKE] = resources.intake
    app[keys.FETCHER] = resources.fetcher
    app[keys.ANNOUNCER] = resources.announcer
    app[keys.AUTHENTICATOR] = resources.authenticator
    app[keys.TOKEN_RULES] = resources.token_rules
    app[keys.METRICS] = resources.metrics
    app[keys.WATCHER] = Watcher(resources.events.versions)
    app[keys.HEALTH] = Health(
        {
            "database": resources.database.check,
            "queue": resources.queue.check,
            "storage": resources.images.check,
        }
    )


async def _end_streams(app: web.Application) -> None:
    app[keys.WATCHER].close()


async def _watch(app: web.Application) -> AsyncIterator[None]:
    watching = asyncio.create_task(app[keys.WATCHER].run())
    yield
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


async def _work(
    _app: web.Application, *, resources: Resources, on_death: Callable[[BaseException], None]
) -> AsyncIterator[None]:
    async with running_worker(
        resources.queue.consume(
            resources.refinery.run_message, concurrency=resources.settings.worker_concurrency
        ),
        keep_up(resources.rescue, resources.concepts, resources.images, resources.queue),
        on_death=on_death,
    ):
        yield
