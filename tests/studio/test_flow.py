"""From an image to its refined versions, as a person does it."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops
from playwright.async_api import Page, Route, expect

from tests.processes import ROOT, Process
from tests.studio.browser import RESULT_MS, Visitor

SAMPLES = ROOT / "service" / "studio" / "samples"
COFFEE = SAMPLES / "coffee.png"


async def test_three_clicks_lead_from_the_open_page_to_a_refined_sample(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.page.get_by_role("button", name="Brew & Bean").click()
    await visitor.page.get_by_role("button", name="Use lighter shades of brown").click()
    await visitor.refine.click()
    await expect(visitor.refined).to_be_visible(timeout=RESULT_MS)
    await expect(visitor.original).to_be_visible()
    await expect(visitor.versions).to_have_count(2)
    await expect(visitor.page.locator("#outcome")).to_contain_text("Lightened the brown areas")
    await expect(visitor.page.locator("#quota")).to_contain_text("9 of 10 left")


async def test_an_image_can_be_chosen_from_a_file(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.choose(COFFEE)
    await expect(visitor.original).to_be_visible()
    await expect(visitor.page.locator("#facts")).to_have_text("1024 × 1024 PNG")


@pytest.mark.parametrize("way", ["drop", "paste"])
async def test_an_image_can_be_dropped_or_pasted_anywhere(visitor: Visitor, way: str) -> None:
    await visitor.open()
    await visitor.page.evaluate(
        """async (way) => {
            const sample = await fetch("studio/samples/leaf.png");
            const transfer = new DataTransfer();
            transfer.items.add(new File([await sample.blob()], "leaf.png", {type: "image/png"}));
            const event = way === "drop"
                ? new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true})
                : new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true});
            document.body.dispatchEvent(event);
        }""",
        way,
    )
    await expect(visitor.versions).to_have_count(1)
    await expect(visitor.original).to_be_visible()


async def test_text_that_is_pasted_with_a_picture_stays_text(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.instruction.evaluate(
        """(field) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["a table"], "table.png", {type: "image/png"}));
            transfer.setData("text/plain", "a table");
            const options = {clipboardData: transfer, bubbles: true, cancelable: true};
            globalThis.kept = field.dispatchEvent(new ClipboardEvent("paste", options));
        }"""
    )
    assert await visitor.page.evaluate("globalThis.kept")
    await expect(visitor.page.locator("#sending")).to_be_hidden()
    await expect(visitor.alert).to_have_text("")


async def test_the_image_chosen_last_is_the_one_that_opens(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.page.route("**/api/concepts", _wait_for_another, times=1)
    await visitor.page.get_by_role("button", name="Brew & Bean").click()
    await expect(visitor.page.get_by_text("Uploading Brew & Bean")).to_be_visible()
    await visitor.page.get_by_label("Concept image").set_input_files(SAMPLES / "leaf.png")
    await expect(visitor.versions).to_have_count(1)
    await expect(visitor.page.get_by_label("What the logo shows")).to_have_value("")
    await expect(visitor.page.locator("#sending")).to_be_hidden()


async def _wait_for_another(route: Route) -> None:
    async with route.request.frame.page.expect_request("**/api/concepts"):
        pass
    await route.abort()


async def test_the_slider_follows_the_mouse_and_the_arrow_keys(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Brew & Bean")
    await visitor.refine_to_end("use lighter shades of brown")
    await expect(visitor.slider).to_have_value("50")
    box = await visitor.page.locator("#viewport").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    await visitor.page.mouse.move(box["x"] + box["width"] / 2, middle)
    await visitor.page.mouse.down()
    await visitor.page.mouse.move(box["x"] + box["width"] / 4, middle, steps=5)
    await visitor.page.mouse.up()
    await expect(visitor.slider).to_have_value("25")
    assert await _visible_share(visitor.page) == pytest.approx(0.25, abs=0.01)
    await visitor.slider.press("ArrowRight")
    await expect(visitor.slider).to_have_value("26")
    assert await _visible_share(visitor.page) == pytest.approx(0.26, abs=0.01)
    await visitor.slider.press("Home")
    assert await _visible_share(visitor.page) == 0


async def test_versions_can_be_seen_side_by_side_and_closer(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Northwood")
    await visitor.refine_to_end("make the background cream")
    await visitor.page.get_by_role("button", name="Side by side").click()
    await expect(visitor.slider).to_be_hidden()
    before, after = await visitor.original.bounding_box(), await visitor.refined.bounding_box()
    assert before is not None
    assert after is not None
    assert before["x"] + before["width"] <= after["x"]
    await visitor.page.get_by_role("button", name="Zoom in").click()
    closer = await visitor.original.bounding_box()
    assert closer is not None
    assert closer["width"] == pytest.approx(1.5 * before["width"], rel=0.01)
    viewport = visitor.page.get_by_role("group", name="Picture view")
    await viewport.press("ArrowRight")
    moved = await visitor.original.bounding_box()
    assert moved is not None
    assert moved["x"] < closer["x"]
    await viewport.press("0")
    assert await visitor.original.bounding_box() == before


async def test_any_version_can_be_refined_again_and_compared_with_any_other(
    visitor: Visitor,
) -> None:
    await visitor.open()
    await visitor.take_sample("Verdant")
    await visitor.refine_to_end("use darker shades of green")
    await visitor.shown("original").click()
    await expect(visitor.refined).to_have_count(0)
    await visitor.refine_to_end("put it on a cream background")
    tree = await visitor.page.evaluate(
        "[...document.querySelectorAll('#versions li')].map((one) => one.style.cssText)"
    )
    assert [style.replace(" ", "") for style in tree] == [
        "--column:1;--row:1;--rise:0;",
        "--column:2;--row:1;--rise:0;",
        "--column:2;--row:2;--rise:1;",
    ]
    await visitor.page.get_by_label("Before", exact=True).select_option(label="Version 2")
    sources = [
        await picture.get_attribute("src") for picture in (visitor.original, visitor.refined)
    ]
    thumbnails = [
        await visitor.shown(name).locator("img").get_attribute("src")
        for name in ("version 2", "version 3")
    ]
    assert sources == thumbnails
    await visitor.page.reload()
    await expect(visitor.page.get_by_label("Before", exact=True)).to_have_value(
        await visitor.shown("version 2").get_attribute("data-id") or ""
    )


async def test_the_report_tells_what_was_done_what_not_and_the_colours(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Brew & Bean")
    await visitor.refine_to_end("use lighter shades of brown and add a cat")
    report = visitor.page.locator(".report")
    await expect(report.get_by_role("heading", name="Some of it was done")).to_be_visible()
    await expect(report.locator(".done")).to_contain_text("Lightened the brown areas")
    await expect(report.locator(".done")).to_contain_text("lightness")
    await expect(report.locator(".skipped")).to_contain_text("add a cat")
    await expect(report.locator(".skipped")).to_contain_text("generative")
    swatches = report.locator(".palette li")
    assert await swatches.count() > 4
    words = await swatches.first.inner_text()
    colour = await swatches.first.evaluate("(one) => one.style.getPropertyValue('--colour')")
    assert words == colour


async def test_a_version_is_downloaded_as_it_is_stored(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Verdant")
    async with visitor.page.expect_download() as downloading:
        await visitor.page.get_by_role("link", name="Download").click()
    download = await downloading.value
    assert download.suggested_filename == "original.png"
    with (
        Image.open(await download.path()) as image,
        Image.open(SAMPLES / "leaf.png") as sample,
    ):
        assert (
            ImageChops.difference(image.convert("RGBA"), sample.convert("RGBA")).getbbox() is None
        )


async def test_a_deleted_version_goes_and_what_was_made_from_it_stays(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Brew & Bean")
    await visitor.refine_to_end("use lighter shades of brown")
    await visitor.refine_to_end("make the background white")
    await visitor.shown("version 2").click()
    await visitor.page.get_by_role("button", name="Delete").click()
    await visitor.page.get_by_role("button", name="Keep it").click()
    await expect(visitor.versions).to_have_count(3)
    await visitor.page.get_by_role("button", name="Delete").click()
    await visitor.page.get_by_role("button", name="Delete it").click()
    await expect(visitor.versions).to_have_count(2)
    await expect(visitor.page.locator("#versions .orphan")).to_have_count(1)


async def test_after_the_last_version_is_deleted_one_can_begin_anew(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Nimbus")
    await visitor.page.get_by_role("button", name="Delete").click()
    await visitor.page.get_by_role("button", name="Delete it").click()
    await expect(visitor.page.get_by_text("Drop your concept image here")).to_be_visible()
    await expect(visitor.page.get_by_text("Your concepts")).to_be_hidden()


async def test_the_back_button_and_a_reload_bring_back_what_was_open(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Lunar Tide")
    await visitor.refine_to_end("make it greyscale")
    await visitor.page.go_back()
    await expect(visitor.page.locator("#source")).to_contain_text("Original")
    await visitor.page.go_forward()
    await expect(visitor.page.locator("#source")).to_contain_text("Version 2")
    await visitor.page.reload()
    await expect(visitor.refined).to_be_visible()
    await expect(visitor.page.locator(".report")).to_contain_text("make it greyscale")


async def test_image_addresses_are_renewed_before_they_run_out(visitor: Visitor) -> None:
    await visitor.page.clock.install()
    await visitor.open()
    await visitor.take_sample("Verdant")
    async with visitor.page.expect_request("**/lineage"):
        await visitor.page.clock.fast_forward("26:00")
        await visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(visitor.original).to_be_visible()


async def test_the_page_works_below_a_prefix_of_a_proxy(visitor: Visitor) -> None:
    async def forward(route: Route) -> None:
        url = route.request.url.replace("/refiner/", "/")
        await route.fulfill(response=await route.fetch(url=url))

    await visitor.page.route("**/refiner/**", forward)
    await visitor.open("/refiner/")
    await visitor.take_sample("Verdant")
    await visitor.refine_to_end("use darker shades of green")


async def test_earlier_concepts_can_be_opened_from_the_start(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.take_sample("Brew & Bean")
    await visitor.page.get_by_role("button", name="All concepts", exact=True).click()
    await visitor.take_sample("Verdant")
    await visitor.page.get_by_role("button", name="All concepts", exact=True).click()
    await expect(visitor.page.locator("#recent li")).to_have_count(2)
    await visitor.page.locator("#recent").get_by_role("button").nth(1).click()
    await expect(visitor.page.get_by_label("What the logo shows")).to_have_value(
        "A modern coffee shop logo: a cup with a coffee bean, steam and lettering"
    )


async def test_what_the_logo_shows_and_what_to_keep_go_along(
    visitor: Visitor, studio: Process
) -> None:
    await visitor.open()
    await visitor.choose(COFFEE)
    await visitor.page.get_by_text("Describe it, or keep parts").click()
    await visitor.page.get_by_label("What the logo shows").fill("A cup")
    await visitor.page.get_by_label("Colours", exact=True).check()
    async with visitor.page.expect_request("**/api/concepts/refine") as asking:
        await visitor.ask("make it smaller")
    body = (await asking.value).post_data_json
    assert body is not None
    assert body["logo_description"] == "A cup"
    assert "theme_description" not in body
    assert body["preserve_aspects"] == ["colors"]


async def _visible_share(page: Page) -> float:
    """How much of the viewport's width shows the picture before."""
    return float(
        await page.evaluate(
            """() => {
                const pane = document.getElementById("pane-before");
                const inset = getComputedStyle(pane).clipPath.match(/inset\\(0px ([\\d.]+)(%|px)/);
                const cut = Number(inset[1]);
                return 1 - (inset[2] === "%" ? cut / 100 : cut / pane.clientWidth);
            }"""
        )
    )
