"""An open model redraws a picture, tells how far it is, and stops when it is told to."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from service.engines.contract import Attempt, EngineRefused, EngineTimedOut, Instruction
from service.engines.diffusion.engine import DiffusionEngine
from service.engines.diffusion.families import FAMILIES
from service.sandbox import Sandbox
from tests.engines.diffusion import tiny
from tests.engines.hosted.pictures import a_logo, opened

# it is not in the lock files: which build of torch suits depends on the machine
LEFT_OUT = "NOT TESTED: models on a GPU of one's own; pip install '.[diffusers]' first"
diffusers = pytest.importorskip("diffusers", reason=LEFT_OUT)
pytest.importorskip("torch", reason=LEFT_OUT)
pytest.importorskip("transformers", reason=LEFT_OUT)

# attention on a CPU is slow whatever the weights
STEPS = 6
PIX2PIX, KONTEXT = "StableDiffusionInstructPix2PixPipeline", "FluxKontextPipeline"
QUICK = {
    PIX2PIX: replace(FAMILIES[PIX2PIX], steps=STEPS),
    KONTEXT: replace(FAMILIES[KONTEXT], steps=2, canvases=FAMILIES[KONTEXT].canvases[:1]),
}
WISH = Instruction("Make it blue", logo_description="a cup " * 60)


@pytest.fixture(scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(processes=1, memory_bytes=1024 * 1024 * 1024)
    yield sandbox
    await sandbox.close()


@pytest.fixture(scope="session")
def pix2pix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.instruct_pix2pix(tmp_path_factory.mktemp("pix2pix"))


def engine_of(sandbox: Sandbox, model: Path | str, deadline_s: float = 300) -> DiffusionEngine:
    return DiffusionEngine(sandbox, str(model), "cpu", deadline_s=deadline_s, families=QUICK)


@pytest.mark.parametrize("transparent", [False, True])
async def test_a_model_redraws_the_picture_at_its_size(
    sandbox: Sandbox, pix2pix: Path, transparent: bool
) -> None:
    told: list[tuple[float, str]] = []
    engine = engine_of(sandbox, pix2pix)
    source = a_logo(transparent=transparent)
    refined = await engine.refine(source, WISH, Attempt(lambda *step: told.append(step)))
    image = opened(refined.image)
    assert image.size == opened(source).size
    assert ("A" in image.mode) is transparent
    assert refined.report["engine"] == "diffusers/model"
    assert refined.report["palette"]["after"]
    drawing = [fraction for fraction, stage in told if stage == "The image model is drawing"]
    assert len(drawing) == STEPS
    assert drawing == sorted(drawing)
    await engine.close()


async def test_the_same_wish_gives_the_same_picture(sandbox: Sandbox, pix2pix: Path) -> None:
    engine = engine_of(sandbox, pix2pix)
    first = await engine.refine(a_logo(), WISH, Attempt())
    assert (await engine.refine(a_logo(), WISH, Attempt())).image == first.image


async def test_a_flux_kontext_pipeline_is_called_as_it_wants(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    engine = engine_of(sandbox, tiny.flux_kontext(tmp_path))
    refined = await engine.refine(a_logo(), WISH, Attempt())
    assert opened(refined.image).size == opened(a_logo()).size
    assert refined.report["warnings"] == []


async def test_a_cancelled_call_stops_at_the_next_step_and_the_next_call_works(
    sandbox: Sandbox, pix2pix: Path
) -> None:
    engine = engine_of(sandbox, pix2pix)
    drawing = asyncio.Event()
    steps = 0

    def tell(_fraction: float, stage: str) -> None:
        nonlocal steps
        if stage == "The image model is drawing":
            steps += 1
            drawing.set()

    call = asyncio.create_task(engine.refine(a_logo(), WISH, Attempt(tell)))
    async with asyncio.timeout(120):
        await drawing.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert steps < STEPS
    assert (await engine.refine(a_logo(), WISH, Attempt())).image


async def test_a_picture_that_takes_too_long_is_given_up(sandbox: Sandbox, pix2pix: Path) -> None:
    with pytest.raises(EngineTimedOut):
        await engine_of(sandbox, pix2pix, deadline_s=0.5).refine(a_logo(), WISH, Attempt())


@pytest.mark.parametrize("make", [tiny.text_to_image, lambda folder: folder / "missing"])
async def test_a_model_that_cannot_edit_or_is_not_there_refuses(
    sandbox: Sandbox, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    with pytest.raises(EngineRefused):
        await engine_of(sandbox, make(tmp_path)).refine(a_logo(), WISH, Attempt())


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_called_with_arguments_that_it_has(name: str) -> None:
    family = FAMILIES[name]
    taken = inspect.signature(getattr(diffusers, name).__call__).parameters
    given = {"image", "prompt", "num_inference_steps", "generator", "callback_on_step_end"}
    assert given | family.arguments.keys() | set(family.size_names) <= taken.keys()
    assert all(size.width % 8 == size.height % 8 == 0 for size in family.canvases)
