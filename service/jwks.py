"""Fetch and keep the public keys (RFC 7517) of an identity provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
import structlog

log = structlog.get_logger()

FETCH_TIMEOUT_S = 4.0
MAX_BYTES = 512 * 1024
FRESH_S = 600.0
REFETCH_SPACING_S = 10.0
RETRY_SPACING_S = 1.0

ALGORITHMS: Mapping[str, str] = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
"""The one algorithm accepted for each type of key: a token cannot choose how it is checked."""


class KeysUnavailable(Exception):
    """Sign-in cannot be checked at the moment."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and the algorithm that it verifies."""

    key: jwt.PyJWK
    algorithm: str


class KeySet:
    """Keys by id, fetched when first needed, again when old, and when an id is unknown.

    A failing provider costs nothing while keys are known; without any it is `KeysUnavailable`,
    never an open door. Unknown ids cause one fetch in 10 s at most.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None
        self._keys: dict[str | None, PublicKey] = {}
        self._fetched_at_s = float("-inf")
        self._tried_at_s = float("-inf")
        self._fetching = asyncio.Lock()

    async def find(self, key_id: str | None) -> PublicKey | None:
        """The key of that id; without an id the only key there is; None when there is none."""
        if not self._is_settled(key_id):
            async with self._fetching:
                if not self._is_settled(key_id):
                    await self._fetch()
        if not self._keys:
            raise KeysUnavailable
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    async def close(self) -> None:
        """Close the connection; safe to call twice."""
        if self._session is not None:
            await self._session.close()

    def _is_settled(self, key_id: str | None) -> bool:
        """Whether the keys at hand are all that a look-up may use now."""
        now_s = asyncio.get_running_loop().time()
        is_known = key_id in self._keys or (key_id is None and bool(self._keys))
        if is_known and now_s - self._fetched_at_s < FRESH_S:
            return True
        spacing_s = REFETCH_SPACING_S if self._keys else RETRY_SPACING_S
        return now_s - self._tried_at_s < spacing_s

    async def _fetch(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._keys = keys_in(await self._download())
            self._fetched_at_s = loop.time()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("jwks_fetch_failed", error=type(error).__name__)
        self._tried_at_s = loop.time()

    async def _download(self) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S), raise_for_status=True
            )
        async with self._session.get(self._url, allow_redirects=False) as response:
            body = await response.content.read(MAX_BYTES + 1)
            while len(body) <= MAX_BYTES and (more := await response.content.read(MAX_BYTES)):
                body += more
        if len(body) > MAX_BYTES:
            raise ValueError("the key set is too large")
        return json.loads(body)


def keys_in(document: Any) -> dict[str | None, PublicKey]:
    """The usable signing keys of a key set; others are passed over. `ValueError` without any."""
    found: dict[str | None, PublicKey] = {}
    entries = document.get("keys") if isinstance(document, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
            continue
        algorithm = ALGORITHMS.get(entry.get("kty", ""))
        if algorithm is None or entry.get("alg", algorithm) != algorithm:
            continue
        try:
            found[entry.get("kid")] = PublicKey(jwt.PyJWK(entry, algorithm), algorithm)
        except jwt.PyJWTError:
            log.warning("jwks_key_unusable", kid=str(entry.get("kid"))[:100])
    if not found:
        raise ValueError("no usable key")
    return found
