"""A server that speaks the dialects of all providers and plays scenarios named in the prompt."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import count

from aiohttp import web
from aiohttp.test_utils import TestServer

from service.engines.hosted.http import MAX_ANSWER_BYTES
from tests.engines.hosted.pictures import a_bomb, redrawn
from tests.engines.hosted.scenarios import MARKER, scenario_in

POLLS_BEFORE_DONE = {"slow": 4, "unknown_status": 1, "never": 10**9}
# more questions than one attempt asks
POLLS_WHILE_AWAY = 7
# longer than the tests' engines wait themselves
BUSY_FOR_S = 2
TOLD = {"X-Marker": MARKER}


@dataclass(frozen=True)
class Refusal:
    """Why an order is not taken, for a dialect to put in its own words."""

    kind: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float | None = None


REFUSED = {
    "moderated_input": Refusal("moderated", 400),
    "invalid": Refusal("invalid", 400),
    "no_credit": Refusal("no_credit", 402),
    "denied": Refusal("denied", 403),
    "server_fault": Refusal("fault", 500),
    "always_busy": Refusal("busy", 429),
    "busy_for_long": Refusal("busy", 429, {"Retry-After": str(BUSY_FOR_S)}),
}


@dataclass
class Job:
    """An order that was taken."""

    id: str
    provider: str
    scenario: str
    png: bytes
    wants_alpha: bool = False
    polls: int = 0
    canceled: bool = False
    asked: Counter[str] = field(default_factory=Counter)


@dataclass
class Stub:
    """What the providers have seen. `orders` counts by provider and scenario, `paid` the orders
    taken by provider; `closed` providers are away; `strangers` are requests at the other host."""

    base: str = ""
    other: str = ""
    orders: Counter[tuple[str, str]] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    jobs: dict[str, Job] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    strangers: list[web.BaseRequest] = field(default_factory=list)
    polled: defaultdict[str, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    _taken: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    _ids: count[int] = field(default_factory=lambda: count(1))

    @staticmethod
    def key(provider: str) -> str:
        """The one key that the provider accepts."""
        return f"key-{MARKER}-{provider}"

    def refusal(self, provider: str, prompt: str) -> Refusal | None:
        """Why this order is not taken, this time."""
        scenario = scenario_in(prompt)
        self.orders[provider, scenario] += 1
        nth = self.orders[provider, scenario]
        if provider in self.closed:
            return Refusal("fault", 503)
        if scenario == "recovers":
            return Refusal("fault", 503) if nth <= 2 else None
        if scenario.startswith("busy_") and scenario not in REFUSED:
            return _busy(scenario.removeprefix("busy_")) if nth == 1 else None
        return REFUSED.get(scenario)

    def take(self, provider: str, prompt: str, png: bytes, *, wants_alpha: bool = False) -> Job:
        """The order, taken and paid for."""
        self.paid[provider] += 1
        id_ = f"job{next(self._ids)}-{MARKER}"
        job = Job(id_, provider, scenario_in(prompt), png, wants_alpha)
        self.jobs[job.id] = job
        self._taken.release()
        return job

    async def is_polled(self, provider: str) -> None:
        """Return once a job of the provider has been asked for."""
        async with asyncio.timeout(60):
            await self.polled[provider].wait()

    async def has_taken(self, orders: int) -> None:
        """Return once so many more orders have been taken."""
        async with asyncio.timeout(60):
            for _ in range(orders):
                await self._taken.acquire()

    def result(self, job: Job) -> bytes:
        """The file that the provider calls the image."""
        match job.scenario:
            case "not_an_image":
                return f'{{"error": "{MARKER}"}}'.encode()
            case "bomb":
                return a_bomb()
            case "endless":
                return bytes(MAX_ANSWER_BYTES + 1)
            case "unchanged":
                return job.png
            case "other_size":
                return redrawn(job.png, keep_alpha=job.wants_alpha, size=(640, 200))
            case "opaque":
                return redrawn(job.png, keep_alpha=False)
            case _:
                return redrawn(job.png, keep_alpha=job.wants_alpha)

    def poll(self, job: Job) -> str:
        """How a job stands: `queued`, `running`, `unknown`, `done`, or how it failed."""
        job.polls += 1
        self.polled[job.provider].set()
        if job.canceled:
            return "canceled"
        if job.polls <= POLLS_BEFORE_DONE.get(job.scenario, 0):
            if job.scenario == "unknown_status":
                return "unknown"
            return "queued" if job.polls <= 2 and job.scenario == "slow" else "running"
        if job.scenario in ("job_failed", "moderated_output", "no_image"):
            return job.scenario
        return "done"

    def cancel(self, id_: str) -> None:
        """Stop a job."""
        self.jobs[id_].canceled = True
        self.stopped.set()

    async def trouble(self, job: Job, request: web.Request) -> web.StreamResponse | None:
        """What goes wrong with asking for a job, whatever the dialect."""
        job.asked["status"] += 1
        nth = job.asked["status"]
        match job.scenario:
            case "poll_down":
                return web.Response(status=503, text=MARKER)
            case "poll_recovers" if nth <= 2:
                return web.Response(status=503, text=MARKER)
            case "away" if nth <= POLLS_WHILE_AWAY:
                return web.Response(status=503, text=MARKER)
            case "poll_cut" if nth == 1:
                return await cut(request)
            case "vanished":
                return web.Response(status=404, text=MARKER)
            case _:
                return None

    def image_url(self, job: Job) -> str:
        """Where the result of a job lies."""
        match job.scenario:
            case "foreign_image":
                return f"{self.other}/image/{job.id}"
            case "inside_image":
                return f"{self.other.replace('http:', 'https:')}/image/{job.id}"
            case _:
                return f"{self.base}/image/{job.id}"

    def poll_base(self, job: Job) -> str:
        """Where to ask for a job."""
        return self.other if job.scenario == "foreign_poll" else self.base

    async def image(self, request: web.Request) -> web.StreamResponse:
        """The file of a result; no key belongs here."""
        job = self.jobs[request.match_info["id"]]
        job.asked["image"] += 1
        nth = job.asked["image"]
        assert not {"Authorization", "x-key", "x-goog-api-key"} & request.headers.keys()
        if job.scenario == "gone":
            return web.Response(status=404, text=MARKER)
        if job.scenario == "image_recovers" and nth == 1:
            return web.Response(status=502, text=MARKER)
        if job.scenario == "image_cut" and nth == 1:
            return await cut(request)
        kind = "text/html" if job.scenario == "odd_type" else "image/png"
        return web.Response(body=self.result(job), content_type=kind)


def _busy(form: str) -> Refusal:
    now = datetime.now(UTC).replace(microsecond=0)
    match form:
        case "seconds":
            return Refusal("busy", 429, {"Retry-After": "0"})
        case "fraction":
            return Refusal("busy", 429, {"Retry-After": "0.05"})
        case "milliseconds":
            return Refusal("busy", 429, {"retry-after-ms": "50", "Retry-After": "999"})
        case "date":
            stamp = format_datetime(now, usegmt=True)
            return Refusal("busy", 429, {"Retry-After": stamp, "Date": stamp})
        case _:
            return Refusal("busy", 429, delay_s=0.05)


async def cut(request: web.Request) -> web.StreamResponse:
    """Half an answer, and then the connection breaks."""
    response = web.StreamResponse(headers={"Content-Length": "1000", **TOLD})
    await response.prepare(request)
    await response.write(b'{"data": [{"b64_json": "')
    assert request.transport is not None
    request.transport.abort()
    return response


@asynccontextmanager
async def running_stub() -> AsyncIterator[Stub]:
    """A stub on two loopback ports: the providers', and one where no key may ever come."""
    from tests.engines.hosted.dialects import routes

    stub = Stub()

    async def stranger(request: web.BaseRequest) -> web.Response:
        stub.strangers.append(request)
        return web.Response(text=MARKER)

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_routes([*routes(stub), web.get("/image/{id}", stub.image)])
    other = web.Application()
    other.router.add_route("*", "/{path:.*}", stranger)
    async with AsyncExitStack() as closing:
        server, trap = TestServer(app), TestServer(other)
        for one in (server, trap):
            # its own log is not under test
            await one.start_server(access_log=None)
            closing.push_async_callback(one.close)
        stub.base = str(server.make_url("")).rstrip("/")
        stub.other = str(trap.make_url("")).rstrip("/")
        try:
            yield stub
        finally:
            stub.closing.set()
