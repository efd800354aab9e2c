"""What goes in comes out, and what cannot is refused before it is sent."""

from __future__ import annotations

import pytest

from queueing.contract import (
    MAX_ATTRIBUTE_BYTES,
    MAX_ATTRIBUTE_NAME_BYTES,
    MAX_ATTRIBUTES,
    MAX_MESSAGE_BYTES,
    Message,
    MessageTooLarge,
)
from tests.queueing.backends import Backend
from tests.queueing.handling import Recorder, consuming, messages

BODIES = [
    b"",
    b"\x00",
    b"\xff\xfe\x80",
    bytes(range(256)),
    "Ünïcödé \U0001f3a8".encode(),
    b"a" * 70_000,
]


async def test_bodies_come_out_byte_for_byte(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    await queue.publish(messages(BODIES))
    async with consuming(queue, recorder):
        await recorder.until_handled(len(BODIES))
    assert sorted(message.body for message in recorder.seen) == sorted(BODIES)


async def test_attributes_come_out_as_they_went_in(backend: Backend) -> None:
    # The names are those that a client library's own parameters could swallow.
    attributes = {
        "data": "1",
        "ordering_key": "2",
        "self": "3",
        "naïve — 名前": "värde 🎨",
        "empty": "",
    }
    queue, recorder = await backend.open(), Recorder()
    await queue.publish(
        [Message(b"with", attributes), Message(b"", {"only": "this"}), Message(b"")]
    )
    async with consuming(queue, recorder):
        await recorder.until_handled(3)
    got = sorted((dict(message.attributes) for message in recorder.seen), key=len)
    assert got == [{}, {"only": "this"}, attributes]


async def test_the_first_delivery_is_number_one(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    await queue.publish([Message(b"mine", delivery=7)])
    async with consuming(queue, recorder):
        await recorder.until_handled(1)
    assert recorder.seen == [Message(b"mine", {}, delivery=1)]


# aiohttp warns of bodies that take the loop long to encode; this one does, and may.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_message_of_the_largest_size_is_carried(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    largest = Message(b"x" * (MAX_MESSAGE_BYTES - 2), {"k": "v"})
    await queue.publish([largest])
    async with consuming(queue, recorder):
        await recorder.until_handled(1)
    assert recorder.seen == [largest]


TOO_LARGE = {
    "body": Message(b"x" * (MAX_MESSAGE_BYTES + 1)),
    "body and attributes": Message(b"x" * (MAX_MESSAGE_BYTES - 1), {"k": "v"}),
    "attributes": Message(b"", {str(n): "" for n in range(MAX_ATTRIBUTES + 1)}),
    "name": Message(b"", {"é" * (MAX_ATTRIBUTE_NAME_BYTES // 2) + "x": ""}),
    "value": Message(b"", {"k": "é" * (MAX_ATTRIBUTE_BYTES // 2) + "x"}),
}


@pytest.mark.parametrize("too_large", TOO_LARGE.values(), ids=TOO_LARGE.keys())
async def test_one_message_too_large_and_nothing_of_the_call_is_sent(
    backend: Backend, too_large: Message
) -> None:
    queue, recorder = await backend.open(), Recorder()
    with pytest.raises(MessageTooLarge, match="larger than the queue carries"):
        await queue.publish([Message(b"good"), too_large])
    await queue.publish([Message(b"after")])
    async with consuming(queue, recorder):
        await recorder.until_handled(1)
    assert recorder.counts() == {b"after": 1}


async def test_as_many_and_as_long_attributes_as_allowed_are_carried(backend: Backend) -> None:
    attributes = {
        f"{n:0{MAX_ATTRIBUTE_NAME_BYTES}}": "v" * MAX_ATTRIBUTE_BYTES for n in range(MAX_ATTRIBUTES)
    }
    queue, recorder = await backend.open(), Recorder()
    await queue.publish([Message(b"", attributes)])
    async with consuming(queue, recorder):
        await recorder.until_handled(1)
    assert recorder.seen == [Message(b"", attributes)]


async def test_publishing_nothing_is_done_at_once(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    await queue.publish([])
    await queue.publish([Message(b"something")])
    async with consuming(queue, recorder):
        await recorder.until_handled(1)
    assert recorder.counts() == {b"something": 1}


async def test_what_the_publisher_changes_later_is_not_sent(backend: Backend) -> None:
    queue, recorder = await backend.open(), Recorder()
    attributes = {"colour": "brown"}
    await queue.publish([Message(b"", attributes)])
    attributes["colour"] = "green"
    async with consuming(queue, recorder):
        await recorder.until_handled(1)
    assert recorder.seen[0].attributes == {"colour": "brown"}


async def test_two_queues_are_apart(backend: Backend) -> None:
    here, there = await backend.open(), await backend.open_other()
    at_home, abroad = Recorder(), Recorder()
    await here.publish([Message(b"here")])
    await there.publish([Message(b"there")])
    async with consuming(here, at_home), consuming(there, abroad):
        await at_home.until_handled(1)
        await abroad.until_handled(1)
    assert (at_home.counts(), abroad.counts()) == ({b"here": 1}, {b"there": 1})


async def test_an_open_queue_passes_its_check(backend: Backend) -> None:
    await (await backend.open()).check()
