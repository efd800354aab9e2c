"""`python -m service.worker --push`: signed requests run tasks, others are turned away."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa

from queueing.memory import MemoryQueue
from queueing.pubsub.push import GoogleKeys, PushVerifier
from service.app import make_worker_app
from service.resources import Resources
from service.stopping import Stopping
from tests.chaos.test_messages import accept_one, resources_on
from tests.processes import Start, service_process
from tests.scripted import ScriptedEngine

AUDIENCE = "https://worker.test/push"
EMAIL = "pusher@project.iam.gserviceaccount.com"


class Google:
    """Signs push requests as Google does, and publishes the key."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)

    async def keys(self, _request: web.Request) -> web.Response:
        """The key set."""
        public: Any = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return web.json_response({"keys": [{**public, "kid": "g", "alg": "RS256", "use": "sig"}]})

    def header(self, **claims: Any) -> dict[str, str]:
        """The header of a push request with these claims changed."""
        now_s = int(time.time())
        good = {
            "aud": AUDIENCE,
            "email": EMAIL,
            "email_verified": True,
            "iss": "https://accounts.google.com",
            "iat": now_s,
            "exp": now_s + 3_600,
        }
        token = jwt.encode(good | claims, self._key, algorithm="RS256", headers={"kid": "g"})
        return {"Authorization": f"Bearer {token}"}


class Pushed:
    """A worker that is pushed to, and those who push."""

    def __init__(
        self, resources: Resources, url: str, session: aiohttp.ClientSession, google: Google
    ) -> None:
        self.resources = resources
        self.google = google
        self._url = url
        self._session = session

    async def push(self, task_id: object, **claims: Any) -> int:
        """The status that answers a push of a task's id."""
        data = base64.b64encode(str(task_id).encode()).decode()
        body = {"message": {"data": data, "messageId": "1"}, "subscription": "s"}
        return await self.send(json.dumps(body).encode(), self.google.header(**claims))

    async def send(self, body: bytes, headers: dict[str, str]) -> int:
        """The status that answers a request."""
        async with self._session.post(self._url, data=body, headers=headers) as response:
            await response.read()
            return response.status

    async def status_of(self, task_id: object) -> str:
        """Where the task stands."""
        row = await self.resources.database.fetchrow(
            "SELECT status FROM task WHERE id = $1", task_id
        )
        assert row is not None
        return str(row["status"])


@asynccontextmanager
async def pushed_worker(
    folder: Path, database_url: str, engine: ScriptedEngine
) -> AsyncIterator[Pushed]:
    """A worker with room for two tasks."""
    google = Google()
    key_server = web.Application()
    key_server.router.add_get("/keys", google.keys)
    async with (
        TestServer(key_server) as keys,
        aiohttp.ClientSession() as session,
        resources_on(MemoryQueue(), folder, database_url) as opened,
    ):
        resources = replace(
            opened,
            settings=opened.settings.model_copy(update={"worker_concurrency": 2}),
            refinery=replace(opened.refinery, engine=engine),
        )
        verifier = PushVerifier(
            GoogleKeys(session, url=str(keys.make_url("/keys"))), audience=AUDIENCE, email=EMAIL
        )
        app = make_worker_app(resources, Stopping(), verifier)
        async with TestServer(app) as server:
            yield Pushed(resources, str(server.make_url("/")), session, google)


async def test_a_signed_push_runs_its_task_and_is_acknowledged(
    tmp_path: Path, database_url: str
) -> None:
    async with pushed_worker(tmp_path, database_url, ScriptedEngine()) as pushed:
        task_id = await accept_one(pushed.resources)
        assert await pushed.push(task_id) == 204
        assert await pushed.status_of(task_id) == "completed"
        assert await pushed.push(task_id) == 204, "a doubled message is a stale hint"
        assert await pushed.push(uuid4()) == 204, "and so is one of a task that is gone"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.test"},
        {"email": "someone@project.iam.gserviceaccount.com"},
        {"email_verified": False},
        {"iss": "https://evil.test"},
        {"exp": 1},
    ],
    ids=str,
)
async def test_a_push_that_is_not_of_our_subscription_is_turned_away(
    tmp_path: Path, database_url: str, claims: dict[str, Any]
) -> None:
    async with pushed_worker(tmp_path, database_url, ScriptedEngine()) as pushed:
        task_id = await accept_one(pushed.resources)
        assert await pushed.push(task_id, **claims) == 401
        assert await pushed.send(b"{}", {}) == 401
        assert await pushed.status_of(task_id) == "pending"


async def test_a_push_without_a_message_is_a_400_and_the_worker_goes_on(
    tmp_path: Path, database_url: str
) -> None:
    async with pushed_worker(tmp_path, database_url, ScriptedEngine()) as pushed:
        for body in (b"", b"[]", b'{"message": 5}', b'{"message": {"data": "%"}}'):
            assert await pushed.send(body, pushed.google.header()) == 400
        assert await pushed.push(await accept_one(pushed.resources)) == 204


async def test_a_full_worker_gives_a_push_back(tmp_path: Path, database_url: str) -> None:
    engine = ScriptedEngine()
    gate = engine.hold()
    async with pushed_worker(tmp_path, database_url, engine) as pushed:
        ids = [await accept_one(pushed.resources) for _ in range(3)]
        running = [asyncio.create_task(pushed.push(task_id)) for task_id in ids[:2]]
        async with asyncio.timeout(60):
            while len(engine.calls) < 2:
                await pushed.status_of(ids[0])
        assert await pushed.push(ids[2]) == 503
        gate.set()
        assert await asyncio.gather(*running) == [204, 204]
        assert await pushed.push(ids[2]) == 204


@pytest.mark.parametrize("missing", ["PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT"])
async def test_push_without_its_settings_stops_the_start(
    tmp_path: Path, missing: str, fork: Start
) -> None:
    settings = {
        "PUSH_AUDIENCE": AUDIENCE,
        "PUSH_SERVICE_ACCOUNT": EMAIL,
        "QUEUE_URL": "pubsub://p/t/s",
    }
    del settings[missing]
    async with service_process(
        tmp_path, settings, module="service.worker", arguments=("--push",), start=fork
    ) as worker:
        async with asyncio.timeout(60):
            assert await worker.process.wait() == 2
        assert worker.log.read_text().startswith(missing)
