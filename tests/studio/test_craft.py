"""Whether the studio is well made: fast, light, steady, and open to everybody."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Browser, Page, expect

from service.engines.contract import Instruction
from service.engines.embedded.apply import apply
from service.engines.embedded.language import read
from tests.processes import Process
from tests.samples.logos import STUDIO as SAMPLES
from tests.scripted import ScriptedEngine
from tests.studio.browser import RESULT_MS, VENDOR, Visitor, visiting

MOST_BYTES = 150_000
MOST_PAINT_MS = 1_000
MOST_SHIFT = 0.01
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
WALL = {"width": 3840, "height": 2160}

MEASURE = """() => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const all = performance.getEntriesByType("resource")
        .concat(performance.getEntriesByType("navigation"));
    return [paint.startTime, all.reduce((sum, one) => sum + one.transferSize, 0)];
}"""
RUN_AXE = """async () => {
    const {violations} = await axe.run(document, {resultTypes: ["violations"]});
    return violations.map((one) => [one.id, one.help, one.nodes.map((node) => node.html)]);
}"""


async def test_the_page_is_painted_within_a_second_and_light(
    browser: Browser, studio: Process
) -> None:
    visits = []
    for _ in range(3):
        async with visiting(browser, studio.base) as newcomer:
            await newcomer.open()
            await newcomer.page.wait_for_load_state("networkidle")
            visits.append(await newcomer.page.evaluate(MEASURE))
    # the best of three: this is about the page, not about what else the machine does
    paint_ms, sent_bytes = min(visits)
    print(f"first contentful paint {paint_ms:.0f} ms, {sent_bytes} bytes in all")
    assert paint_ms < MOST_PAINT_MS
    assert sent_bytes < MOST_BYTES


async def test_the_page_asks_no_other_host(browser: Browser, studio: Process) -> None:
    asked: set[str] = set()
    async with visiting(browser, studio.base) as visitor:
        visitor.page.on("request", lambda request: asked.add(request.url))
        await visitor.open()
        await visitor.take_sample("Verdant")
        await visitor.refine_to_end("use darker shades of green")
    assert {url for url in asked if not url.startswith((studio.base, "blob:"))} == set()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_nothing_moves_by_itself_on_the_way_to_a_result(
    browser: Browser, studio: Process, size: Any
) -> None:
    async with visiting(
        browser, studio.base, viewport=size, reduced_motion="no-preference"
    ) as visitor:
        await visitor.open()
        await visitor.take_sample("Brew & Bean")
        await visitor.refine_to_end("use lighter shades of brown")
        await visitor.page.reload()
        await expect(visitor.refined).to_be_visible()
        shifts = await visitor.page.evaluate("globalThis.shifts")
        assert sum(shift[0] for shift in shifts) < MOST_SHIFT, shifts


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_axe_finds_nothing_in_any_state(
    browser: Browser, studio: Process, scheme: str, size: Any
) -> None:
    async with visiting(browser, studio.base, viewport=size, color_scheme=scheme) as visitor:
        await visitor.page.add_init_script(path=VENDOR / "axe.min.js")
        await visitor.open()
        assert await visitor.page.evaluate(RUN_AXE) == []
        await visitor.refine.click()
        await visitor.page.get_by_text("Describe it, or keep parts").click()
        assert await visitor.page.evaluate(RUN_AXE) == []
        await visitor.take_sample("Verdant")
        await visitor.refine_to_end("use darker shades of green and add a cat")
        assert await visitor.page.evaluate(RUN_AXE) == []
        await visitor.page.get_by_role("button", name="Side by side").click()
        await visitor.ask("add a cat")
        await expect(visitor.page.locator(".verdict")).to_be_visible(timeout=RESULT_MS)
        assert await visitor.page.evaluate(RUN_AXE) == []
        await visitor.page.get_by_role("button", name="Delete").click()
        assert await visitor.page.evaluate(RUN_AXE) == []
        await visitor.page.keyboard.press("Escape")
        await visitor.page.get_by_role("button", name="All concepts", exact=True).click()
        await expect(visitor.page.get_by_text("Your concepts")).to_be_visible()
        assert await visitor.page.evaluate(RUN_AXE) == []


async def test_axe_finds_nothing_in_mid_task(guest: Visitor, engine: ScriptedEngine) -> None:
    gate = engine.hold()
    await guest.page.add_init_script(path=VENDOR / "axe.min.js")
    await guest.open()
    await guest.take_sample("Verdant")
    await guest.ask("make it warmer")
    await expect(guest.progress).to_be_visible()
    assert await guest.page.evaluate(RUN_AXE) == []
    gate.set()
    await expect(guest.refined).to_be_visible()


async def test_the_keyboard_alone_leads_to_a_result_and_through_it(visitor: Visitor) -> None:
    keyboard = visitor.page.keyboard
    await visitor.open()
    await _tab_to(visitor.page, "Verdant")
    await keyboard.press("Enter")
    await expect(visitor.instruction).to_be_focused()
    await keyboard.type("use darker shades of green")
    await keyboard.press("Control+Enter")
    await expect(visitor.refined).to_be_visible(timeout=RESULT_MS)
    await expect(visitor.instruction).to_be_focused()
    await _tab_to(visitor.page, "Compare", backwards=True)
    await keyboard.press("ArrowLeft")
    await expect(visitor.slider).to_have_value("49")
    await expect(visitor.slider).to_have_attribute("aria-valuetext", "49% before, 51% after")
    await _tab_to(visitor.page, "Show original")
    await keyboard.press("Enter")
    await expect(visitor.page.locator("#source")).to_contain_text("Original")
    await _tab_to(visitor.page, "Delete", backwards=True)
    await keyboard.press("Enter")
    await expect(visitor.page.get_by_role("button", name="Keep it")).to_be_focused()
    await keyboard.press("Escape")
    await expect(visitor.page.get_by_role("button", name="Delete")).to_be_focused()


@pytest.mark.parametrize("size", [PHONE, DESK, WALL], ids=["phone", "desk", "wall"])
async def test_the_page_fits_its_window(browser: Browser, studio: Process, size: Any) -> None:
    async with visiting(browser, studio.base, viewport=size) as visitor:
        await visitor.open()
        await _assert_fits(visitor.page)
        await visitor.take_sample("Northwood")
        await visitor.refine_to_end("use lighter shades of green")
        await _assert_fits(visitor.page)
        text = visitor.page.locator(".report q").first
        size_px = await text.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)")
        assert size_px >= size["width"] / 200


async def test_whoever_wants_no_motion_sees_none(browser: Browser, studio: Process) -> None:
    async with visiting(browser, studio.base, reduced_motion="reduce") as visitor:
        await visitor.open()
        await visitor.take_sample("Verdant")
        await visitor.refine_to_end("use darker shades of green")
        assert await visitor.page.evaluate("document.getAnimations().length") == 0


async def test_a_transparent_picture_stands_on_a_checkerboard(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Verdant")
    background = await visitor.original.evaluate("(one) => getComputedStyle(one).backgroundImage")
    assert background.startswith("repeating-conic-gradient")


async def test_the_suggestions_are_what_the_engine_does(visitor: Visitor) -> None:
    await visitor.open()
    samples, phrases = await visitor.page.evaluate(
        "import('./studio/scripts/samples.js').then((all) => [all.SAMPLES, all.SUGGESTIONS])"
    )
    for phrase in phrases:
        plan = read(Instruction(phrase))
        assert plan.edits, phrase
        assert plan.declined == (), phrase
    for sample in samples:
        source = _smaller(SAMPLES / f"{sample['name']}.png")
        for phrase in sample["suggestions"]:
            instruction = Instruction(phrase, sample["logo"], sample["theme"])
            report = apply(source, instruction).report
            assert report["outcome"] == "complete", (sample["name"], phrase, json.dumps(report))


async def test_no_colour_is_suggested_that_a_version_has_no_more(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Brew & Bean")
    suggestions = visitor.page.get_by_role("group", name="Suggestions")
    await expect(suggestions).to_contain_text("shades of brown")
    await visitor.refine_to_end("change brown to teal")
    await expect(suggestions).not_to_contain_text("brown")
    await expect(suggestions.get_by_role("button")).to_have_count(4)
    await visitor.shown("original").click()
    await expect(suggestions).to_contain_text("shades of brown")


def _smaller(sample: Path) -> bytes:
    """The sample with a quarter of its pixels, to save the engine's time."""
    body = io.BytesIO()
    with Image.open(sample) as image:
        image.reduce(2).save(body, "PNG")
    return body.getvalue()


async def _tab_to(page: Page, name: str, *, backwards: bool = False) -> None:
    """Press Tab until the focus is on what has this accessible name."""
    seen = []
    for _ in range(60):
        await page.keyboard.press("Shift+Tab" if backwards else "Tab")
        focused = await page.evaluate(
            """() => {
                const one = document.activeElement;
                return one.getAttribute("aria-label") ?? one.textContent.trim();
            }"""
        )
        if focused == name:
            return
        seen.append(focused)
    raise AssertionError(f"no way by Tab to {name}: {seen}")


async def _assert_fits(page: Page) -> None:
    wide, window = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= window
