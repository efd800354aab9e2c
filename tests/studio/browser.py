"""Debian's chromium as the tests drive it, and what a visitor does with the studio."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    FilePayload,
    Locator,
    Page,
    async_playwright,
    expect,
)

# What Playwright turns off, whose own list is replaced, and then what each visitor's window makes
# and nobody sees: suggestions below the address, which cost as much as the studio, and a process.
FEATURES_OFF = [
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
    "SpareRendererForSitePerProcess",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
]
FLAGS = [
    f"--disable-features={','.join(FEATURES_OFF)}",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
RESULT_MS = 60_000
VENDOR = Path(__file__).parent / "vendor"

# Counts what moved by itself: https://web.dev/articles/cls
COUNT_SHIFTS = """
    globalThis.shifts = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            if (entry.hadRecentInput) continue;
            const moved = entry.sources.map((one) => one.node?.className || one.node?.nodeName);
            globalThis.shifts.push([entry.value, ...moved]);
        }
    }).observe({ type: "layout-shift", buffered: true });
"""


def chromium() -> str:
    """The browser's path; without one the tests are skipped, and fail where CI=true."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = "NO BROWSER: the studio was not tested; install one (apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """A browser with a profile of its own."""
    executable = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visitor:
    """A person with a browser profile of their own at one studio."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def forgive(self, *texts: str) -> None:
        """Take out complaints that the test provoked, each of which has to be there."""
        for text in texts:
            assert any(text in complaint for complaint in self.complaints), (text, self.complaints)
            self.complaints = [one for one in self.complaints if text not in one]

    async def open(self, path: str = "/") -> None:
        """Come to the page and wait until it has heard from the service."""
        await self.page.goto(f"{self.base}{path}")
        await expect(self.page.locator("#quota")).to_contain_text("left")

    async def choose(self, file: Path | FilePayload) -> None:
        """Choose a file as the concept image, and wait until it has arrived."""
        known = await self.version_count()
        await self.page.get_by_label("Concept image").set_input_files(file)
        await expect(self.page.locator("#sending")).to_be_hidden()
        if known == 0:
            await expect(self.versions).to_have_count(1)

    async def take_sample(self, title: str) -> None:
        """Begin with a sample."""
        await self.page.get_by_role("button", name=title).click()
        await expect(self.page.locator("#source")).to_contain_text("Original")

    async def ask(self, instruction: str) -> None:
        """Write an instruction and send it."""
        await self.instruction.fill(instruction)
        await self.refine.click()

    async def refine_to_end(self, instruction: str) -> None:
        """Send an instruction and wait for its version."""
        known = await self.version_count()
        await self.ask(instruction)
        verdict = self.page.locator(".verdict")
        ended = self.versions.nth(known).or_(verdict)
        await expect(ended.first).to_be_visible(timeout=RESULT_MS)
        await expect(verdict).to_have_count(0)
        await expect(self.refined).to_be_visible()

    async def version_count(self) -> int:
        """How many versions the strip shows."""
        return await self.versions.count()

    async def token(self) -> str:
        """The bearer token that the page uses."""
        return str(await self.page.evaluate("localStorage.getItem('studio.token')"))

    @property
    def instruction(self) -> Locator:
        """The text box."""
        return self.page.get_by_role("textbox", name="Refinement instruction")

    @property
    def refine(self) -> Locator:
        """The button that sends."""
        return self.page.get_by_role("button", name="Refine")

    @property
    def cancel(self) -> Locator:
        """The button that stops."""
        return self.page.get_by_role("button", name="Cancel")

    @property
    def progress(self) -> Locator:
        """The bar of a running task."""
        return self.page.get_by_role("progressbar", name="Refinement progress")

    @property
    def original(self) -> Locator:
        """The picture before."""
        return self.page.get_by_role("img", name="Original concept")

    @property
    def refined(self) -> Locator:
        """The picture after."""
        return self.page.get_by_role("img", name="Refined concept")

    @property
    def slider(self) -> Locator:
        """The handle between before and after."""
        return self.page.get_by_role("slider", name="Compare")

    @property
    def versions(self) -> Locator:
        """The items of the strip."""
        return self.page.get_by_role("list", name="Versions").get_by_role("listitem")

    @property
    def alert(self) -> Locator:
        """What went wrong, in a sentence."""
        return self.page.locator("#notice")

    def shown(self, name: str) -> Locator:
        """The strip's button of a version."""
        return self.page.get_by_role("button", name=f"Show {name}", exact=True)


@asynccontextmanager
async def visiting(browser: Browser, base: str, **options: Any) -> AsyncIterator[Visitor]:
    """A visitor whose browser must have had nothing to complain about at the end.

    Unless told otherwise they want no motion, for every frame of it is drawn by the processor.
    """
    async with await browser.new_context(**{"reduced_motion": "reduce", **options}) as context:
        await context.add_init_script(COUNT_SHIFTS)
        visitor = Visitor(await context.new_page(), base)
        yield visitor
        assert visitor.complaints == []
