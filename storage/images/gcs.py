"""Keep images in a bucket of Google Cloud Storage, which also shows them under signed addresses."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from aiohttp import (
    ClientResponseError,
    ClientSession,
    TCPConnector,
    TraceConfig,
    TraceRequestEndParams,
)
from gcloud.aio.auth import IamClient, Token, decode
from gcloud.aio.auth.token import GCE_METADATA_BASE, GCE_METADATA_HEADERS
from gcloud.aio.storage import Storage

from storage.images.addresses import Places, is_key
from storage.images.contract import (
    ImageMissing,
    ImageTooLarge,
    StoredImage,
)
from storage.images.gcs_signing import HOST, KeySigner, Signer, unsigned_address
from storage.images.retrying import tried

API_ROOT = "https://www.googleapis.com"
WINDOW_S = 1_800
TRY_S = 20.0
CHECK_S = 5.0
LIBRARY_S = 600  # the library's own limits stay out of the way
CHUNK_BYTES = 64 * 1024
PAGE_OBJECTS = 1_000
MAX_KNOWN_URLS = 10_000
CONNECTIONS = 32
# the emulator resets connections when there are more
EMULATOR_CONNECTIONS = 8
# signBlob asks for it, and what the account may do is said by its roles
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


def url_prefix_of(
    bucket: str, prefix: str, *, api_root: str | None = None, cdn_prefix: str | None = None
) -> str:
    """What the addresses of a `GcsImages` of the same parameters begin with."""
    return (cdn_prefix or f"{api_root or f'https://{HOST}'}/{bucket}/{prefix.strip('/')}").rstrip(
        "/"
    )


class CannotSign(Exception):
    """Google credentials were found that cannot sign addresses: use a service account."""


class GcsImages:
    """Images below `prefix` of a bucket, which belong to this deployment alone.

    Credentials are the application's default ones, or `service_file`. With `api_root`, the
    `http://host:port` of an emulator, none are used, and addresses are the emulator's own. With
    `cdn_prefix` an address is `{cdn_prefix}/{key}`, unsigned. `known_prefixes` are earlier ones, of
    any backend, whose addresses keep their meaning. `try_s` bounds each of a few tries, `clock`
    tells epoch seconds. Make it inside a running loop. Raises `CannotSign`.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        api_root: str | None = None,
        cdn_prefix: str | None = None,
        known_prefixes: tuple[str, ...] = (),
        service_file: str | None = None,
        try_s: float = TRY_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bucket = bucket
        self._below = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._try_s = try_s
        self._clock = clock
        self._url_prefix = url_prefix_of(bucket, prefix, api_root=api_root, cdn_prefix=cdn_prefix)
        self._places = Places(self._url_prefix, *known_prefixes)
        self._store_time: datetime | None = None
        self._uses_token = api_root is None
        self._token = Token(service_file, scopes=SCOPES)
        is_open = api_root is not None or cdn_prefix is not None
        self._signer = None if is_open else _signer_of(self._token)
        self._session = self._new_session(EMULATOR_CONNECTIONS if api_root else CONNECTIONS)
        self._storage = Storage(
            token=self._token,
            session=_any(self._session),
            api_root=api_root or API_ROOT,
            api_is_dev=api_root is not None,
        )
        self._urls: dict[str, str] = {}
        self._urls_window = 0

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Store durably, in one request, so that there is a whole object or none."""
        if not is_key(key):
            raise ValueError("not a key for an image")
        await self._tried(partial(self._upload, key, body, content_type))

    async def get(self, key: str, *, max_bytes: int) -> bytes:
        """The whole object. Raises `ImageMissing`, or `ImageTooLarge` without reading on."""
        if is_key(key):
            body = await self._tried(partial(self._download, key, max_bytes))
            if body is not None:
                return body
        # a lost bucket is not a lost image
        await self.check()
        raise ImageMissing(ImageMissing.__doc__)

    async def delete(self, key: str) -> None:
        """Remove; removing what is not there is no error."""
        if is_key(key):
            await self._tried(partial(self._remove, key))

    async def list(self) -> AsyncIterator[StoredImage]:
        """Every image below the prefix, in no order."""
        params = {"prefix": self._below, "maxResults": str(PAGE_OBJECTS)}
        while True:
            page, following = await self._tried(partial(self._list_page, params))
            for image in page:
                yield image
            if following is None:
                return
            params = {**params, "pageToken": following}

    async def url(self, key: str) -> str:
        """An address that works for 30 to 60 minutes; the same on every instance in a window."""
        if self._signer is None:
            return f"{self._url_prefix}/{key}"
        window = int(self._clock()) // WINDOW_S
        if window != self._urls_window or len(self._urls) >= MAX_KNOWN_URLS:
            self._urls, self._urls_window = {}, window
        urls, signer = self._urls, self._signer
        if key not in urls:
            signing = partial(self._sign, signer, key, window * WINDOW_S)
            urls[key] = await tried(signing, try_s=self._try_s)
        return urls[key]

    def key_of(self, url: str) -> str | None:
        """The key in an address that `url` ever made, expired or not; None for any other."""
        return self._places.key_in(url)

    async def check(self) -> None:
        """Raise `ImageStoreUnavailable` unless a read would work now."""
        params = {"prefix": self._below, "maxResults": "1"}
        look = partial(self._list_page, params)
        await tried(partial(self._authorized, look), try_s=CHECK_S, tries=1)

    async def close(self) -> None:
        """Let go of connections; safe to call twice."""
        if self._token.acquiring:
            self._token.acquiring.cancel()
        await self._token.close()
        await self._session.close()

    async def _upload(self, key: str, body: bytes, content_type: str) -> None:
        try:
            await self._storage.upload(
                self._bucket,
                f"{self._below}{key}",
                body,
                content_type=content_type,
                parameters={"ifGenerationMatch": "0"},
                # the library's resumable upload sends a wrong range when it tries again
                force_resumable_upload=False,
                timeout=LIBRARY_S,
            )
        except ClientResponseError as error:
            # names are used once: what is there is ours, from a try whose answer was lost
            if error.status != HTTPStatus.PRECONDITION_FAILED:
                raise

    async def _download(self, key: str, max_bytes: int) -> bytes | None:
        try:
            stream = await self._storage.download_stream(
                self._bucket, f"{self._below}{key}", timeout=LIBRARY_S
            )
        except ClientResponseError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        async with stream:
            body = bytearray()
            while chunk := await stream.read(CHUNK_BYTES):
                body += chunk
                if max(len(body), stream.content_length) > max_bytes:
                    raise ImageTooLarge(ImageTooLarge.__doc__)
            return bytes(body)

    async def _remove(self, key: str) -> None:
        try:
            await self._storage.delete(self._bucket, f"{self._below}{key}", timeout=LIBRARY_S)
        except ClientResponseError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def _list_page(self, params: dict[str, str]) -> tuple[Sequence[StoredImage], str | None]:
        answer = await self._storage.list_objects(self._bucket, params=params, timeout=LIBRARY_S)
        now = self._store_time
        images = []
        for item in answer.get("items", ()):
            key = item["name"].removeprefix(self._below)
            if now is not None and is_key(key):
                made = datetime.fromisoformat(item["timeCreated"])
                images.append(StoredImage(key, max(0.0, (now - made).total_seconds())))
        return images, answer.get("nextPageToken")

    async def _sign(self, signer: Signer, key: str, begins_s: int) -> str:
        address = unsigned_address(
            self._bucket,
            f"{self._below}{key}",
            await signer.email(),
            begins_at=datetime.fromtimestamp(begins_s, UTC),
            lives_s=2 * WINDOW_S,
        )
        return address.signed(await signer.sign(address.to_sign))

    async def _tried[T](self, work: Callable[[], Awaitable[T]]) -> T:
        return await tried(partial(self._authorized, work), try_s=self._try_s)

    async def _authorized[T](self, work: Callable[[], Awaitable[T]]) -> T:
        if self._uses_token:
            await _refresh(self._token)
        return await work()

    def _new_session(self, connections: int) -> ClientSession:
        """A session that notes the store's time from each answer: the library hides headers."""

        async def note_time(
            _session: ClientSession, _context: SimpleNamespace, answered: TraceRequestEndParams
        ) -> None:
            with contextlib.suppress(ValueError):
                self._store_time = parsedate_to_datetime(answered.response.headers.get("Date", ""))

        noting = TraceConfig()
        noting.on_request_end.append(note_time)
        return ClientSession(connector=TCPConnector(limit=connections), trace_configs=[noting])


