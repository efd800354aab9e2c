"""Only what Google signed for us is let in, and only what Pub/Sub wrapped is read."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa

from queueing.contract import Message, QueueUnavailable
from queueing.pubsub.push import GoogleKeys, PushMalformed, PushRefused, PushVerifier, read_push

AUDIENCE = "https://refine.example/push"
EMAIL = "pusher@project.iam.gserviceaccount.com"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public(key: rsa.RSAPrivateKey, key_id: str) -> dict[str, Any]:
    """A key as the issuer publishes it."""
    described = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return described | {"kid": key_id, "alg": "RS256", "use": "sig"}


def claims(**changed: Any) -> dict[str, Any]:
    """What Google puts into the token; None leaves a claim out."""
    now = int(time.time())
    good = {
        "aud": AUDIENCE,
        "azp": "113774264463038321964",
        "email": EMAIL,
        "email_verified": True,
        "exp": now + 3600,
        "iat": now,
        "iss": "https://accounts.google.com",
        "sub": "113774264463038321964",
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def bearer(
    payload: dict[str, Any], *, key: rsa.RSAPrivateKey = KEY, key_id: str | None = "one"
) -> str:
    """An `Authorization` header."""
    headers = {"kid": key_id} if key_id else {}
    return f"Bearer {jwt.encode(payload, key, algorithm='RS256', headers=headers)}"


async def key_of(key_id: str) -> jwt.PyJWK | None:
    """The issuer's only key."""
    return jwt.PyJWK.from_dict(public(KEY, "one")) if key_id == "one" else None


@pytest.fixture
def verifier() -> PushVerifier:
    return PushVerifier(key_of, audience=AUDIENCE, email=EMAIL)


async def test_a_token_of_google_for_us_is_let_in(verifier: PushVerifier) -> None:
    await verifier.verify(bearer(claims()))
    await verifier.verify(bearer(claims(iss="accounts.google.com")))
    await verifier.verify(bearer(claims()).replace("Bearer", "bearer"))


REFUSED = {
    "no header": None,
    "empty": "",
    "another scheme": "Basic cHVzaGVyOnNlY3JldA==",
    "no token": "Bearer ",
    "no JWT": "Bearer abc.def",
    "another audience": bearer(claims(aud="https://elsewhere.example/push")),
    "no audience": bearer(claims(aud=None)),
    "another issuer": bearer(claims(iss="https://accounts.evil.example")),
    "no issuer": bearer(claims(iss=None)),
    "another account": bearer(claims(email="mallory@project.iam.gserviceaccount.com")),
    "no account": bearer(claims(email=None)),
    "account not verified": bearer(claims(email_verified=False)),
    "account verified in words": bearer(claims(email_verified="true")),
    "expired": bearer(claims(exp=int(time.time()) - 120)),
    "no expiry": bearer(claims(exp=None)),
    "not yet issued": bearer(claims(iat=int(time.time()) + 3600)),
    "signed by a stranger": bearer(claims(), key=STRANGER),
    "a key unknown to the issuer": bearer(claims(), key_id="two"),
    "no key id": bearer(claims(), key_id=None),
    "not signed": f"Bearer {jwt.encode(claims(), '', algorithm='none', headers={'kid': 'one'})}",
    "signed with a shared secret": "Bearer "
    + jwt.encode(claims(), "s" * 32, algorithm="HS256", headers={"kid": "one"}),
    "changed after signing": bearer(claims())[:-4] + "AAAA",
}


@pytest.mark.parametrize("header", REFUSED.values(), ids=REFUSED.keys())
async def test_anything_else_is_refused(verifier: PushVerifier, header: str | None) -> None:
    with pytest.raises(PushRefused, match="does not prove"):
        await verifier.verify(header)


def pushed(**message: Any) -> bytes:
    """A push request's body."""
    stamped = {"messageId": "136969346945", "publishTime": "2026-01-01T00:00:00.123Z"}
    subscription = "projects/project/subscriptions/subscription"
    return json.dumps({"message": message | stamped, "subscription": subscription}).encode()


