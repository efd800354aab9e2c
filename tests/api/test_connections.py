"""What a connection may cost: bounded headers and bodies in bounded time, with a clear answer."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import unused_port

from service.api import bodies, connections, uploads
from service.app import make_app
from service.resources import open_resources
from service.serving import serve
from service.settings import Settings
from service.stopping import Stopping
from tests.api.harness import Service, User, running_service
from tests.processes import ROOT
from tests.scripted import ScriptedEngine

LIMIT_S = 60


@dataclass
class Answer:
    """A raw response."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Host:
    """A service behind the real front door, spoken to in bytes."""

    port: int
    token: str

    async def send(self, *parts: bytes) -> Answer | None:
        """The first answer to these bytes; None when it is only hung up."""
        async with asyncio.timeout(LIMIT_S), self.connected() as (reader, writer):
            for part in parts:
                writer.write(part)
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            first, *lines = head.decode().strip().split("\r\n")
            pairs = [line.partition(":") for line in lines]
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            return Answer(int(first.split()[1]), headers, body)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def problem(self, *parts: bytes) -> Answer:
        """The answer to these bytes, which has to be a problem as any other."""
        answer = await self.send(*parts)
        assert answer is not None
        body = json.loads(answer.body)
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.headers["x-request-id"] == body["request_id"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not answer.headers.get("server")
        assert body["status"] == answer.status
        assert body["type"] == f"/problems/{body['code']}"
        return answer


@asynccontextmanager
async def running_host(database_url: str, folder: Path) -> AsyncIterator[Host]:
    """The service as its entry point serves it, but in this process."""
    port = unused_port()
    stopping, started = Stopping(), asyncio.Event()
    settings = Settings(port=port, data_dir=folder, database_url=database_url)
    async with open_resources(settings) as resources:
        serving = asyncio.create_task(
            serve(make_app(resources, stopping), "127.0.0.1", port, stopping, on_start=started.set)
        )
        await started.wait()
        async with (
            ClientSession() as session,
            session.post(f"http://127.0.0.1:{port}/api/auth/guest") as response,
        ):
            token = (await response.json())["access_token"]
        try:
            yield Host(port, token)
        finally:
            stopping.asked.set()
            await serving


@pytest.fixture
async def host(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Host]:
    """A host without much patience."""
    monkeypatch.setattr(connections, "HEADERS_S", 0.3)
    monkeypatch.setattr(bodies, "JSON_BODY_S", 0.3)
    monkeypatch.setattr(uploads, "UPLOAD_S", 0.3)
    async with running_host(database_url, tmp_path) as host:
        yield host


def request(method: str, path: str, *headers: str) -> bytes:
    """The head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


async def test_what_is_no_http_is_answered_with_a_problem(host: Host) -> None:
    for sent, status, code in (
        (b"hello?\r\n\r\n", 400, "malformed_request"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "malformed_request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "malformed_request"),
        (request("GET", "/healthz", "no colon"), 400, "malformed_request"),
        (request("GET", "/healthz", "Content-Length: -1"), 400, "malformed_request"),
        (request("GET", "/healthz", "Expect: a-miracle"), 400, "malformed_request"),
        (request("GET", f"/{'x' * 20_000}"), 431, "headers_too_large"),
        (request("GET", "/healthz", f"X-Long: {'x' * 20_000}"), 431, "headers_too_large"),
        (request("GET", "/healthz", *["X-Many: x"] * 200), 400, "malformed_request"),
    ):
        answer = await host.problem(sent)
        assert (answer.status, json.loads(answer.body)["code"]) == (status, code), sent[:40]


async def test_a_body_that_is_not_encoded_as_it_says_is_no_fault_of_ours(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    head = request(
        *("POST", "/api/concepts/refine", f"Authorization: Bearer {host.token}"),
        *("Content-Type: application/json", "Content-Encoding: gzip", "Content-Length: 2"),
    )
    answer = await host.problem(head, b"{}")
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "malformed_json")
    # the connection is given up after the answer, and whatever is said is said by then
    async with host.connected() as (reader, writer):
        writer.write(head + b"{}")
        await reader.read()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_who_never_finishes_the_headers_is_hung_up_on(host: Host) -> None:
    whole = request("GET", "/healthz")
    for sent in (b"", b"GET", whole[:-2]):
        assert await host.send(sent) is None
    # also on a connection that has served a request before
    async with asyncio.timeout(LIMIT_S), host.connected() as (reader, writer):
        writer.write(whole)
        assert b"200 OK" in await reader.readuntil(b"}")
        writer.write(whole[:-2])
        assert await reader.read() == b""


async def test_a_connection_that_has_asked_may_stay_open_and_ask_again(host: Host) -> None:
    async with asyncio.timeout(LIMIT_S), host.connected() as (reader, writer):
        for pause_s in (2 * connections.HEADERS_S, 0.0):
            writer.write(request("GET", "/healthz"))
            assert b"200 OK" in await reader.readuntil(b"}")
            # the time for headers passes, and nothing happens
            await asyncio.sleep(pause_s)


async def test_a_body_that_does_not_come_is_given_up(host: Host) -> None:
    token = f"Authorization: Bearer {host.token}"
    form = "Content-Type: multipart/form-data; boundary=b"
    part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n\x89PNG'
    for head, body in (
        (
            request(
                "POST",
                "/api/concepts/refine",
                token,
                "Content-Type: application/json",
                "Content-Length: 100",
            ),
            b'{"refine',
        ),
        (request("POST", "/api/concepts", token, form, "Content-Length: 100000"), part),
        (request("POST", "/api/concepts", token, form, "Transfer-Encoding: chunked"), b""),
    ):
        answer = await host.problem(head, body)
        assert (answer.status, json.loads(answer.body)["code"]) == (408, "request_timeout")


def test_a_process_may_have_more_connections_than_shells_begin_with() -> None:
    program = """
import resource
from service.serving import allow_many_connections
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 4096))
allow_many_connections()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
    assert said.stdout.split() == [b"4096", b"4096"], said.stderr


