"""How the bucket's backend bears what a network and a busy service do to it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from storage.images.contract import (
    ImageMissing,
    ImageStoreUnavailable,
    ImageTooLarge,
    StoredImage,
)
from storage.images.gcs import GcsImages
from tests.storage.images.gcs_stub import (
    BUCKET,
    PAGE_OBJECTS,
    Fault,
    GcsStub,
    answers,
    garbles,
    gcs_stub,
    hangs,
    loses_the_answer,
    resets,
    speaks_no_http,
    stops_half_way,
)

TRY_S = 0.4
KEY = f"{uuid4()}/{uuid4()}.png"
NAME = f"some/prefix/{KEY}"
BODY = os.urandom(100_000)

PASSING = {
    "408": answers(408),
    "429": answers(429),
    "500": answers(500),
    "502": answers(502),
    "503": answers(503),
    "504": answers(504),
    "reset": resets,
    "hang": hangs,
    "lost answer": loses_the_answer,
}
passing = pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)


@pytest.fixture
async def stub() -> AsyncIterator[GcsStub]:
    """The service."""
    async with gcs_stub() as stub:
        yield stub


@pytest.fixture
async def images(stub: GcsStub) -> AsyncIterator[GcsImages]:
    """A store in the stub's bucket."""
    images = GcsImages(BUCKET, "some/prefix", api_root=stub.url)
    try:
        yield images
    finally:
        await images.close()


@pytest.fixture
async def hasty(stub: GcsStub) -> AsyncIterator[GcsImages]:
    """The same store, giving up a try sooner."""
    images = GcsImages(BUCKET, "some/prefix", api_root=stub.url, try_s=TRY_S)
    try:
        yield images
    finally:
        await images.close()


@passing
async def test_a_put_survives_a_passing_fault(
    stub: GcsStub, hasty: GcsImages, fault: Fault
) -> None:
    stub.faults = [fault]
    await hasty.put(KEY, BODY, content_type="image/webp")
    assert stub.objects == {NAME: (BODY, "image/webp")}
    assert len(stub.requests) == 2


@passing
async def test_a_get_survives_a_passing_fault(
    stub: GcsStub, hasty: GcsImages, fault: Fault
) -> None:
    stub.objects[NAME] = (BODY, "image/png")
    stub.faults = [fault]
    assert await hasty.get(KEY, max_bytes=len(BODY)) == BODY


@passing
async def test_a_delete_survives_a_passing_fault(
    stub: GcsStub, hasty: GcsImages, fault: Fault
) -> None:
    stub.objects[NAME] = (BODY, "image/png")
    stub.faults = [fault]
    await hasty.delete(KEY)
    assert stub.objects == {}


@passing
async def test_a_listing_survives_a_passing_fault(
    stub: GcsStub, hasty: GcsImages, fault: Fault
) -> None:
    stub.objects[NAME] = (BODY, "image/png")
    stub.faults = [fault]
    assert [image.key async for image in hasty.list()] == [KEY]


@pytest.mark.parametrize("fault", [garbles, speaks_no_http])
async def test_an_image_is_stored_once_whatever_the_answer_was(
    stub: GcsStub, images: GcsImages, fault: Fault
) -> None:
    stub.faults = [fault]
    if fault is garbles:
        await images.put(KEY, BODY, content_type="image/png")
        assert stub.objects == {NAME: (BODY, "image/png")}
    else:
        with pytest.raises(ImageStoreUnavailable):
            await images.put(KEY, BODY, content_type="image/png")


async def test_half_a_body_is_never_taken_for_an_image(stub: GcsStub, images: GcsImages) -> None:
    stub.objects[NAME] = (BODY, "image/png")
    stub.faults = [stops_half_way]
    assert await images.get(KEY, max_bytes=len(BODY)) == BODY
    stub.faults = [stops_half_way] * 10
    with pytest.raises(ImageStoreUnavailable):
        await images.get(KEY, max_bytes=len(BODY))


