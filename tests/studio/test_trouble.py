"""What the studio says when something does not work."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

from playwright.async_api import Browser, FilePayload, Route, expect

from service.auth import TokenRules, make_token
from service.engines.contract import (
    Attempt,
    ContentRejected,
    EngineFailed,
    Instruction,
    NothingToApply,
    Refined,
)
from service.sandbox import Sandbox
from tests.api.harness import Service, User, a_png, running_service
from tests.processes import ROOT
from tests.scripted import ScriptedEngine, a_report
from tests.studio.browser import Visitor, visiting

SECRET = "s" * 32


async def test_an_instruction_without_words_or_image_is_answered_at_once(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.refine.click()
    await expect(visitor.page.locator("#instruction-error")).to_contain_text("Say what should")
    await expect(visitor.instruction).to_be_focused()
    await expect(visitor.instruction).to_have_attribute("aria-invalid", "true")
    await visitor.ask("make it warmer")
    await expect(visitor.alert).to_contain_text("First choose an image")
    await visitor.page.get_by_role("button", name="Dismiss").click()
    await expect(visitor.alert).to_have_text("")


async def test_a_file_that_is_no_image_is_refused_before_and_after_it_is_sent(
    visitor: Visitor, tmp_path: Path
) -> None:
    too_large = tmp_path / "a.png"
    too_large.write_bytes(bytes(11 * 1024 * 1024))
    await visitor.open()
    chooser = visitor.page.get_by_label("Concept image")
    await chooser.set_input_files(_file("cv.pdf", "application/pdf", b"%PDF"))
    await expect(visitor.alert).to_contain_text("not a PNG, JPEG or WebP")
    await chooser.set_input_files(too_large)
    await expect(visitor.alert).to_contain_text("10 MB is the most")
    await chooser.set_input_files(_file("b.png", "image/png", b"no picture"))
    await expect(visitor.page.get_by_role("button", name="Try again")).to_be_visible()
    await expect(visitor.alert).to_contain_text("image")
    await expect(visitor.page.get_by_text("Drop your concept image here")).to_be_visible()
    visitor.forgive("422")


async def test_an_upload_that_broke_off_can_be_tried_again(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.page.route("**/api/concepts", lambda route: route.abort(), times=1)
    await visitor.page.get_by_role("button", name="Verdant").click()
    await expect(visitor.alert).to_contain_text("cannot be reached")
    await visitor.page.get_by_role("button", name="Try again").click()
    await expect(visitor.versions).to_have_count(1)
    visitor.forgive("ERR_FAILED")


async def test_an_upload_shows_how_far_it_has_come(visitor: Visitor) -> None:
    await visitor.open()
    network = await visitor.page.context.new_cdp_session(visitor.page)
    await network.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000},
    )
    sample = ROOT / "service" / "studio" / "samples" / "mountain.png"
    await visitor.page.get_by_label("Concept image").set_input_files(sample)
    bar = visitor.page.get_by_role("progressbar", name="Upload progress")
    await expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d$"))
    await expect(visitor.page.get_by_text("Uploading mountain.png")).to_be_visible()
    await expect(visitor.original).to_be_visible()
    await expect(visitor.versions).to_have_count(1)


async def test_an_instruction_of_which_nothing_can_be_done_says_why(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Verdant")
    await visitor.ask("add a cat")
    verdict = visitor.page.get_by_role("heading", name="Nothing of this could be done")
    await expect(verdict).to_be_visible(timeout=30_000)
    await expect(visitor.page.locator("#outcome")).to_contain_text("generative")
    await expect(visitor.page.locator("#outcome")).to_contain_text("did not count")
    await expect(visitor.page.locator("#quota")).to_contain_text("10 of 10 left")
    await expect(visitor.instruction).to_have_value("add a cat")


async def test_a_failed_task_shows_its_reason_in_the_services_words(
    guest: Visitor, engine: ScriptedEngine
) -> None:
    await guest.open()
    await guest.take_sample("Verdant")
    outcome = guest.page.locator("#outcome")
    for error in (EngineFailed(), ContentRejected()):
        engine.fail(error)
        await guest.ask("make it warmer")
        await expect(outcome).to_contain_text(type(error).__doc__ or "")
    engine.fail(NothingToApply({**a_report(), "outcome": "none", "warnings": ["It is a photo."]}))
    await guest.ask("make it cooler")
    await expect(outcome).to_contain_text("It is a photo.")


async def test_an_svg_shows_what_it_is_and_leads_back_to_what_can_be_refined(
    guest: Visitor, engine: ScriptedEngine
) -> None:
    async def trace(_source: bytes, _wish: Instruction, _attempt: Attempt) -> Refined:
        drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'
        return Refined(drawing, "image/svg+xml", 8, 8, a_report())

    engine.behaviour = trace
    await guest.open()
    await guest.take_sample("Verdant")
    await guest.refine_to_end("vectorize it")
    await expect(guest.page.locator("#facts")).to_have_text("8 × 8 SVG")
    await guest.ask("make it warmer")
    await expect(guest.alert).to_contain_text("An SVG cannot be refined any further")
    await guest.page.get_by_role("button", name="Open it").click()
    await expect(guest.page.locator("#source")).to_contain_text("Original")
    assert len(engine.calls) == 1


async def test_a_used_up_month_says_so_and_when_it_begins_anew(
    browser: Browser,
    database_url: str,
    tmp_path: Path,
    engine: ScriptedEngine,
    sandbox: Sandbox,
) -> None:
    async with (
        running_service(database_url, tmp_path, engine, sandbox, monthly_refinements=1) as service,
        visiting(browser, service.base) as visitor,
    ):
        await visitor.open()
        await visitor.take_sample("Verdant")
        await visitor.refine_to_end("make it warmer")
        await expect(visitor.page.locator("#used-up")).to_contain_text("1 refinements are used up")
        await visitor.ask("make it cooler")
        month = r"(January|February|March|April|May|June|July|August|September|October|Nov|Dec)"
        await expect(visitor.alert).to_contain_text(re.compile(rf"new ones on 1 {month}"))
        await expect(visitor.alert).to_contain_text(re.compile(r"(in \d+|tomorrow)"))
        await expect(visitor.instruction).to_have_value("make it cooler")
        visitor.forgive("429")


async def test_without_guests_the_page_asks_for_a_token_and_keeps_it(
    browser: Browser, database_url: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    async with (
        running_service(
            database_url, tmp_path, ScriptedEngine(), sandbox, auth_jwt_secret=SECRET
        ) as service,
        visiting(browser, service.base) as visitor,
    ):
        await visitor.page.goto(service.base)
        dialog = visitor.page.get_by_role("dialog", name="Sign in")
        await expect(dialog).to_be_visible()
        await visitor.page.keyboard.press("Escape")
        await expect(dialog).to_be_visible()
        await visitor.page.get_by_label("Access token").fill("not.a.token")
        await visitor.page.keyboard.press("Enter")
        await expect(dialog).to_contain_text("not valid")
        token = make_token(uuid4(), TokenRules(SECRET.encode()), ttl_s=600)
        await visitor.page.get_by_label("Access token").fill(token)
        await visitor.page.get_by_role("button", name="Sign in").click()
        await expect(dialog).to_be_hidden()
        await visitor.take_sample("Verdant")
        await visitor.page.reload()
        await expect(visitor.original).to_be_visible()
        await visitor.page.get_by_role("button", name="Sign out").click()
        await expect(dialog).to_be_visible()
        visitor.forgive("404", "401")


async def test_a_guest_whose_token_is_refused_becomes_a_new_guest(
    guest: Visitor, service: Service
) -> None:
    await guest.open()
    await guest.page.evaluate("localStorage.setItem('studio.token', 'not.a.token')")
    await guest.page.reload()
    await guest.take_sample("Verdant")
    assert User(service.session, service.base, await guest.token(), "").token != "not.a.token"
    guest.forgive("401")


async def test_a_version_that_is_gone_leads_back_to_the_start(guest: Visitor) -> None:
    await guest.open(f"/#concept={uuid4()}")
    await expect(guest.alert).to_contain_text("does not exist any more")
    await expect(guest.page.get_by_text("Drop your concept image here")).to_be_visible()
    guest.forgive("404")


async def test_a_version_deleted_elsewhere_is_told_when_it_is_to_be_refined(
    guest: Visitor, service: Service
) -> None:
    await guest.open()
    await guest.take_sample("Verdant")
    elsewhere = User(service.session, service.base, await guest.token(), "")
    [concept] = await elsewhere.get("/api/concepts")
    await elsewhere.request("DELETE", f"/api/concepts/{concept['concept_id']}")
    await guest.ask("make it warmer")
    await expect(guest.alert).to_contain_text("does not exist any more")
    guest.forgive("404")


async def test_what_the_service_says_of_a_field_stands_beside_it(guest: Visitor) -> None:
    async def refuse(route: Route) -> None:
        errors = [{"loc": ["refinement_prompt"], "message": "must not contain NUL"}]
        problem = {"status": 422, "code": "validation_error", "detail": "x", "errors": errors}
        await route.fulfill(status=422, json=problem)

    await guest.page.route("**/api/concepts/refine", refuse)
    await guest.open()
    await guest.take_sample("Verdant")
    await guest.ask("make it warmer")
    await expect(guest.page.locator("#instruction-error")).to_have_text("Must not contain NUL")
    guest.forgive("422")


async def test_a_proxys_page_of_html_is_told_as_a_busy_service(guest: Visitor) -> None:
    async def be_busy(route: Route) -> None:
        await route.fulfill(status=502, body="<h1>Bad gateway")

    await guest.page.route("**/api/auth/guest", be_busy, times=1)
    await guest.page.goto(guest.base)
    await expect(guest.page.locator("#link")).to_contain_text("busy")
    await expect(guest.page.locator("#link")).to_have_text("")
    await expect(guest.page.locator("#quota")).to_contain_text("10 of 10 left")
    guest.forgive("502")


async def test_nothing_in_an_instruction_or_a_report_becomes_markup(
    guest: Visitor, engine: ScriptedEngine
) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    report = {**a_report(), "warnings": [hostile], "palette": {"before": [hostile], "after": []}}
    engine.fail(NothingToApply(report))  # type: ignore[arg-type]
    await guest.open()
    await guest.choose(_file(f"{hostile}.png", "image/png", a_png()))
    await guest.ask(hostile)
    await expect(guest.page.locator("#outcome")).to_contain_text(hostile)
    await expect(guest.page.locator("img[src='x']")).to_have_count(0)


def _file(name: str, kind: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}
