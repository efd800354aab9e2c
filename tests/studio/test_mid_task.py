"""While a task runs: reload, stop, join, lose the connection, find it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Request, Route, expect

from service.sandbox import Sandbox
from tests.api.harness import Service, User, running_service
from tests.scripted import Flaky, ScriptedEngine
from tests.studio.browser import RESULT_MS, Visitor, visiting
from tests.studio.wire import Wire


async def test_progress_shows_what_the_engine_is_doing(
    guest: Visitor, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    await guest.open()
    await guest.take_sample("Verdant")
    await guest.ask("make it warmer")
    await expect(guest.page.locator(".step")).to_have_text("Working on it")
    await expect(guest.progress).to_have_attribute("aria-valuenow", "50")
    await expect(guest.page.locator("#announcer")).to_have_text("Working on it")
    await expect(guest.refine).to_have_attribute("aria-disabled", "true")
    gate.set()
    await expect(guest.versions).to_have_count(2)
    await expect(guest.progress).to_have_count(0)
    await expect(guest.instruction).to_have_value("")


async def test_a_reload_in_mid_task_goes_on_with_it(guest: Visitor, engine: ScriptedEngine) -> None:
    gate = engine.hold()
    await guest.open()
    await guest.take_sample("Verdant")
    await guest.ask("make it warmer")
    await expect(guest.page.locator(".step")).to_have_text("Working on it")
    await guest.page.reload()
    await expect(guest.page.locator(".step")).to_have_text("Working on it")
    await expect(guest.page.locator(".progress .wish")).to_have_text("“make it warmer”")
    await expect(guest.original).to_be_visible()
    gate.set()
    await expect(guest.versions).to_have_count(2)
    assert len(engine.calls) == 1


async def test_the_page_opened_anew_joins_the_running_task(
    guest: Visitor, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    await guest.open()
    await guest.take_sample("Verdant")
    await guest.ask("make it warmer")
    await expect(guest.progress).to_be_visible()
    await guest.open("/")
    await expect(guest.progress).to_be_visible()
    gate.set()
    await expect(guest.refined).to_be_visible()


async def test_cancel_stops_the_task_and_gives_the_page_back(
    guest: Visitor, engine: ScriptedEngine
) -> None:
    engine.hold()
    await guest.open()
    await guest.take_sample("Verdant")
    await guest.ask("make it warmer")
    await expect(guest.page.locator(".step")).to_have_text("Working on it")
    await guest.cancel.focus()
    await guest.page.keyboard.press("Enter")
    await expect(guest.page.get_by_role("heading", name="Stopped, as you asked")).to_be_visible()
    await expect(guest.cancel).to_have_count(0)
    await expect(guest.refine).to_be_focused()
    await expect(guest.instruction).to_have_value("make it warmer")
    await guest.page.reload()
    await expect(guest.page.get_by_role("heading", name="Stopped, as you asked")).to_be_visible()


async def test_a_second_request_joins_the_running_task(
    guest: Visitor, service: Service, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    await guest.open()
    await guest.take_sample("Verdant")
    elsewhere = User(service.session, service.base, await guest.token(), "")
    await elsewhere.begin(refinement_prompt="make it bolder")
    await guest.ask("make it warmer")
    await expect(guest.alert).to_contain_text("was running already")
    await expect(guest.page.locator(".progress .wish")).to_have_text("“make it bolder”")
    gate.set()
    await expect(guest.page.locator("#facts")).to_have_text("8 × 8 PNG")
    assert len(engine.calls) == 1
    guest.forgive("409")


async def test_a_failed_try_is_followed_by_another(guest: Visitor, engine: ScriptedEngine) -> None:
    engine.fail(Flaky("once"))
    await guest.open()
    await guest.take_sample("Verdant")
    await guest.ask("make it warmer")
    await expect(guest.page.locator(".step")).to_contain_text("trying once more")
    await expect(guest.versions).to_have_count(2)


async def test_a_task_that_ends_while_one_is_elsewhere_offers_its_result(
    guest: Visitor, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    await guest.open()
    await guest.take_sample("Verdant")
    await guest.ask("make it warmer")
    await expect(guest.progress).to_be_visible()
    await guest.page.get_by_role("button", name="All concepts", exact=True).click()
    await guest.take_sample("Nimbus")
    gate.set()
    await expect(guest.alert).to_contain_text("Your refinement is done")
    await expect(guest.versions).to_have_count(1)
    await guest.page.get_by_role("button", name="Show it").click()
    await expect(guest.versions).to_have_count(2)


async def test_where_streams_do_not_get_through_the_page_polls(
    guest: Visitor, engine: ScriptedEngine
) -> None:
    polls: list[str] = []

    def note(request: Request) -> None:
        if "if-none-match" in request.headers:
            polls.append(request.headers["prefer"])

    await guest.page.route("**/events", lambda route: route.abort())
    guest.page.on("request", note)
    gate = engine.hold()
    await guest.open()
    await guest.take_sample("Verdant")
    await guest.ask("make it warmer")
    await expect(guest.page.locator(".step")).to_have_text("Working on it")
    gate.set()
    await expect(guest.versions).to_have_count(2)
    assert polls
    assert set(polls) == {"wait=25"}
    guest.forgive("ERR_FAILED")


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire() as wire:
        yield wire


@pytest.fixture
async def wired(
    browser: Browser,
    database_url: str,
    tmp_path: Path,
    engine: ScriptedEngine,
    sandbox: Sandbox,
    wire: Wire,
) -> AsyncIterator[Visitor]:
    """A visitor at the far end of a wire."""
    async with running_service(
        database_url, tmp_path, engine, sandbox, public_url=wire.base
    ) as service:
        wire.target_port = urlsplit(service.base).port or 0
        async with visiting(browser, wire.base) as visitor:
            yield visitor


async def test_a_lost_connection_recovers_by_itself_and_misses_nothing(
    wired: Visitor, wire: Wire, engine: ScriptedEngine
) -> None:
    resumed: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/events"):
            resumed.append(request.headers.get("last-event-id", ""))

    wired.page.on("request", note)
    gate = engine.hold()
    await wired.open()
    await wired.take_sample("Verdant")
    await wired.ask("make it warmer")
    await expect(wired.page.locator(".step")).to_have_text("Working on it")
    await wire.pull_out()
    banner = wired.page.locator("#link")
    await expect(banner).to_contain_text("cannot be reached")
    gate.set()
    await wire.plug_in()
    await expect(wired.versions).to_have_count(2, timeout=RESULT_MS)
    await expect(banner).to_have_text("")
    assert resumed[0] == ""
    assert len(resumed) > 1
    assert all(int(event_id) > 1 for event_id in resumed[1:])
    wired.forgive("ERR_")


async def test_a_request_whose_answer_was_lost_is_asked_again_and_charged_once(
    wired: Visitor, wire: Wire, engine: ScriptedEngine
) -> None:
    keys: list[str] = []
    accepted = asyncio.Event()

    async def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if accepted.is_set():
            await route.continue_()
        else:
            await route.fetch()
            accepted.set()
            await route.abort()

    await wired.page.route("**/api/concepts/refine", lose)
    await wired.open()
    await wired.take_sample("Verdant")
    await wired.ask("make it warmer")
    await expect(wired.versions).to_have_count(2, timeout=RESULT_MS)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    await expect(wired.page.locator("#quota")).to_contain_text("9 of 10 left")
    wired.forgive("ERR_FAILED")


async def test_what_was_asked_while_the_service_was_out_of_reach_is_done_when_it_is_back(
    wired: Visitor, wire: Wire
) -> None:
    await wired.open()
    await wired.take_sample("Verdant")
    await wire.pull_out()
    await wired.ask("use darker shades of green")
    await expect(wired.page.locator("#link")).to_contain_text("cannot be reached")
    await wire.plug_in()
    await expect(wired.versions).to_have_count(2)
    await expect(wired.refined).to_be_visible()
    await expect(wired.page.locator("#link")).to_have_text("")
    wired.forgive("ERR_")
