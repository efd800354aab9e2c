"""Put the HTTP application together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import web
from pydantic_core import to_jsonable_python

from queueing.pubsub.push import PushVerifier
from queueing.pushed import PushedMessages
from service.api import account, concepts, images, keys, operations, push, tasks, webhooks
from service.api.bodies import MAX_JSON_BYTES
from service.api.cors import Cors
from service.api.headers import CommonHeaders
from service.api.live import Watcher
from service.api.middlewares import answer
from service.api.pages import add_description
from service.api.present import task_out
from service.api.seats import Seats
from service.api.stories import Stories
from service.api.studio import read_studio
from service.api.traced import trace
from service.consuming import Source, running_worker
from service.health import Health
from service.lag import watch_lag
from service.resources import Resources
from service.settings import Settings
from service.stopping import Stopping
from service.timed_images import TimedImages
from service.tracing import UNTRACED, Tracing
from storage.images.files import FileImages
from storage.task import Task


def make_app(resources: Resources, stopping: Stopping) -> web.Application:
    """The API on open resources; with an in-memory queue the worker runs inside it."""
    app = web.Application(middlewares=[answer], client_max_size=MAX_JSON_BYTES)
    _add_headers(app, resources.settings)
    _share(app, resources.settings.cors_origins)
    _follow(app, resources.tracing)
    _provide(app, resources, stopping)
    for module in (account, concepts, tasks, webhooks, operations):
        app.add_routes(module.ROUTES)
    if isinstance(resources.images, FileImages):
        app[keys.FILE_IMAGES] = resources.images
        app.add_routes(images.ROUTES)
    add_description(app, resources.settings.public_url)
    app.add_routes(read_studio(resources.settings).routes())
    app.on_shutdown.append(_end_streams)
    app.cleanup_ctx.extend((_watch, _watch_lag))
    if resources.settings.queue_is_in_memory:
        app.cleanup_ctx.append(
            partial(_work, resources=resources, stopping=stopping, source=resources.queue)
        )
    return app


def make_worker_app(
    resources: Resources, stopping: Stopping, verifier: PushVerifier | None = None
) -> web.Application:
    """The worker alone, with only the views that tell operators how it is.

    With a verifier it is fed by those who push, and not by the queue.
    """
    app = web.Application(middlewares=[answer], client_max_size=push.MAX_BODY_BYTES)
    _add_headers(app, resources.settings)
    _follow(app, resources.tracing)
    source: Source = resources.queue
    if verifier is not None:
        source = app[keys.PUSHED] = PushedMessages()
        app[keys.PUSH_VERIFIER] = verifier
        app.add_routes(push.ROUTES)
    app[keys.METRICS] = resources.metrics
    app[keys.HEALTH] = _health_of(resources, stopping)
    app[keys.DATABASE] = resources.database
    app.add_routes(operations.ROUTES)
    app.cleanup_ctx.append(_watch_lag)
    app.cleanup_ctx.append(partial(_work, resources=resources, stopping=stopping, source=source))
    return app


def _provide(app: web.Application, resources: Resources, stopping: Stopping) -> None:
    app[keys.SETTINGS] = resources.settings
    app[keys.TASKS] = resources.tasks
    app[keys.CONCEPTS] = resources.concepts
    app[keys.STORIES] = Stories(resources.tasks, resources.events, resources.images)
    app[keys.WEBHOOKS] = resources.webhooks
    app[keys.DELIVERIES] = resources.deliveries
    app[keys.IMAGES] = TimedImages(resources.images, resources.metrics.image_store)
    app[keys.INTAKE] = resources.intake
    app[keys.FETCHER] = resources.fetcher
    app[keys.ANNOUNCER] = resources.announcer
    app[keys.AUTHENTICATOR] = resources.authenticator
    app[keys.TOKEN_RULES] = resources.token_rules
    app[keys.METRICS] = resources.metrics
    settings = resources.settings
    app[keys.SEATS] = Seats(settings.max_streams, settings.max_streams_per_user)
    app[keys.WATCHER] = watcher = Watcher(resources.events.changed)
    app[keys.HEALTH] = _health_of(resources, stopping)
    app[keys.DATABASE] = resources.database
    resources.metrics.followers.set_function(lambda: watcher.follower_count)


def _add_headers(app: web.Application, settings: Settings) -> None:
    headers = CommonHeaders(is_public_https=settings.public_url.startswith("https:"))
    app.on_response_prepare.append(headers.add)


def _share(app: web.Application, origins: Sequence[str]) -> None:
    if origins:
        cors = Cors(origins)
        # before anything can refuse: a browser asks without a token
        app.middlewares.insert(1, cors.answer_preflight)
        app.on_response_prepare.append(cors.add)


def _follow(app: web.Application, tracing: Tracing) -> None:
    app[keys.TRACING] = tracing
    if tracing is not UNTRACED:
        app.middlewares.insert(0, trace)


def _health_of(resources: Resources, stopping: Stopping) -> Health:
    return Health(
        {
            "database": resources.database.check,
            "queue": resources.queue.check,
            "storage": resources.images.check,
        },
        resources.engine_states,
        stopping.asked.is_set,
    )


async def _end_streams(app: web.Application) -> None:
    app[keys.WATCHER].close()


async def _watch(app: web.Application) -> AsyncIterator[None]:
    async with _beside(app[keys.WATCHER].run()):
        yield


async def _watch_lag(app: web.Application) -> AsyncIterator[None]:
    async with _beside(watch_lag(app[keys.METRICS].loop_lag.observe)):
        yield


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let something go on that ends only by being cancelled."""
    running = asyncio.create_task(work)
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _work(
    _app: web.Application, *, resources: Resources, stopping: Stopping, source: Source
) -> AsyncIterator[None]:
    async def show(task: Task) -> dict[str, Any]:
        shown: dict[str, Any] = to_jsonable_python(await task_out(task, resources.images))
        return shown

    async with running_worker(resources, stopping, show, source):
        yield
