"""Every answer keeps browsers careful; pages of allowed origins, and only those, may read it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from aiohttp import ClientResponse

from service.resources import Resources
from service.settings import WrongSetting, read_settings
from storage.webhooks import Webhooks
from tests.api.harness import Service, User, running_service
from tests.scripted import ScriptedEngine

APP = "https://app.example.com"
OTHER = "https://app.example.com.evil.test"
TAKEN = (
    *("authorization", "content-type", "idempotency-key", "if-none-match", "last-event-id"),
    *("prefer", "x-request-id", "traceparent"),
)
EXPOSED = (
    *("etag", "link", "location", "retry-after", "ratelimit", "ratelimit-policy"),
    *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-period"),
    *("x-request-id", "preference-applied"),
)


def names_in(response: ClientResponse, header: str) -> set[str]:
    """The names that a list header lists."""
    return {name.strip().lower() for name in response.headers.get(header, "").split(",")}


def assert_careful(response: ClientResponse) -> None:
    """What has to be on every answer."""
    headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"] or (
        "sandbox" in headers["Content-Security-Policy"]
    )
    assert "Cross-Origin-Resource-Policy" in headers
    assert "Cache-Control" in headers
    assert "Server" not in headers
    assert headers["X-Request-ID"]


async def test_every_answer_keeps_browsers_careful(service: Service, user: User) -> None:
    concept = await user.upload()
    task = await user.ended((await user.begin())["task_id"])
    answers = [
        *[await user.request("GET", path) for path in ("/", "/docs", "/openapi.json", "/healthz")],
        await user.request("GET", "/readyz"),
        await user.request("GET", "/metrics"),
        await user.request("GET", "/problems/not_found"),
        await user.request("GET", concept["image_url"]),
        await user.request("GET", f"/api/tasks/{task['task_id']}"),
        await user.request("GET", f"/api/tasks/{task['task_id']}", headers={"If-None-Match": "*"}),
        await user.request("GET", f"/api/tasks/{task['task_id']}/events"),
        await user.request("GET", "/nowhere"),
        await user.request("PUT", "/api/quota"),
        await user.request("GET", "/api/quota", headers={"Authorization": ""}),
    ]
    assert {response.status for response in answers} == {200, 304, 401, 404, 405}
    for response in answers:
        assert_careful(response)
        assert "Strict-Transport-Security" not in response.headers
        assert "Access-Control-Allow-Origin" not in response.headers
    assert answers[7].headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answers[8].headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_what_is_of_one_person_is_not_kept_by_caches(service: Service, user: User) -> None:
    for path in ("/api/quota", "/api/concepts", "/api/tasks", "/api/webhooks"):
        response = await user.request("GET", path)
        assert response.headers["Cache-Control"] == "no-store", path


async def test_where_clients_come_by_https_they_are_kept_there(
    database_url: str, tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with running_service(
        database_url, tmp_path, engine, public_url="https://refiner.test", cors_origins="*"
    ) as service:
        user = await service.guest()
        response = await user.request("GET", "/api/quota", headers={"Origin": APP})
        assert response.headers["Strict-Transport-Security"].startswith("max-age=")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers
        probe = await user.request("GET", "/metrics", headers={"Origin": APP})
        assert "Access-Control-Allow-Origin" not in probe.headers


async def test_pages_of_an_allowed_origin_may_ask_and_read_everything(
    database_url: str, tmp_path: Path, engine: ScriptedEngine
) -> None:
    origins = f"{APP}, http://localhost:3000"

    def without_webhooks(resources: Resources) -> Resources:
        return replace(resources, webhooks=cast("Webhooks", None))

    async with running_service(
        database_url, tmp_path, engine, adapt=without_webhooks, cors_origins=origins
    ) as service:
        asked = {
            "Origin": APP,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,prefer",
        }
        for path in ("/api/concepts/refine", "/api/auth/guest", "/api/nowhere", "/images/a.png"):
            async with service.session.options(f"{service.base}{path}", headers=asked) as answer:
                assert answer.status == 204
                assert answer.headers["Access-Control-Allow-Origin"] == APP
                assert names_in(answer, "Access-Control-Allow-Methods") >= {"get", "post", "delete"}
                assert names_in(answer, "Access-Control-Allow-Headers") >= set(TAKEN)
                assert int(answer.headers["Access-Control-Max-Age"]) > 0
                assert "origin" in names_in(answer, "Vary")
        user = await service.guest()
        task = await user.ended((await user.begin())["task_id"])
        for method, path, status, token, body in (
            ("GET", "/api/quota", 200, user.token, b""),
            ("GET", f"/api/tasks/{task['task_id']}/events", 200, user.token, b""),
            ("GET", task["image_url"].removeprefix(service.base), 200, "", b""),
            ("GET", "/api/quota", 401, "x", b""),
            ("GET", "/api/nowhere", 404, "", b""),
            ("PUT", "/api/quota", 405, user.token, b""),
            ("POST", "/api/concepts/refine", 413, user.token, b" " * 70_000),
            ("GET", "/api/webhooks", 500, user.token, b""),
        ):
            headers = {"Origin": APP, "Authorization": f"Bearer {token}"}
            response = await user.request(method, path, headers=headers, data=body)
            assert response.status == status, path
            assert_careful(response)
            assert response.headers["Access-Control-Allow-Origin"] == APP
            assert names_in(response, "Access-Control-Expose-Headers") >= set(EXPOSED)
            assert "origin" in names_in(response, "Vary")
            assert "Access-Control-Allow-Credentials" not in response.headers


async def test_pages_of_other_origins_may_not(
    database_url: str, tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with running_service(database_url, tmp_path, engine, cors_origins=APP) as service:
        user = await service.guest()
        for origin in (OTHER, "null", "https://APP.example.com", f"{APP}:444", ""):
            headers = {"Origin": origin} if origin else {}
            response = await user.request("GET", "/api/quota", headers=headers)
            assert response.status == 200
            assert not [name for name in response.headers if name.startswith("Access-Control")]
            assert "origin" in names_in(response, "Vary"), "a cache must not give it to others"
            asked = {**headers, "Access-Control-Request-Method": "POST"}
            async with service.session.options(f"{service.base}/api/quota", headers=asked) as found:
                assert found.status == 401
                assert not [name for name in found.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "origins",
    [
        *("https://app.example.com/", "https://app.example.com/path", "app.example.com"),
        *("https://App.example.com", "https://app.example.com:443", "http://a:80", "http://a:0"),
        *("https://*.example.com", "*,https://app.example.com", "https://a b", "https://a:70000"),
        *("null", "https://user@app.example.com", "https://app.example.com?x", "https://"),
    ],
)
def test_what_is_no_origin_stops_the_start(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    monkeypatch.setenv("CORS_ORIGINS", origins)
    with pytest.raises(WrongSetting, match=r"^CORS_ORIGINS: must be "):
        read_settings()


@pytest.mark.parametrize(
    "origins", ["*", "", "capacitor://localhost", "http://[::1]:3000, https://xn--bcher-kva.test"]
)
def test_what_browsers_send_as_an_origin_may_be_set(
    monkeypatch: pytest.MonkeyPatch, origins: str
) -> None:
    monkeypatch.setenv("CORS_ORIGINS", origins)
    assert ", ".join(read_settings().cors_origins) == origins
