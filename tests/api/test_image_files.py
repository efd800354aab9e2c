"""Images under their signed addresses, as browsers get them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from aiohttp import ClientResponse

from service.sandbox import Sandbox
from storage.images.files import FileImages
from tests.api.harness import Service, User, a_png, running_service
from tests.scripted import ScriptedEngine


async def show(service: Service, url: str, method: str = "GET", **headers: str) -> ClientResponse:
    """The response to a browser, which sends no token."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await service.session.request(method, url, headers=named)
    await response.read()
    return response


async def assert_not_found(response: ClientResponse) -> None:
    """The answer to whatever is no image."""
    assert response.status == 404
    assert response.content_type == "application/problem+json"
    problem = await response.json()
    assert problem["code"] == "not_found"
    assert "/" not in problem["detail"], "no path and no key"
    assert response.headers["Cache-Control"] == "no-store"


async def test_an_image_is_shown_without_a_token(service: Service, user: User) -> None:
    picture = a_png()
    concept = await user.upload(picture)
    shown = await show(service, concept["image_url"])
    assert shown.status == 200
    assert shown.content_type == concept["content_type"] == "image/png"
    assert await shown.read() == picture


async def test_an_image_is_nothing_but_an_image(service: Service, user: User) -> None:
    shown = await show(service, (await user.upload())["image_url"])
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in shown.headers


async def test_a_copy_is_private_and_lives_no_longer_than_its_address(
    service: Service, user: User
) -> None:
    concept = await user.upload()
    shown = await show(service, concept["image_url"])
    rules = [rule.strip() for rule in shown.headers["Cache-Control"].split(",")]
    assert "private" in rules
    [age] = [rule.removeprefix("max-age=") for rule in rules if rule.startswith("max-age=")]
    images = service.resources.images
    assert isinstance(images, FileImages)
    key = images.key_of(concept["image_url"])
    query = parse_qs(urlsplit(concept["image_url"]).query)
    assert key is not None
    assert 0 <= images.verify(key, query["exp"][0], query["sig"][0]) <= int(age) <= 3_600


async def test_an_image_that_a_browser_has_is_not_sent_again(service: Service, user: User) -> None:
    url = (await user.upload())["image_url"]
    first = await show(service, url)
    again = await show(service, url, If_None_Match=first.headers["ETag"])
    assert again.status == 304
    assert await again.read() == b""
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_head_tells_of_the_image_without_sending_it(service: Service, user: User) -> None:
    url = (await user.upload())["image_url"]
    shown = await show(service, url)
    told = await show(service, url, "HEAD")
    assert told.status == 200
    assert await told.read() == b""
    for name in ("Content-Type", "Content-Length", "ETag"):
        assert told.headers[name] == shown.headers[name]


async def test_a_changed_address_shows_nothing(service: Service, user: User) -> None:
    url = (await user.upload())["image_url"]
    other = (await user.upload(a_png(colour="#ffffff")))["image_url"]
    base, _, signature = url.partition("?")
    forged = [
        base,
        f"{base}?",
        f"{base}?{signature}x",
        f"{base}?{other.partition('?')[2]}",
        f"{other.partition('?')[0]}?{signature}",
        f"{base}?exp=9999999999&sig={parse_qs(signature)['sig'][0]}",
        f"{base}?exp=%00&sig=%ff",
        f"{base}/?{signature}",
        url.replace("/images/", "/images//"),
        url.replace("/images/", "/images/..%2fimages/"),
        f"{service.base}/images/..%2f..%2fsecrets%2fimages?{signature}",
        f"{service.base}/images/%2e%2e/secrets/images?{signature}",
        f"{service.base}/images/{uuid4()}/{uuid4()}.png?{signature}",
    ]
    for attempt in forged:
        await assert_not_found(await show(service, attempt))


async def test_an_image_that_was_deleted_is_gone_at_once(service: Service, user: User) -> None:
    concept = await user.upload()
    response = await user.request("DELETE", f"/api/concepts/{concept['concept_id']}")
    assert response.status == 204
    await assert_not_found(await show(service, concept["image_url"]))


async def test_a_store_that_is_away_is_said_so(
    service: Service, user: User, tmp_path: Path
) -> None:
    url = (await user.upload())["image_url"]
    (tmp_path / "images").rename(tmp_path / "unplugged")
    shown = await show(service, url)
    assert shown.status == 503
    assert "Retry-After" in shown.headers


async def test_many_browsers_at_once_get_the_same(service: Service, user: User) -> None:
    picture = a_png(512, 512)
    url = (await user.upload(picture))["image_url"]
    answers = await asyncio.gather(*(show(service, url) for _ in range(50)))
    assert [await answer.read() for answer in answers] == [picture] * 50


@pytest.mark.parametrize("moved_to", ["https://refiner.test", "https://refiner.test/below"])
async def test_an_address_keeps_its_meaning_after_the_service_has_moved(
    database_url: str, tmp_path: Path, engine: ScriptedEngine, sandbox: Sandbox, moved_to: str
) -> None:
    async with running_service(database_url, tmp_path, engine, sandbox) as before:
        user = await before.guest()
        old = (await user.upload())["image_url"]
    async with running_service(
        database_url, tmp_path, engine, sandbox, public_url=moved_to
    ) as after:
        again = User(after.session, after.base, user.token, user.user_id)
        [concept] = await again.get("/api/concepts")
        assert concept["image_url"].startswith(f"{moved_to}/images/")
        for url in (old, old.partition("?")[0], concept["image_url"]):
            response = await again.refine(url)
            task = await response.json()
            assert (response.status, task.get("concept_id")) == (202, concept["concept_id"])
            await again.request("POST", f"/api/tasks/{task['task_id']}/cancel")


async def test_another_user_s_address_is_no_source(service: Service, user: User) -> None:
    theirs = (await (await service.guest()).upload())["image_url"]
    for url in (theirs, theirs.partition("?")[0]):
        response = await user.refine(url)
        assert response.status == 404
        assert (await response.json())["code"] == "concept_not_found"
