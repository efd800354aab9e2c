"""Pictures of the studio, for people to look at.

They go to `test-artifacts/`; with SCREENSHOTS_DIR=docs/screenshots the ones of the README are made
anew.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Browser, expect

from tests.processes import ROOT, Process
from tests.scripted import ScriptedEngine
from tests.studio.browser import RESULT_MS, Visitor, visiting

MOST_BYTES = 150_000
DESK = {"width": 1360, "height": 850}
PHONE = {"width": 360, "height": 740}
WALL = {"width": 3840, "height": 2160}
BROWN = "Make it more minimalist and use lighter shades of brown"


@pytest.fixture(scope="session")
def folder() -> Path:
    """Where the pictures go."""
    folder = ROOT / os.environ.get("SCREENSHOTS_DIR", "test-artifacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def keep(visitor: Visitor, file: Path, *, whole: bool = False) -> None:
    """Take a picture of what has come to rest, in few enough bytes for a README."""
    page = visitor.page
    await page.evaluate("document.fonts.ready")
    await page.evaluate(
        """Promise.all([...document.images]
            .filter((one) => one.checkVisibility()) // a hidden lazy one would never come
            .map((one) => one.decode()))"""
    )
    taken = await page.screenshot(full_page=whole, animations="disabled")
    with Image.open(io.BytesIO(taken)) as image:
        seen = image.convert("RGB").reduce(2 if image.width == WALL["width"] else 1)
    small = seen.quantize(160, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    assert file.stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_picture_of_the_start(
    browser: Browser, studio: Process, folder: Path, scheme: Any
) -> None:
    async with visiting(browser, studio.base, viewport=DESK, color_scheme=scheme) as visitor:
        await visitor.open()
        await expect(visitor.page.get_by_role("button", name="Brew & Bean")).to_be_visible()
        await keep(visitor, folder / f"start-{scheme}.png")


@pytest.mark.parametrize(
    ("name", "size", "scheme"),
    [
        ("result-light", DESK, "light"),
        ("result-dark", DESK, "dark"),
        ("result-phone", PHONE, "light"),
        ("result-wall", WALL, "light"),
    ],
)
async def test_a_picture_of_a_result(
    browser: Browser, studio: Process, folder: Path, name: str, size: Any, scheme: Any
) -> None:
    async with visiting(browser, studio.base, viewport=size, color_scheme=scheme) as visitor:
        await visitor.open()
        await visitor.take_sample("Brew & Bean")
        await visitor.refine_to_end(BROWN)
        await visitor.instruction.blur()
        await expect(visitor.page.locator(".report")).to_be_visible()
        await keep(visitor, folder / f"{name}.png", whole=size is PHONE)


async def test_a_picture_of_a_history_with_branches(
    browser: Browser, studio: Process, folder: Path
) -> None:
    async with visiting(browser, studio.base, viewport=DESK) as visitor:
        await visitor.open()
        await visitor.take_sample("Verdant")
        await visitor.refine_to_end("use darker shades of green")
        await visitor.refine_to_end("put it on a cream background")
        await visitor.shown("original").click()
        await visitor.refine_to_end("change green to teal")
        await visitor.page.get_by_role("button", name="Side by side").click()
        await expect(visitor.versions).to_have_count(4)
        await keep(visitor, folder / "history.png")


async def test_a_picture_of_a_transparent_image_seen_closely(
    browser: Browser, studio: Process, folder: Path
) -> None:
    async with visiting(browser, studio.base, viewport=DESK, color_scheme="dark") as visitor:
        await visitor.open()
        await visitor.take_sample("Verdant")
        await visitor.refine_to_end("change green to teal")
        await visitor.page.get_by_role("button", name="Zoom in").click(click_count=3)
        await expect(visitor.page.locator("#zoom-fit")).to_have_text("300%")
        await keep(visitor, folder / "transparent-close.png")


async def test_a_picture_of_a_task_under_way(
    guest: Visitor, engine: ScriptedEngine, folder: Path
) -> None:
    gate = engine.hold()
    await guest.open()
    await guest.take_sample("Lunar Tide")
    await guest.ask("Make the background deep purple")
    await expect(guest.page.locator(".step")).to_have_text("Working on it")
    await keep(guest, folder / "under-way.png")
    gate.set()
    await expect(guest.refined).to_be_visible()


async def test_a_picture_of_what_could_not_be_done(
    browser: Browser, studio: Process, folder: Path
) -> None:
    async with visiting(browser, studio.base, viewport=DESK) as visitor:
        await visitor.open()
        await visitor.take_sample("Nimbus")
        await visitor.ask("Add a cat and translate it to French")
        await expect(visitor.page.locator(".verdict")).to_be_visible(timeout=RESULT_MS)
        await visitor.page.get_by_label("Concept image").set_input_files(
            {"name": "cv.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}
        )
        await expect(visitor.alert).to_be_visible()
        await keep(visitor, folder / "not-done.png")
