"""Answer Pub/Sub's REST calls in this process, as the real one does or as a script has it fail."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from tests.emulators import free_port
from tests.queueing.pubsub_state import Answer, Json, PubSubState


@dataclass(frozen=True, slots=True)
class Fault:
    """How one call goes wrong: by a status, or by what becomes of the connection or the answer.

    `after_effect` lets the call do its work first: it succeeds, and the caller cannot know.
    """

    status: int | None = None
    how: str = "status"
    after_effect: bool = False


RESET = Fault(how="reset")
TIMEOUT = Fault(how="hang")
GARBAGE = Fault(how="html")
WRONG_SHAPE = Fault(how="shape")
EMPTY = Fault(how="empty")
LATE = Fault(how="late")
DONE_THEN_RESET = Fault(how="reset", after_effect=True)
DONE_THEN_TIMEOUT = Fault(how="hang", after_effect=True)
DONE_THEN_503 = Fault(503, after_effect=True)


Work = Callable[[str, Json], Awaitable[Json]]


class FakePubSub:
    """A Pub/Sub server of a test's own, steered by `fail`, `always`, `forbidden`, `down`, `up`.

    `calls` holds the body of every request by verb; verbs are named as in the REST paths, and
    `createTopic`, `deleteTopic`, `createSubscription`, `getSubscription`, `deleteSubscription`.
    With `accepted_token`, a call without that bearer token is refused; `/token` gives out
    `issued_token` to any service account. A `LATE` call is worked off once `released` is set.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self.state = PubSubState(on_change=self._changed.set)
        self.calls: dict[str, list[Json]] = defaultdict(list)
        self.always: dict[str, Fault] = {}
        self.forbidden: set[str] = set()
        self.accepted_token: str | None = None
        self.issued_token = "first"
        self.released = asyncio.Event()
        self._port = free_port()
        self._script: dict[str, deque[Fault | None]] = defaultdict(deque)
        self._runner: web.AppRunner | None = None
        self._transports: set[asyncio.Transport] = set()

    @property
    def host(self) -> str:
        """`host:port`, as `PUBSUB_EMULATOR_HOST` takes it."""
        return f"127.0.0.1:{self._port}"

    async def up(self) -> None:
        """Listen, on the same port every time."""
        app = web.Application(client_max_size=20_000_000)
        name = "/v1/projects/{project}/{kind}/{id:[^:/]+}"
        app.router.add_route("*", name, self._resource)
        app.router.add_post(name + ":{verb}", self._verb)
        app.router.add_post("/token", self._token)
        self.state.is_down.clear()
        self._runner = web.AppRunner(app, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def down(self) -> None:
        """Cut every connection and refuse new ones."""
        self.state.is_down.set()
        for transport in self._transports:
            transport.abort()
        self._transports.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def fail(self, verb: str, *faults: Fault | None) -> None:
        """What the next calls of a verb meet, in order; None is a call that works."""
        self._script[verb].extend(faults)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until a condition on this server holds; looked at after each call and change."""
        async with asyncio.timeout(30):
            while not reached():
                self._changed.clear()
                await self._changed.wait()

    async def until_called(self, verb: str, times: int) -> None:
        """Wait until a verb was called so often."""
        await self.until(lambda: len(self.calls[verb]) >= times)

    async def _token(self, _request: web.Request) -> web.Response:
        self.calls["token"].append({})
        return web.json_response({"access_token": self.issued_token, "expires_in": 3600})

    async def _resource(self, request: web.Request) -> web.StreamResponse:
        works: dict[tuple[str, str], tuple[str, Work]] = {
            ("PUT", "topics"): ("createTopic", self.state.create_topic),
            ("DELETE", "topics"): ("deleteTopic", self.state.delete_topic),
            ("PUT", "subscriptions"): ("createSubscription", self.state.create_subscription),
            ("GET", "subscriptions"): ("getSubscription", self.state.get_subscription),
            ("DELETE", "subscriptions"): ("deleteSubscription", self.state.delete_subscription),
        }
        return await self._answer(request, *works[request.method, request.match_info["kind"]])

    async def _verb(self, request: web.Request) -> web.StreamResponse:
        works: dict[str, Work] = {
            "publish": self.state.publish,
            "pull": self.state.pull,
            "acknowledge": self.state.acknowledge,
            "modifyAckDeadline": self.state.modify_ack_deadline,
        }
        verb = request.match_info["verb"]
        return await self._answer(request, verb, works[verb])

    async def _answer(self, request: web.Request, verb: str, work: Work) -> web.StreamResponse:
        assert request.transport is not None, "a request that is being read has a connection"
        self._transports.add(request.transport)
        name = request.path.removeprefix("/v1/").partition(":")[0]
        body = json.loads(await request.read() or b"{}")
        self.calls[verb].append(body)
        # Waiters look once this call has had its effect, or waits.
        asyncio.get_running_loop().call_soon(self._changed.set)
        script = self._script[verb]
        fault = script.popleft() if script else self.always.get(verb)
        try:
            self._authorize(request, verb)
            if fault is LATE:
                await self.released.wait()
                fault = None
            if fault is not None and not fault.after_effect:
                return await self._go_wrong(request, fault)
            result = await work(name, body)
            if fault is not None:
                return await self._go_wrong(request, fault)
        except Answer as answer:
            error = {"code": answer.status, "message": str(answer)}
            return web.json_response({"error": error}, status=answer.status)
        return web.json_response(result)

    async def _go_wrong(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        match fault.how:
            case "reset":
                if request.transport is not None:
                    request.transport.abort()
            case "hang":
                await self.state.is_down.wait()
            case "html":
                return web.Response(text="<html>Bad gateway</html>", content_type="text/html")
            case "shape":
                return web.json_response({"receivedMessages": [{"ackId": 7, "message": 8}]})
            case "empty":
                return web.json_response({})
            case _:
                assert fault.status is not None
                raise Answer(fault.status, "scripted")
        return web.Response()

    def _authorize(self, request: web.Request, verb: str) -> None:
        expected = self.accepted_token
        if expected and request.headers.get("Authorization") != f"Bearer {expected}":
            raise Answer(401, "Request had invalid authentication credentials.")
        if verb in self.forbidden:
            raise Answer(403, f"User not authorized to perform this action: {verb}.")


@asynccontextmanager
async def fake_pubsub() -> AsyncIterator[FakePubSub]:
    """A fake Pub/Sub that listens for the length of the block."""
    server = FakePubSub()
    await server.up()
    try:
        yield server
    finally:
        await server.down()
