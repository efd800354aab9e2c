"""The engine: from file and words to file and report, in a real child process."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

import numpy as np
import pytest
from PIL import Image

from service.engines.contract import (
    Attempt,
    EngineFailed,
    EngineTimedOut,
    Instruction,
    NothingToApply,
    Refined,
    SourceInvalid,
    SourceTooLarge,
)
from service.engines.embedded.engine import EmbeddedEngine
from service.sandbox import Sandbox
from tests.engines.embedded.pixels import logo
from tests.samples.logos import STUDIO

GIB = 1024**3
SEED = "Make the logo more minimalist and use lighter shades of brown"


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(processes=1, memory_bytes=2 * GIB)
    yield sandbox
    await sandbox.close()


@pytest.fixture(scope="module")
def engine(sandbox: Sandbox) -> EmbeddedEngine:
    return EmbeddedEngine(sandbox)


def png(pixels: np.ndarray) -> bytes:
    body = io.BytesIO()
    Image.fromarray(pixels).save(body, "PNG")
    return body.getvalue()


COFFEE = (STUDIO / "coffee.png").read_bytes()


async def refine(engine: EmbeddedEngine, source: bytes, prompt: str) -> Refined:
    return await engine.refine(source, Instruction(prompt), Attempt())


async def test_the_first_prompt_of_all_gives_a_png_and_an_account_of_both_wishes(
    engine: EmbeddedEngine,
) -> None:
    refined = await refine(engine, COFFEE, SEED)
    picture = Image.open(io.BytesIO(refined.image))
    assert (refined.content_type, picture.format) == ("image/png", "PNG")
    assert (refined.width, refined.height) == picture.size == (1024, 1024)
    assert refined.report["engine"] == engine.name == "embedded/1"
    assert refined.report["outcome"] == "complete"
    assert [edit["op"] for edit in refined.report["applied"]] == ["simplify", "lighten"]
    assert refined.report["palette"]["before"] != refined.report["palette"]["after"]


async def test_the_same_words_on_the_same_file_give_the_same_bytes_in_another_process(
    engine: EmbeddedEngine,
) -> None:
    other = Sandbox(processes=1, memory_bytes=2 * GIB)
    try:
        first = await refine(engine, COFFEE, SEED)
        second = await refine(EmbeddedEngine(other), COFFEE, SEED)
    finally:
        await other.close()
    assert first == second


async def test_progress_grows_and_speaks_to_the_person(engine: EmbeddedEngine) -> None:
    told: list[tuple[float, str]] = []
    attempt = Attempt(progress=lambda fraction, stage: told.append((fraction, stage)))
    await engine.refine(COFFEE, Instruction(SEED), attempt)
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert all(0 <= fraction <= 1 and stage for fraction, stage in told)
    assert len(told) >= 3


async def test_what_cannot_be_done_is_declined_with_a_report_and_no_image(
    engine: EmbeddedEngine,
) -> None:
    with pytest.raises(NothingToApply) as caught:
        await refine(engine, COFFEE, "Add a croissant next to the cup")
    report = caught.value.report
    assert report["outcome"] == "none"
    assert report["applied"] == []
    assert [part["reason"] for part in report["not_applied"]] == ["needs_generative"]
    assert report["palette"]["before"] == report["palette"]["after"]


async def test_a_wish_that_is_fulfilled_already_is_not_claimed(engine: EmbeddedEngine) -> None:
    once = await refine(engine, COFFEE, "Remove the background")
    with pytest.raises(NothingToApply) as caught:
        await refine(engine, once.image, "Remove the background")
    assert caught.value.report["not_applied"][0]["reason"] == "limit"


@pytest.mark.parametrize(
    "source",
    [b"", b"hello", COFFEE[:900], b"\x89PNG\r\n\x1a\n" + b"\0" * 64],
    ids=["empty", "text", "cut short", "only a signature"],
)
async def test_what_is_no_picture_is_refused(engine: EmbeddedEngine, source: bytes) -> None:
    with pytest.raises(SourceInvalid):
        await refine(engine, source, SEED)


async def test_a_picture_of_too_many_pixels_is_refused(engine: EmbeddedEngine) -> None:
    body = io.BytesIO()
    Image.new("L", (6000, 6000)).save(body, "PNG")
    with pytest.raises(SourceTooLarge):
        await refine(engine, body.getvalue(), SEED)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((16, 16, 4), np.uint8),
        np.full((16, 300, 3), 200, np.uint8),
        np.random.default_rng(3).integers(0, 256, (40, 30, 4)).astype(np.uint8),
    ],
    ids=["nothing to see", "one colour", "noise"],
)
@pytest.mark.parametrize("prompt", [SEED, "make the lettering bolder", "crop it, then rotate 30°"])
async def test_odd_pictures_are_refined_or_declined(
    engine: EmbeddedEngine, pixels: np.ndarray, prompt: str
) -> None:
    try:
        report = (await refine(engine, png(pixels), prompt)).report
    except NothingToApply as declined:
        report = declined.report
    assert bool(report["applied"]) == (report["outcome"] != "none")
    assert report["applied"] or report["not_applied"]


async def test_work_beyond_the_deadline_is_given_up(sandbox: Sandbox) -> None:
    with pytest.raises(EngineTimedOut):
        await refine(EmbeddedEngine(sandbox, deadline_s=0.01), COFFEE, SEED)


async def test_work_beyond_the_memory_limit_fails_without_harm() -> None:
    small = Sandbox(processes=1, memory_bytes=40 * 1024**2)
    try:
        with pytest.raises(EngineFailed):
            await refine(EmbeddedEngine(small), COFFEE, SEED)
    finally:
        await small.close()


async def test_cancelling_ends_the_work_and_leaves_the_engine_usable(
    engine: EmbeddedEngine,
) -> None:
    begun = asyncio.Event()
    attempt = Attempt(progress=lambda _fraction, _stage: begun.set())
    work = asyncio.create_task(engine.refine(COFFEE, Instruction(SEED), attempt))
    async with asyncio.timeout(30):
        await begun.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await refine(engine, COFFEE, "remove the background")


async def test_transparency_and_size_are_kept(engine: EmbeddedEngine) -> None:
    source = logo("leaf").render()
    refined = await refine(engine, png(source), "make the green darker")
    after = np.asarray(Image.open(io.BytesIO(refined.image)))
    assert after.shape == source.shape
    assert (after[..., 3] == source[..., 3]).all()
