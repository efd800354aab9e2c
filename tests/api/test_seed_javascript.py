"""The JavaScript of the seed document, taken from it unchanged, runs against the service."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import playwright
import pytest
from playwright.async_api import Browser, Page

from tests.api.harness import PROMPT, Json, Service, User
from tests.scripted import ScriptedEngine
from tests.studio.browser import running_browser

FOLDER = Path(__file__).parent
CONFLICT_MESSAGE = "A concept refinement task is already in progress"
LIMIT_S = 60
WRAPPED = """
async ({ token, imageUrl, prompt, taskId }) => {
  const plainFetch = window.fetch;
  const fetch = (path, options = {}) =>
    plainFetch(path, {
      ...options,
      headers: { ...options.headers, Authorization: `Bearer ${token}` },
    });
  SEED
  if (taskId === undefined) return refineConceptWithPrompt(imageUrl, prompt, "A cup", undefined);
  const told = [];
  const ended = await pollTaskUntilComplete(taskId, (status) => told.push(status));
  return { told, ended };
}
"""


def node() -> str:
    """The Node of this machine, or the one that drives the browser."""
    driver = Path(playwright.__file__).parent / "driver" / "node"
    return shutil.which("node") or str(driver)


async def told_by_node(user: User, image_url: str) -> AsyncIterator[tuple[str, Json]]:
    """What the seed's functions do in Node, as it happens."""
    process = await asyncio.create_subprocess_exec(
        *(node(), str(FOLDER / "seed_driver.js")),
        env={"BASE": user.base, "TOKEN": user.token, "IMAGE_URL": image_url, "PROMPT": PROMPT},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LIMIT_S):
            async for line in process.stdout:
                said = json.loads(line)
                yield said["event"], said["value"]
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for the tests that need one."""
    async with running_browser() as browser:
        yield browser


@pytest.fixture
async def page(service: Service, browser: Browser) -> AsyncIterator[Page]:
    """The service's own page, whose origin relative addresses belong to."""
    async with await browser.new_page() as page:
        await page.goto(f"{service.base}/")
        yield page


async def test_in_node_it_follows_a_refinement_until_it_is_completed(user: User) -> None:
    concept = await user.upload()
    told = [one async for one in told_by_node(user, concept["image_url"])]
    events = [event for event, _ in told]
    assert events[0] == "started"
    assert events[-2:] == ["progress", "ended"]
    started, ended = told[0][1], told[-1][1]
    assert started["status"] == "pending"
    assert ended["status"] == "completed"
    assert ended["task_id"] == started["task_id"]
    assert (await user.request("GET", ended["image_url"])).status == 200
    assert ended["metadata"]["logo_description"] == "A cup"


async def test_in_node_it_takes_the_active_task_of_a_conflict_and_follows_that(
    user: User, engine: ScriptedEngine
) -> None:
    gate = engine.hold()
    active = await user.begin()
    concept = await user.upload()
    told = []
    async for event, value in told_by_node(user, concept["image_url"]):
        told.append((event, value))
        if event == "progress":
            gate.set()
    started, ended = told[0][1], told[-1][1]
    assert started["message"] == CONFLICT_MESSAGE
    assert started["task_id"] == ended["task_id"] == active["task_id"]
    assert ended["status"] == "completed"


async def test_in_node_it_throws_what_the_problem_says(user: User) -> None:
    [(event, message)] = [one async for one in told_by_node(user, f"{user.base}/images/x/y.png")]
    assert event == "thrown"
    assert message == "The image is neither one of your concepts nor on an allowed host."


async def in_browser(page: Page, user: User, **given: str) -> Json:
    """What the seed's functions return in a browser: the task begun, or what became of it."""
    seed = (FOLDER / "seed.js").read_text()
    return await page.evaluate(WRAPPED.replace("SEED", seed), {"token": user.token, **given})


async def test_in_a_browser_it_follows_a_refinement_until_it_is_completed(
    user: User, page: Page
) -> None:
    concept = await user.upload()
    task = await in_browser(page, user, imageUrl=concept["image_url"], prompt=PROMPT)
    assert task["status"] == "pending"
    found = await in_browser(page, user, taskId=task["task_id"])
    assert found["ended"]["status"] == "completed"
    assert found["told"][-1] == found["ended"]


async def test_in_a_browser_it_takes_the_active_task_of_a_conflict_and_follows_that(
    user: User, engine: ScriptedEngine, page: Page
) -> None:
    gate = engine.hold()
    active = await user.begin()
    concept = await user.upload()
    task = await in_browser(page, user, imageUrl=concept["image_url"], prompt=PROMPT)
    assert task["message"] == CONFLICT_MESSAGE
    assert task["task_id"] == active["task_id"]
    gate.set()
    found = await in_browser(page, user, taskId=task["task_id"])
    assert found["ended"]["status"] == "completed"