async def test_a_user_and_a_process_have_only_so_many_streams(
    database_url: str, tmp_path: Path, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # that a reader has gone is noticed when it is written to
    monkeypatch.setattr("service.api.stream.HEARTBEAT_S", 0.05)
    async with running_service(
        database_url, tmp_path, engine, max_streams=3, max_streams_per_user=2
    ) as service:
        gate = engine.hold()
        first, second = await service.guest(), await service.guest()
        mine, theirs = await first.begin(), await second.begin()

        def stream_of(user: User, task_id: str) -> Stream:
            return Stream(service, user, task_id)

        async with stream_of(first, mine["task_id"]), stream_of(first, mine["task_id"]):
            refused = await first.request("GET", f"/api/tasks/{mine['task_id']}/events")
            assert refused.status == 429
            assert (await refused.json())["code"] == "too_many_streams"
            assert int(refused.headers["Retry-After"]) > 0
            async with stream_of(second, theirs["task_id"]):
                full = await second.request("GET", f"/api/tasks/{theirs['task_id']}/events")
                assert full.status == 503
                assert (await full.json())["code"] == "service_unavailable"
                assert int(full.headers["Retry-After"]) > 0
        async with asyncio.timeout(LIMIT_S), stream_of(first, mine["task_id"]):
            gate.set()


class Stream:
    """An open stream, once it has begun; entered again and again until there is room."""

    def __init__(self, service: Service, user: User, task_id: str) -> None:
        self._service = service
        self._user = user
        self._address = f"{service.base}/api/tasks/{task_id}/events"

    async def __aenter__(self) -> None:
        headers = {"Authorization": f"Bearer {self._user.token}"}
        while True:
            self._response = await self._service.session.get(self._address, headers=headers)
            if self._response.status == 200:
                break
        await self._response.content.readline()

    async def __aexit__(self, *_error: object) -> None:
        self._response.close()
