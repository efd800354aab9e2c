"""A page of another origin builds on the API in a real browser, where the settings allow it."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from service.sandbox import Sandbox
from tests.api.harness import PROMPT, running_service
from tests.scripted import ScriptedEngine

SAMPLE = Path(__file__).parents[2] / "service" / "studio" / "samples" / "coffee.png"
# uploads the page's own picture, refines it, follows the stream and shows the result
FRONT_END = """
async ([base, prompt]) => {
  const signedIn = await (await fetch(`${base}/api/auth/guest`, { method: "POST" })).json();
  const auth = { Authorization: `Bearer ${signedIn.access_token}` };
  const form = new FormData();
  form.append("image", await (await fetch("/logo.png")).blob(), "logo.png");
  const upload = { method: "POST", headers: auth, body: form };
  const concept = await (await fetch(`${base}/api/concepts`, upload)).json();
  const accepted = await fetch(`${base}/api/concepts/refine`, {
    method: "POST",
    headers: { ...auth, "Content-Type": "application/json", "Idempotency-Key": "one" },
    body: JSON.stringify({ original_image_url: concept.image_url, refinement_prompt: prompt }),
  });
  const { task_id: id } = await accepted.json();
  const events = await fetch(`${base}/api/tasks/${id}/events`, {
    headers: { ...auth, "Last-Event-ID": "0" },
  });
  const streamed = await events.text();
  const ended = await fetch(`${base}/api/tasks/${id}`, { headers: { ...auth, Prefer: "wait=30" } });
  const task = await ended.json();
  const image = new Image();
  image.src = task.image_url;
  await image.decode();
  const pixels = await fetch(task.image_url);
  return {
    location: accepted.headers.get("Location"),
    left: accepted.headers.get("X-RateLimit-Remaining"),
    etag: ended.headers.get("ETag"),
    applied: ended.headers.get("Preference-Applied"),
    requestId: ended.headers.get("X-Request-ID"),
    streamed, width: image.naturalWidth, bytes: (await pixels.blob()).size, task,
  };
}
"""


async def serve_front_end() -> TestServer:
    """Someone's own site with a picture on it."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(
            text="<!doctype html><title>front-end</title>", content_type="text/html"
        )

    async def logo(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(SAMPLE)

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/logo.png", logo)])
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    return server


async def test_a_front_end_on_another_origin_uploads_refines_follows_and_shows(
    browser: Browser, database_url: str, tmp_path: Path, engine: ScriptedEngine, sandbox: Sandbox
) -> None:
    site = await serve_front_end()
    origin = str(site.make_url("/")).rstrip("/")
    page = await browser.new_page()
    async with running_service(
        database_url, tmp_path, engine, sandbox, cors_origins=origin
    ) as service:
        await page.goto(origin)
        found = await page.evaluate(FRONT_END, [service.base, PROMPT])
    await page.close()
    await site.close()
    assert found["task"]["status"] == "completed"
    assert found["location"] == f"/api/tasks/{found['task']['task_id']}"
    assert found["left"] == "9"
    assert found["applied"] == "wait=30"
    assert found["etag"]
    assert found["requestId"]
    assert '"completed"' in found["streamed"]
    assert found["width"] > 0
    assert found["bytes"] > 0


async def test_a_page_of_an_origin_that_is_not_allowed_reads_nothing(
    browser: Browser, database_url: str, tmp_path: Path, engine: ScriptedEngine, sandbox: Sandbox
) -> None:
    site = await serve_front_end()
    page = await browser.new_page()
    async with running_service(
        database_url, tmp_path, engine, sandbox, cors_origins="https://app.example.com"
    ) as service:
        await page.goto(str(site.make_url("/")))
        said = await page.evaluate(
            "(base) => fetch(`${base}/api/auth/guest`, { method: 'POST' }).catch(String)",
            service.base,
        )
    await page.close()
    await site.close()
    assert said == "TypeError: Failed to fetch"
