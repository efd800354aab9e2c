"""Check and read what Pub/Sub pushes; the HTTP around it, and running it, are the caller's."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import jwt

from queueing.contract import Message, QueueUnavailable
from queueing.pubsub.names import from_wire

# https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
GOOGLE_KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs"
GOOGLE_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
CLAIMS = ("aud", "email", "email_verified", "exp", "iat", "iss")
LEEWAY_S = 30

KeySource = Callable[[str], Awaitable[jwt.PyJWK | None]]
"""The key of an id, or None when the issuer has no such key; `QueueUnavailable` to ask later."""


class PushRefused(Exception):
    """The request does not prove that it comes from the push subscription."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class PushMalformed(ValueError):
    """The request holds no Pub/Sub message."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class PushVerifier:
    """Lets pass only requests that Google signed for `audience` in the name of `email`.

    `audience` is the one set on the push subscription (the endpoint's URL unless another was
    chosen), `email` the service account that the subscription pushes as.
    """

    def __init__(
        self,
        key_of: KeySource,
        *,
        audience: str,
        email: str,
        issuers: tuple[str, ...] = GOOGLE_ISSUERS,
    ) -> None:
        self._key_of = key_of
        self._audience = audience
        self._email = email
        self._issuers = issuers

    async def verify(self, authorization: str | None) -> None:
        """`PushRefused` unless this `Authorization` header is good."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise PushRefused
        try:
            key = await self._key_of(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                raise PushRefused
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._issuers,
                leeway=LEEWAY_S,
                options={"require": list(CLAIMS)},
            )
        except jwt.PyJWTError as error:
            raise PushRefused from error
        if claims["email"] != self._email or claims["email_verified"] is not True:
            raise PushRefused


def read_push(body: bytes) -> Message:
    """The message of a push request's body. `PushMalformed` when it holds none.

    https://cloud.google.com/pubsub/docs/push#receive_push
    """
    try:
        envelope: Any = json.loads(body)
        sent = envelope["message"]
        data, attributes = sent.get("data") or "", sent.get("attributes") or {}
        delivery = envelope.get("deliveryAttempt") or 1
        read = from_wire(base64.b64decode(data, validate=True), attributes, delivery)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise PushMalformed from error
    texts = (*read.attributes, *read.attributes.values())
    if type(delivery) is not int or not all(isinstance(text, str) for text in texts):
        raise PushMalformed
    return read


class GoogleKeys:
    """Google's signing keys by id, kept for as long as Google says.

    An unknown id is looked up, but not more than once in `retry_s`: anyone can send one.
    """

    def __init__(
        self, session: aiohttp.ClientSession, *, url: str = GOOGLE_KEYS_URL, retry_s: float = 60
    ) -> None:
        self._session = session
        self._url = url
        self._retry_s = retry_s
        self._keys: dict[str, jwt.PyJWK] = {}
        self._stale_at = 0.0
        self._may_ask_at = 0.0
        self._lock = asyncio.Lock()

    async def __call__(self, key_id: str) -> jwt.PyJWK | None:
        """The key. `QueueUnavailable` when keys are needed and cannot be had."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            is_due = now >= self._stale_at or key_id not in self._keys
            if is_due and now >= self._may_ask_at:
                self._may_ask_at = now + self._retry_s
                try:
                    await self._fetch(now)
                except (aiohttp.ClientError, OSError, ValueError, jwt.PyJWTError) as error:
                    if key_id not in self._keys:
                        self._may_ask_at = now
                        raise QueueUnavailable(f"no keys from {self._url}: {error!r}") from error
        return self._keys.get(key_id)

    async def _fetch(self, now: float) -> None:
        async with self._session.get(self._url, timeout=aiohttp.ClientTimeout(total=10)) as answer:
            answer.raise_for_status()
            key_set = jwt.PyJWKSet.from_dict(await answer.json())
            life = re.search(r"max-age=(\d+)", answer.headers.get("Cache-Control", ""))
        self._keys = {str(key.key_id): key for key in key_set.keys}
        self._stale_at = now + (float(life[1]) if life else self._retry_s)
