"""A user's server that is sent events: real TLS under a name, and answers that a test directs."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from standardwebhooks import Webhook

HOST = "receiver.test"
LIMIT_S = 20

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> Any:
        """The event, once the library that receivers use has found the signature right."""
        return Webhook(secret).verify(self.body, self.headers)

    @property
    def id(self) -> str:
        """What the receiver knows the event by."""
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Listens on loopback. `answers` are given in turn, and 204 once there are none left."""

    certificate: Path
    port: int = 0
    answers: list[Answer] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def url(self, path: str = "/hook") -> str:
        """An address of it."""
        return f"https://{HOST}:{self.port}{path}"

    def answer(self, *statuses: int, **headers: str) -> None:
        """Give these statuses in turn."""
        for status in statuses:
            self.answers.append(self._giving(status, headers))

    def hang(self) -> asyncio.Event:
        """Take the next request and say nothing until the event is set."""
        gate = asyncio.Event()

        async def wait(_request: web.Request) -> web.Response:
            await gate.wait()
            return web.Response(status=204)

        self.answers.append(wait)
        return gate

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note the request and answer it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        async with self._news:
            self.received.append(Received(request.path, headers, await request.read()))
            self._news.notify_all()
        if self.answers:
            return await self.answers.pop(0)(request)
        return web.Response(status=204)

    async def has(self, number: int) -> list[Received]:
        """All that has been received, once it is so many."""
        async with asyncio.timeout(LIMIT_S), self._news:
            await self._news.wait_for(lambda: len(self.received) >= number)
        return self.received

    def trust(self) -> ssl.SSLContext:
        """What lets a client trust it."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def _giving(self, status: int, headers: dict[str, str]) -> Answer:
        async def give(_request: web.Request) -> web.Response:
            # a long body, which nobody should wait for
            return web.Response(status=status, headers=headers, text="x" * 100_000)

        return give


@asynccontextmanager
async def running_receiver(folder: Path) -> AsyncIterator[Receiver]:
    """A receiver with a certificate of its own."""
    certificate, key = make_certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    receiver = Receiver(certificate)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(access_log=None, ssl=context)
    assert server.port is not None
    receiver.port = server.port
    try:
        yield receiver
    finally:
        await server.close()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the name that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "receiver.crt", folder / "receiver.key"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def as_json(received: Received) -> Any:
    """The event, unverified."""
    return json.loads(received.body)
