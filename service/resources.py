"""Pick and open everything that the settings ask for; the one place that knows all backends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from queueing.contract import Queue, QueueMisconfigured
from queueing.memory import MemoryQueue
from queueing.pubsub import PubSubQueue
from service.announcing import Announcer
from service.auth import Authenticator, TokenRules
from service.engines.failover import Failover
from service.engines.metrics import EngineMetrics
from service.engines.select import make_engines
from service.fetching import Fetcher
from service.intake import Intake
from service.jwks import KeySet
from service.metrics import Metrics
from service.refinement import Refinery
from service.sandbox import Sandbox
from service.secrets import embedded_secret
from service.settings import Settings, WrongSetting
from service.timed_images import TimedImages
from service.tracing import Tracing, open_tracing
from service.webhooks import Courier
from storage.concepts import Concepts
from storage.database import Database, DatabaseRefused, DatabaseUnavailable, open_database
from storage.deliveries import Deliveries
from storage.embedded import embedded_postgres
from storage.events import Events
from storage.images.contract import Images
from storage.images.files import FileImages
from storage.images.gcs import CannotSign, GcsImages, url_prefix_of
from storage.postgres_programs import EmbeddedPostgresError
from storage.rescue import Rescue
from storage.schema import SchemaError, migrate
from storage.tasks import Tasks
from storage.turns import Turns
from storage.webhooks import Webhooks
from storage.work import Work

log = structlog.get_logger()

# What a call in a child may take beyond what was loaded before it: 25 megapixels need 400 MB to be
# taken in, and the engine works at 2,048 pixels at most.
INTAKE_BYTES = 512 * 1024**2
ENGINE_BYTES = 1280 * 1024**2
POOL_CONNECTIONS = 16
QUEUE_START_S = 5.0


@dataclass(frozen=True, slots=True)
class Resources:
    """What a process works with, open for as long as `open_resources` is."""

    settings: Settings
    database: Database
    tasks: Tasks
    concepts: Concepts
    events: Events
    rescue: Rescue
    turns: Turns
    webhooks: Webhooks
    deliveries: Deliveries
    courier: Courier
    queue: Queue
    images: Images
    fetcher: Fetcher
    intake: Intake
    authenticator: Authenticator
    token_rules: TokenRules
    announcer: Announcer
    metrics: Metrics
    tracing: Tracing
    refinery: Refinery
    engine_states: Callable[[], dict[str, str]]


@asynccontextmanager
async def open_resources(settings: Settings, *, warm: bool = True) -> AsyncIterator[Resources]:
    """Everything that a process works with; what is opened here is closed by leaving.

    `warm` child processes begin to load what they run at once, so that the first call is quick;
    without it they are started by the first call.
    """
    rules = token_rules(settings)
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        tracing = await stack.enter_async_context(open_tracing(settings))
        # first, so that a key that is missing is told before anything is opened
        engine = _open_engine(settings, metrics, stack, warm=warm)
        database = await _open_database(settings, stack)
        metrics.connections.set_function(lambda: database.in_use[0])
        metrics.connections_most.set_function(lambda: database.in_use[1])
        concepts = Concepts(database)
        images = await _open_images(settings, concepts, stack)
        queue = await _open_queue(settings, stack)
        fetcher = _open_fetcher(settings, stack)
        intake = Intake(_open_sandbox(1, INTAKE_BYTES, "service.intake", stack, warm=warm))
        announcer = Announcer(queue, tracing)
        stack.push_async_callback(announcer.close)
        tasks = Tasks(database, monthly_limit=settings.monthly_refinements)
        deliveries = Deliveries(database)
        courier = Courier(deliveries, tasks, metrics)
        stack.push_async_callback(courier.close)
        work = Work(
            database,
            lease_s=settings.task_lease_seconds,
            max_attempts=settings.task_max_attempts,
        )
        yield Resources(
            settings=settings,
            database=database,
            tasks=tasks,
            concepts=concepts,
            events=Events(database),
            rescue=Rescue(database, max_attempts=settings.task_max_attempts),
            turns=Turns(database),
            queue=queue,
            images=images,
            fetcher=fetcher,
            intake=intake,
            webhooks=Webhooks(database),
            deliveries=deliveries,
            courier=courier,
            authenticator=Authenticator(rules, _open_keys(settings, stack)),
            token_rules=rules,
            announcer=announcer,
            metrics=metrics,
            tracing=tracing,
            refinery=Refinery(
                work=work,
                images=TimedImages(images, metrics.image_store),
                fetcher=fetcher,
                intake=intake,
                engine=engine,
                metrics=metrics,
                try_s=settings.task_timeout_seconds,
                lease_s=settings.task_lease_seconds,
                tracing=tracing,
            ),
            engine_states=engine.states,
        )


async def _open_database(settings: Settings, stack: AsyncExitStack) -> Database:
    try:
        dsn = settings.database_url
        if dsn is None:
            dsn = await stack.enter_async_context(embedded_postgres(settings.data_dir))
        database = await stack.enter_async_context(open_database(dsn, max_size=POOL_CONNECTIONS))
        await migrate(dsn)
    except EmbeddedPostgresError as error:
        raise WrongSetting(f"DATA_DIR: {error}") from error
    except (DatabaseUnavailable, DatabaseRefused, SchemaError) as error:
        raise WrongSetting(f"DATABASE_URL: {error}") from error
    return database


async def _open_images(settings: Settings, concepts: Concepts, stack: AsyncExitStack) -> Images:
    images: Images
    if settings.storage_url == "file:":
        url_prefix = f"{settings.public_url}/images"
        images = FileImages(
            settings.data_dir / "images",
            url_prefix=url_prefix,
            known_prefixes=tuple(await concepts.remember_prefix(url_prefix)),
            secret=embedded_secret(settings.data_dir, "images"),
        )
    else:
        images = await _open_bucket(settings, concepts)
    stack.push_async_callback(images.close)
    return images


async def _open_bucket(settings: Settings, concepts: Concepts) -> Images:
    bucket, _, prefix = settings.storage_url.removeprefix("gs://").partition("/")
    url_prefix = url_prefix_of(
        bucket,
        prefix,
        api_root=settings.storage_emulator_host,
        cdn_prefix=settings.storage_cdn_url,
    )
    try:
        return GcsImages(
            bucket,
            prefix,
            api_root=settings.storage_emulator_host,
            cdn_prefix=settings.storage_cdn_url,
            known_prefixes=tuple(await concepts.remember_prefix(url_prefix)),
        )
    except CannotSign as error:
        raise WrongSetting(f"STORAGE_URL: {error}") from error


def _open_keys(settings: Settings, stack: AsyncExitStack) -> KeySet | None:
    if settings.auth_jwks_url is None:
        return None
    keys = KeySet(settings.auth_jwks_url)
    stack.push_async_callback(keys.close)
    return keys


def _open_fetcher(settings: Settings, stack: AsyncExitStack) -> Fetcher:
    try:
        fetcher = Fetcher(frozenset(settings.image_hosts))
    except ValueError as error:
        raise WrongSetting(f"IMAGE_HOSTS: {error}") from error
    stack.push_async_callback(fetcher.close)
    return fetcher


async def _open_queue(settings: Settings, stack: AsyncExitStack) -> Queue:
    if settings.queue_is_in_memory:
        queue: Queue = MemoryQueue()
        stack.push_async_callback(queue.close)
        return queue
    project, topic, subscription = settings.queue_url.removeprefix("pubsub://").split("/")
    backoff_s = (settings.pubsub_min_backoff_seconds, settings.pubsub_max_backoff_seconds)
    queue = PubSubQueue(
        project,
        topic,
        subscription,
        emulator_host=settings.pubsub_emulator_host,
        ack_deadline_s=settings.pubsub_ack_deadline_seconds,
        max_deliveries=settings.pubsub_max_deliveries,
        redelivery_backoff_s=backoff_s,
    )
    stack.push_async_callback(queue.close)
    try:
        async with asyncio.timeout(QUEUE_START_S):
            await queue.check()
    except QueueMisconfigured as error:
        raise WrongSetting(f"QUEUE_URL: {error}") from error
    except OSError as error:
        # a broker that is away holds up no start, as it holds up no request
        log.warning("queue_unavailable", error=type(error).__name__)
    return queue


def _open_engine(
    settings: Settings, metrics: Metrics, stack: AsyncExitStack, *, warm: bool
) -> Failover:
    processes = min(settings.worker_concurrency, os.cpu_count() or 1)
    module = "service.engines.embedded.apply"
    is_used = "embedded" in settings.engine
    sandbox = _open_sandbox(processes, ENGINE_BYTES, module, stack, warm=warm and is_used)
    engine = make_engines(settings, sandbox, EngineMetrics(metrics.registry))
    stack.push_async_callback(engine.close)
    return engine


def _open_sandbox(
    processes: int, memory_bytes: int, module: str, stack: AsyncExitStack, *, warm: bool
) -> Sandbox:
    sandbox = Sandbox(processes=processes, memory_bytes=memory_bytes, preload=(module,))
    stack.push_async_callback(sandbox.close)
    if warm:
        warming = asyncio.create_task(sandbox.warm())
        stack.callback(warming.cancel)
    return sandbox


def token_rules(settings: Settings) -> TokenRules:
    """What tokens must show. Makes the embedded secret when no keys are configured."""
    secret: bytes | None = None
    if settings.auth_jwt_secret is not None:
        secret = settings.auth_jwt_secret.encode()
    elif settings.auth_jwks_url is None:
        secret = embedded_secret(settings.data_dir, "jwt")
    elif settings.guests_may_sign_in:
        raise WrongSetting("GUEST_SIGN_IN: needs AUTH_JWT_SECRET when AUTH_JWKS_URL is set")
    return TokenRules(secret, settings.auth_audience, settings.auth_issuer)
