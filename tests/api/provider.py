"""An identity provider: the keys that it keeps and publishes, and the tokens that it signs."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SUBJECT = uuid4()


@dataclass
class Provider:
    """An identity provider: its private keys, what it publishes, how often it was asked."""

    private: dict[str, tuple[str, Any]] = field(default_factory=dict)
    asked: int = 0
    answer: bytes | None = None
    status: int = 200
    url: str = ""

    def add(self, kid: str, algorithm: str) -> None:
        """Publish a new key."""
        make = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }
        self.private[kid] = (algorithm, make[algorithm]())

    def published(self) -> bytes:
        """The key set."""
        kinds: dict[str, Any] = {
            "RS256": jwt.algorithms.RSAAlgorithm,
            "ES256": jwt.algorithms.ECAlgorithm,
            "EdDSA": jwt.algorithms.OKPAlgorithm,
        }
        keys = []
        for kid, (algorithm, key) in self.private.items():
            entry = json.loads(kinds[algorithm].to_jwk(key.public_key()))
            keys.append({**entry, "kid": kid, "use": "sig", "alg": algorithm})
        return json.dumps({"keys": keys}).encode()

    def token(self, kid: str, **claims: Any) -> str:
        """A token signed with the key of that id."""
        algorithm, key = self.private[kid]
        given = {"sub": str(SUBJECT), "exp": int(time.time()) + 60, **claims}
        return jwt.encode(given, key, algorithm=algorithm, headers={"kid": kid})

    async def serve(self, _request: web.Request) -> web.Response:
        """Answer with the key set, or with what the test wants instead."""
        self.asked += 1
        body = self.published() if self.answer is None else self.answer
        return web.Response(body=body, status=self.status)


@asynccontextmanager
async def running_provider() -> AsyncIterator[Provider]:
    """A provider with one key, named `one`."""
    provider = Provider()
    provider.add("one", "RS256")
    app = web.Application()
    app.router.add_get("/keys", provider.serve)
    async with TestServer(app) as server:
        provider.url = str(server.make_url("/keys"))
        yield provider