class _IamSigner:
    """Lets Google sign where there is no key: the account needs `iam.serviceAccounts.signBlob`."""

    def __init__(self, token: Token) -> None:
        try:
            self._iam = IamClient(token=token)
        except TypeError as error:
            raise CannotSign(CannotSign.__doc__) from error
        self._token = token
        self._email = self._iam.service_account_email

    async def email(self) -> str:
        if self._email is None:
            url = f"{GCE_METADATA_BASE}/instance/service-accounts/default/email"
            answer = await self._token.session.get(url, headers=GCE_METADATA_HEADERS)
            self._email = (await answer.text()).strip()
        return self._email

    async def sign(self, message: bytes) -> bytes:
        await _refresh(self._token)
        answer = await self._iam.sign_blob(
            message,
            service_account_email=await self.email(),
            session=_any(self._token.session.session),
        )
        return decode(answer["signedBlob"])


def _signer_of(token: Token) -> Signer:
    data = token.service_data
    if data.get("client_email") and data.get("private_key"):
        return KeySigner(data["client_email"], data["private_key"])
    return _IamSigner(token)


def _any(session: ClientSession) -> Any:
    """The session as the library's types want it: they name the one of its other edition."""
    return session


async def _refresh(token: Token) -> None:
    """Have a valid token before the library asks for one.

    All callers wait for one refresh, and the library lets one that gives up cancel it for all.
    """
    await asyncio.shield(token.get())