@pytest.mark.parametrize("body", [b"", b"\xff\x00\xfe", b"hello", bytes(range(256))])
def test_a_pushed_body_is_read_byte_for_byte(body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    assert read_push(pushed(data=encoded, attributes={"k": "v"})) == Message(body, {"k": "v"})


def test_a_message_without_body_or_attributes_is_read_as_empty() -> None:
    assert read_push(pushed()) == Message(b"")
    assert read_push(pushed(data=None, attributes={"queueing-empty": ""})) == Message(b"")


def test_the_delivery_attempt_is_read() -> None:
    envelope = json.loads(pushed(data="eA==")) | {"deliveryAttempt": 4}
    assert read_push(json.dumps(envelope).encode()) == Message(b"x", {}, delivery=4)


MALFORMED = {
    "nothing": b"",
    "no JSON": b"{",
    "invalid UTF-8": b'{"message": "\xff"}',
    "no object": b"[]",
    "null": b"null",
    "no message": b"{}",
    "a message of text": b'{"message": "x"}',
    "a message of null": b'{"message": null}',
    "data that is no base64": pushed(data="a*c"),
    "data that is no text": pushed(data=5),
    "data that is a list": pushed(data=["x"]),
    "attributes that are a list": pushed(data="eA==", attributes=["k"]),
    "attribute values that are no text": pushed(data="eA==", attributes={"k": 1}),
    "an attempt that is no number": b'{"message": {}, "deliveryAttempt": "2"}',
    "deep nesting": b'{"message":' * 100_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_pushed_message_is_refused_by_type(body: bytes) -> None:
    with pytest.raises(PushMalformed, match="no Pub/Sub message"):
        read_push(body)


class Issuer:
    """A key server. `calls` counts the fetches."""

    def __init__(self) -> None:
        self.keys = [public(KEY, "one")]
        self.calls = 0
        self.status = 200
        self.headers = {"Cache-Control": "public, max-age=3600, must-revalidate"}

    async def answer(self, _request: web.Request) -> web.Response:
        """The key set, or trouble."""
        self.calls += 1
        return web.json_response({"keys": self.keys}, status=self.status, headers=self.headers)


@pytest.fixture
async def issuer() -> AsyncIterator[tuple[Issuer, GoogleKeys, GoogleKeys]]:
    """A key server, keys that are careful with it, and keys that may ask at any time."""
    keys, app = Issuer(), web.Application()
    app.router.add_get("/certs", keys.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("/certs"))
        yield keys, GoogleKeys(session, url=url), GoogleKeys(session, url=url, retry_s=0)


type Keys = tuple[Issuer, GoogleKeys, GoogleKeys]


async def test_keys_are_fetched_once_and_kept(issuer: Keys) -> None:
    server, keys, _ = issuer
    verifier = PushVerifier(keys, audience=AUDIENCE, email=EMAIL)
    for _ in range(5):
        await verifier.verify(bearer(claims()))
    assert server.calls == 1


async def test_a_new_key_is_found_when_the_issuer_begins_to_use_it(issuer: Keys) -> None:
    server, _, keys = issuer
    assert await keys("two") is None
    server.keys.append(public(STRANGER, "two"))
    assert await keys("two") is not None


async def test_unknown_ids_cannot_make_us_ask_again_and_again(issuer: Keys) -> None:
    server, keys, _ = issuer
    assert [await keys(f"made-up-{n}") for n in range(20)] == [None] * 20
    assert server.calls == 1


async def test_old_keys_serve_while_the_issuer_is_down(issuer: Keys) -> None:
    server, _, keys = issuer
    server.headers = {"Cache-Control": "max-age=0"}
    assert await keys("one") is not None
    server.status = 503
    assert await keys("one") is not None
    assert server.calls == 2


async def test_without_any_keys_the_push_is_to_come_again_later(issuer: Keys) -> None:
    server, keys, _ = issuer
    server.status = 503
    with pytest.raises(QueueUnavailable, match="no keys from"):
        await keys("one")
    server.status = 200
    assert await keys("one") is not None


async def test_a_key_that_was_withdrawn_is_no_longer_known(issuer: Keys) -> None:
    server, _, keys = issuer
    server.headers = {"Cache-Control": "max-age=0"}
    assert await keys("one") is not None
    server.keys = [public(STRANGER, "two")]
    assert await keys("one") is None