async def test_a_page_that_is_no_listing_is_an_outage(stub: GcsStub, images: GcsImages) -> None:
    stub.faults = [garbles] * 10
    with pytest.raises(ImageStoreUnavailable):
        assert [image async for image in images.list()] == []


@pytest.mark.parametrize("fault", [answers(503), resets], ids=["503", "reset"])
async def test_the_tries_are_few(stub: GcsStub, images: GcsImages, fault: Fault) -> None:
    stub.faults = [fault] * 20
    with pytest.raises(ImageStoreUnavailable):
        await images.put(KEY, BODY, content_type="image/png")
    assert 2 <= len(stub.requests) <= 5


async def test_a_service_that_never_answers_is_given_up_in_time(
    stub: GcsStub, hasty: GcsImages
) -> None:
    stub.faults = [hangs] * 20
    async with asyncio.timeout(20 * TRY_S):
        with pytest.raises(ImageStoreUnavailable):
            await hasty.get(KEY, max_bytes=100)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 501])
async def test_a_refusal_is_not_tried_again(stub: GcsStub, images: GcsImages, status: int) -> None:
    stub.faults = [answers(status)] * 20
    with pytest.raises(ImageStoreUnavailable):
        await images.put(KEY, BODY, content_type="image/png")
    assert len(stub.requests) == 1


async def test_a_check_asks_once(stub: GcsStub, images: GcsImages) -> None:
    stub.faults = [answers(503)]
    with pytest.raises(ImageStoreUnavailable):
        await images.check()
    await images.check()
    assert len(stub.requests) == 2


async def test_a_name_that_is_taken_keeps_its_image(stub: GcsStub, images: GcsImages) -> None:
    stub.objects[NAME] = (b"first", "image/png")
    await images.put(KEY, b"second", content_type="image/png")
    assert stub.objects[NAME] == (b"first", "image/png")


async def test_a_large_image_is_sent_in_one_request(stub: GcsStub, images: GcsImages) -> None:
    body = os.urandom(10 * 1024**2)
    await images.put(KEY, body, content_type="image/png")
    assert stub.objects[NAME] == (body, "image/png")
    assert len(stub.requests) == 1


async def test_no_more_than_allowed_is_read(stub: GcsStub, images: GcsImages) -> None:
    stub.objects[NAME] = (bytes(1001), "image/png")
    with pytest.raises(ImageTooLarge):
        await images.get(KEY, max_bytes=1000)
    assert len(stub.requests) == 1


async def test_a_missing_bucket_is_not_a_missing_image(stub: GcsStub, images: GcsImages) -> None:
    with pytest.raises(ImageMissing):
        await images.get(KEY, max_bytes=100)
    elsewhere = GcsImages("no-such-bucket", "some/prefix", api_root=stub.url)
    with pytest.raises(ImageStoreUnavailable):
        await elsewhere.get(KEY, max_bytes=100)
    await elsewhere.close()


async def test_a_listing_goes_through_every_page_and_counts_by_the_store_s_clock(
    stub: GcsStub, images: GcsImages
) -> None:
    keys = {f"{uuid4()}/{uuid4()}.png" for _ in range(2 * PAGE_OBJECTS + 1)}
    for key in keys:
        stub.objects[f"some/prefix/{key}"] = (b"body", "image/png")
    stub.objects["some/prefix/"] = (b"", "text/plain")
    stub.objects["some/prefix/notes.txt"] = (b"of the operator", "text/plain")
    listed = [image async for image in images.list()]
    assert sorted(listed, key=lambda image: image.key) == [
        StoredImage(key, 7200.0) for key in sorted(keys)
    ]


async def test_a_cancelled_put_ends_at_once(stub: GcsStub, images: GcsImages) -> None:
    stub.faults = [hangs]
    putting = asyncio.create_task(images.put(KEY, BODY, content_type="image/png"))
    async with asyncio.timeout(5):
        await stub.asked.wait()
        putting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await putting
