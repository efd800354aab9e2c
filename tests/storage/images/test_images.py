"""The promises of the image store, on every backend."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tracemalloc
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from aiohttp import ClientSession, DummyCookieJar

from storage.images.contract import (
    ImageMissing,
    Images,
    ImageStoreUnavailable,
    ImageTooLarge,
    StoredImage,
)
from tests.storage.images.backends import Backend

PNG = "image/png"
MB = 1024 * 1024


def a_key(suffix: str = ".png") -> str:
    """A name that nobody has used."""
    return f"{uuid4()}/{uuid4()}{suffix}"


async def keys_in(images: Images) -> set[str]:
    """The keys of a listing."""
    return {image.key async for image in images.list()}


@pytest.mark.parametrize("length", [1, 65_536, 5 * MB + 1])
async def test_what_was_put_is_read_back(images: Images, length: int) -> None:
    key, body = a_key(), os.urandom(length)
    await images.put(key, body, content_type=PNG)
    assert await images.get(key, max_bytes=length) == body


async def test_an_unknown_key_is_missing(images: Images) -> None:
    with pytest.raises(ImageMissing):
        await images.get(a_key(), max_bytes=MB)


async def test_a_larger_image_than_allowed_is_refused(images: Images) -> None:
    key = a_key()
    await images.put(key, bytes(1001), content_type=PNG)
    with pytest.raises(ImageTooLarge):
        await images.get(key, max_bytes=1000)


async def test_a_deleted_image_is_missing_and_may_be_deleted_again(images: Images) -> None:
    key = a_key()
    await images.put(key, b"body", content_type=PNG)
    await images.delete(key)
    await images.delete(key)
    with pytest.raises(ImageMissing):
        await images.get(key, max_bytes=MB)
    assert await keys_in(images) == set()


async def test_the_same_image_may_be_put_twice(images: Images) -> None:
    key = a_key()
    for _ in range(2):
        await images.put(key, b"body", content_type=PNG)
    assert await images.get(key, max_bytes=MB) == b"body"
    assert await keys_in(images) == {key}


async def test_a_second_process_sees_what_the_first_one_stored(backend: Backend) -> None:
    key = a_key()
    await backend.images.put(key, b"body", content_type=PNG)
    async with backend.another() as another:
        assert await another.get(key, max_bytes=MB) == b"body"
        await another.delete(key)
    with pytest.raises(ImageMissing):
        await backend.images.get(key, max_bytes=MB)


async def test_simultaneous_puts_all_arrive(images: Images) -> None:
    bodies = {a_key(): os.urandom(100_000) for _ in range(24)}
    async with asyncio.TaskGroup() as group:
        for key, body in bodies.items():
            group.create_task(images.put(key, body, content_type=PNG))
    for key, body in bodies.items():
        assert await images.get(key, max_bytes=MB) == body
    assert await keys_in(images) == set(bodies)


async def test_a_reader_sees_a_whole_image_or_none(backend: Backend) -> None:
    async with backend.another() as another:

        async def read_until_it_is_there(key: str, body: bytes) -> None:
            while True:
                with contextlib.suppress(ImageMissing):
                    assert await another.get(key, max_bytes=8 * MB) == body
                    return

        for _ in range(5):
            key, body = a_key(), os.urandom(8 * MB)
            async with asyncio.TaskGroup() as group:
                group.create_task(read_until_it_is_there(key, body))
                group.create_task(backend.images.put(key, body, content_type=PNG))


async def test_a_listing_has_every_image_with_its_age(images: Images) -> None:
    keys = {a_key(), a_key("-1.png"), a_key("-12-source.webp")}
    assert await keys_in(images) == set()
    for key in keys:
        await images.put(key, b"body", content_type=PNG)
    listed: list[StoredImage] = [image async for image in images.list()]
    assert {image.key for image in listed} == keys
    assert len(listed) == 3
    assert all(0 <= image.age_s < 60 for image in listed)


async def test_a_listing_has_nothing_that_is_not_ours(backend: Backend) -> None:
    key = a_key()
    await backend.images.put(key, b"body", content_type=PNG)
    backend.clutter()
    assert await keys_in(backend.images) == {key}


@pytest.mark.parametrize(
    ("suffix", "content_type"),
    [(".png", "image/png"), (".jpg", "image/jpeg"), (".webp", "image/webp")],
)
async def test_an_address_shows_the_image_to_anyone_who_has_it(
    images: Images, suffix: str, content_type: str
) -> None:
    key, body = a_key(suffix), os.urandom(3000)
    await images.put(key, body, content_type=content_type)
    async with (
        ClientSession(cookie_jar=DummyCookieJar()) as browser,
        browser.get(await images.url(key)) as shown,
    ):
        assert shown.status == 200
        assert shown.content_type == content_type
        assert await shown.read() == body


async def test_an_address_is_the_same_on_every_instance(backend: Backend) -> None:
    key = a_key()
    async with backend.another() as another:
        assert await backend.images.url(key) == await another.url(key)


async def test_an_address_leads_back_to_its_key_and_no_other(backend: Backend) -> None:
    key = a_key()
    url = await backend.images.url(key)
    async with backend.another() as another:
        assert another.key_of(url) == key
    assert backend.images.key_of(url.partition("?")[0]) == key
    assert backend.images.key_of(url.replace(key, a_key())) != key
    assert backend.images.key_of(url.replace("http://", "https://")) is None
    assert backend.images.key_of(url.replace(key, f"{key}/more")) is None


USER = "00000000-0000-4000-8000-000000000001"
NAME = "00000000-0000-4000-8000-000000000002"
NO_KEYS = {
    "empty": "",
    "dot": ".",
    "dots": "..",
    "absolute": "/etc/passwd",
    "out of the folder": "../secrets/jwt",
    "out of the user's folder": f"{USER}/../../secrets/jwt",
    "into the folder again": f"../images/{USER}/{NAME}.png",
    "two slashes": f"{USER}//{NAME}.png",
    "a slash at the end": f"{USER}/{NAME}.png/",
    "NUL": f"{USER}/{NAME}.png\x00",
    "a line's end": f"{USER}/{NAME}.png\n",
    "a backslash": f"{USER}\\{NAME}.png",
    "deeper": f"{USER}/{NAME}/{NAME}.png",
    "no suffix": f"{USER}/{NAME}",
    "capitals": f"{USER}/{NAME}.PNG",
    "too long": f"{USER}/{NAME}" + ".png" * 100,
    "percent": f"{USER}/{NAME}%2epng",
    "half a character": f"{USER}/{NAME}.\udcff",
    "digits of another script": f"{USER}/{NAME}.p\u0661g",
}


@pytest.mark.parametrize("key", NO_KEYS.values(), ids=NO_KEYS)
async def test_what_is_no_key_is_never_stored_found_or_removed(images: Images, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await images.put(key, b"body", content_type=PNG)
    with pytest.raises(ImageMissing):
        await images.get(key, max_bytes=MB)
    await images.delete(key)
    assert await keys_in(images) == set()


@pytest.mark.parametrize(
    "use",
    [
        lambda images: images.check(),
        lambda images: images.put(a_key(), b"body", content_type=PNG),
        lambda images: images.get(a_key(), max_bytes=MB),
        lambda images: images.delete(a_key()),
        keys_in,
    ],
    ids=["check", "put", "get", "delete", "list"],
)
async def test_a_store_out_of_reach_says_so(
    backend: Backend, use: Callable[[Images], Awaitable[object]]
) -> None:
    async with backend.unreachable() as images:
        with pytest.raises(ImageStoreUnavailable):
            await use(images)


async def test_a_store_within_reach_passes_its_check(images: Images) -> None:
    await images.check()


async def test_a_store_may_be_closed_twice(backend: Backend) -> None:
    async with backend.another() as another:
        await another.close()
        await another.close()


async def test_ten_megabytes_are_stored_with_little_memory(images: Images) -> None:
    """Counted on top of the caller's own bytes; the service as a whole may take 40 MB."""
    body = os.urandom(10 * MB)
    tracemalloc.start()
    try:
        await images.put(a_key(), body, content_type=PNG)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 16 * MB


async def test_ten_megabytes_are_read_with_little_memory(images: Images) -> None:
    """Counted with the bytes that are handed out."""
    key = a_key()
    await images.put(key, bytes(10 * MB), content_type=PNG)
    tracemalloc.start()
    try:
        await images.get(key, max_bytes=10 * MB)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 34 * MB
