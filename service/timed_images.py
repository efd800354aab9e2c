"""Time what an image store takes; what it does is the store's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

from prometheus_client import Histogram

from storage.images.contract import Images, StoredImage


class TimedImages:
    """An image store whose reads, writes and removals are observed by `operation`."""

    def __init__(self, images: Images, seconds: Histogram) -> None:
        self._images = images
        self._put, self._get, self._delete = map(seconds.labels, ("put", "get", "delete"))
        # these touch no store, so there is nothing to time
        self.url = images.url
        self.key_of = images.key_of
        self.check = images.check
        self.close = images.close

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """As the store's."""
        with self._put.time():
            await self._images.put(key, body, content_type=content_type)

    async def get(self, key: str, *, max_bytes: int) -> bytes:
        """As the store's."""
        with self._get.time():
            return await self._images.get(key, max_bytes=max_bytes)

    async def delete(self, key: str) -> None:
        """As the store's."""
        with self._delete.time():
            await self._images.delete(key)

    def list(self) -> AsyncIterator[StoredImage]:
        """As the store's; how long it takes is up to who reads it."""
        return self._images.list()
