"""Sign requests to Google: with an API key, or with a service account's token."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
from gcloud.aio.auth import Token

from service.engines.hosted.http import NotSent

_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
LIMIT_S = 20.0


class ApiKey:
    """A key of the Gemini API."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def __call__(self) -> Mapping[str, str]:
        """The headers of a request."""
        return {"x-goog-api-key": self._key}


class ServiceAccount:
    """Tokens for Vertex AI, kept until shortly before they expire.

    `key_file` is a service account's; without one the machine's own account is asked for.
    """

    def __init__(self, key_file: str | None, *, limit_s: float = LIMIT_S) -> None:
        self._key_file = key_file
        self._limit_s = limit_s
        self._token: Token | None = None

    async def __call__(self) -> Mapping[str, str]:
        """The headers of a request. Raises `NotSent` when no token can be had."""
        try:
            if self._token is None:
                self._token = Token(service_file=self._key_file, scopes=_SCOPES)
            async with asyncio.timeout(self._limit_s):
                # all callers wait for one refresh, which the first to be cancelled would end
                token = await asyncio.shield(self._token.get())
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError):
            raise NotSent from None
        return {"Authorization": f"Bearer {token}"}

    async def close(self) -> None:
        """Let go of the token's connections."""
        if self._token is not None:
            await self._token.close()
