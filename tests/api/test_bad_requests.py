"""Whatever is sent, the answer is a clear 4xx with a code of the catalogue, never a 500."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import FormData

from tests.api.harness import Service, User, a_png
from tests.contract import CODES

CATALOGUE = {*CODES} - {"service_unavailable", "internal_error"}
URL = "https://example.com/a.png"


def body(**fields: Any) -> bytes:
    return json.dumps({"original_image_url": URL, "refinement_prompt": "x", **fields}).encode()


BODIES: dict[str, tuple[bytes, int, str]] = {
    "empty": (b"", 400, "malformed_json"),
    "not JSON": (b"{", 400, "malformed_json"),
    "invalid UTF-8": (b'{"refinement_prompt": "\xff"}', 400, "malformed_json"),
    "a byte order mark": (b"\xef\xbb\xbf{}", 400, "malformed_json"),
    "NaN": (b'{"a": NaN}', 400, "malformed_json"),
    "deep nesting": (b"[" * 30_000, 400, "malformed_json"),
    "deep nesting, closed": (b"[" * 30_000 + b"]" * 30_000, 400, "malformed_json"),
    "a huge number": (b'{"a": ' + b"9" * 5_000 + b"}", 400, "malformed_json"),
    "a list": (b"[]", 422, "validation_error"),
    "a list of pairs": (b'[["original_image_url", "x"]]', 422, "validation_error"),
    "a string": (b'"text"', 422, "validation_error"),
    "a number": (b"5", 422, "validation_error"),
    "null": (b"null", 422, "validation_error"),
    "no fields": (b"{}", 422, "validation_error"),
    "prompt of NUL": (body(refinement_prompt="a\x00b"), 422, "validation_error"),
    "prompt of a lone surrogate": (
        b'{"original_image_url": "https://e.com/a", "refinement_prompt": "\\ud800"}',
        422,
        "validation_error",
    ),
    "prompt of blanks": (body(refinement_prompt=" \n "), 422, "validation_error"),
    "prompt too long": (body(refinement_prompt="x" * 2_001), 422, "validation_error"),
    "prompt a number": (body(refinement_prompt=5), 422, "validation_error"),
    "prompt null": (body(refinement_prompt=None), 422, "validation_error"),
    "prompt a list": (body(refinement_prompt=["x"]), 422, "validation_error"),
    "description too long": (body(logo_description="x" * 2_001), 422, "validation_error"),
    "description a number": (body(theme_description=1), 422, "validation_error"),
    "description of NUL": (body(logo_description="\x00"), 422, "validation_error"),
    "url relative": (body(original_image_url="/images/a.png"), 422, "validation_error"),
    "url empty": (body(original_image_url=""), 422, "validation_error"),
    "url of a file": (body(original_image_url="file:///etc/passwd"), 422, "validation_error"),
    "url of data": (body(original_image_url="data:image/png;base64,AA"), 422, "validation_error"),
    "url without host": (body(original_image_url="http://"), 422, "validation_error"),
    "url with a broken host": (body(original_image_url="http://[::1"), 422, "validation_error"),
    "url with a bad port": (
        body(original_image_url="http://e.com:99999/"),
        422,
        "validation_error",
    ),
    "url with a line break": (body(original_image_url=f"{URL}\r\nX: y"), 422, "validation_error"),
    "url of NUL": (body(original_image_url=f"{URL}\x00"), 422, "validation_error"),
    "url too long": (body(original_image_url=f"{URL}?{'x' * 2_048}"), 422, "validation_error"),
    "aspects unknown": (body(preserve_aspects=["soul"]), 422, "validation_error"),
    "aspects a string": (body(preserve_aspects="layout"), 422, "validation_error"),
    "aspects an object": (body(preserve_aspects={"a": 1}), 422, "validation_error"),
    "too large": (body(more="x" * 65_536), 413, "payload_too_large"),
    "10 MB": (b" " * 10_000_000, 413, "payload_too_large"),
}


@pytest.fixture
def service(shared_service: Service) -> Service:
    """What is sent here does nothing to anybody else."""
    return shared_service


async def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status == status, await response.text()
    assert response.content_type == "application/problem+json"
    problem: dict[str, Any] = await response.json()
    assert problem["code"] == code
    assert problem["type"] == f"/problems/{code}"
    assert problem["status"] == status
    assert problem["title"]
    assert isinstance(problem["detail"], str)
    assert problem["message"] == problem["detail"]
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert code in CATALOGUE
    return problem


@pytest.mark.parametrize(("sent", "status", "code"), BODIES.values(), ids=BODIES.keys())
async def test_a_wrong_body_is_told_what_is_wrong_with_it(
    user: User, sent: bytes, status: int, code: str
) -> None:
    response = await user.request(
        "POST",
        "/api/concepts/refine",
        data=io.BytesIO(sent),
        headers={"Content-Type": "application/json"},
    )
    problem = await problem_of(response, status, code)
    if status == 422:
        assert problem["errors"]
        assert all(set(error) == {"loc", "message"} for error in problem["errors"])
    assert "passwd" not in await response.text()


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""],
)
async def test_another_media_type_is_415(user: User, content_type: str) -> None:
    response = await user.request(
        "POST", "/api/concepts/refine", data=body(), headers={"Content-Type": content_type}
    )
    await problem_of(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
async def test_a_chunked_body_that_grows_too_large_is_413(user: User, content_type: str) -> None:
    async def endless() -> Any:
        for _ in range(200):
            yield b" " * 1024

    response = await user.request(
        "POST", "/api/concepts/refine", data=endless(), headers={"Content-Type": content_type}
    )
    await problem_of(response, 413, "payload_too_large")


async def test_a_body_that_is_not_as_encoded_as_it_says_is_a_4xx(user: User) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await user.request("POST", "/api/concepts/refine", data=body(), headers=headers)
    assert 400 <= response.status < 500


async def test_the_token_is_asked_for_before_the_body_is_looked_at(service: Service) -> None:
    for sent in (b"{", b" " * 100_000):
        async with service.session.post(f"{service.base}/api/concepts/refine", data=sent) as answer:
            await problem_of(answer, 401, "authentication_required")


UNKNOWN = [
    ("GET", "/api/tasks/{}", "task_not_found"),
    ("GET", "/api/concepts/task/{}", "task_not_found"),
    ("GET", "/api/tasks/{}/events", "task_not_found"),
    ("POST", "/api/tasks/{}/cancel", "task_not_found"),
    ("DELETE", "/api/tasks/{}", "task_not_found"),
    ("GET", "/api/concepts/{}", "concept_not_found"),
    ("DELETE", "/api/concepts/{}", "concept_not_found"),
    ("GET", "/api/concepts/{}/lineage", "concept_not_found"),
]


@pytest.mark.parametrize(("method", "path", "code"), UNKNOWN)
async def test_an_id_that_is_unknown_or_no_uuid_is_404(
    user: User, method: str, path: str, code: str
) -> None:
    for identity in (str(uuid4()), "1", "x" * 300, "%00", "..%2f..", "nil", "ünïcode"):
        response = await user.request(method, path.format(identity))
        await problem_of(response, 404, code)


async def test_what_belongs_to_another_user_is_404(service: Service, user: User) -> None:
    task = await user.begin()
    await user.ended(task["task_id"])
    stranger = await service.guest()
    for method, path, code in UNKNOWN:
        identity = task["task_id"] if code == "task_not_found" else task["concept_id"]
        await problem_of(await stranger.request(method, path.format(identity)), 404, code)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/concepts/refine"),
        ("GET", "/api/concepts/refine"),
        ("PATCH", "/api/concepts"),
        ("POST", "/api/quota"),
        ("DELETE", "/api/concepts/task/{id}"),
        ("POST", "/healthz"),
        ("GET", "/api/auth/guest"),
        ("TRACE", "/api/tasks"),
    ],
)
async def test_a_wrong_method_is_405_and_says_which_are_right(
    user: User, method: str, path: str
) -> None:
    response = await user.request(method, path.replace("{id}", str(uuid4())))
    await problem_of(response, 405, "method_not_allowed")
    assert method not in response.headers["Allow"].split(", ")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/nothing", "/api/concepts/refine/", "/api/tasks/", "/images/x"]
)
async def test_an_unknown_address_is_404(user: User, path: str) -> None:
    await problem_of(await user.request("GET", path), 404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=51",
        "limit=x",
        "limit=1e3",
        "cursor=x",
        "cursor=%00",
        "cursor=" + "A" * 999,
    ],
)
@pytest.mark.parametrize("path", ["/api/tasks", "/api/concepts"])
async def test_a_wrong_query_is_422(user: User, path: str, query: str) -> None:
    await problem_of(await user.request("GET", f"{path}?{query}"), 422, "validation_error")


async def test_an_unknown_status_is_422(user: User) -> None:
    response = await user.request("GET", "/api/tasks?status=queued")
    await problem_of(response, 422, "validation_error")


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_wrong_idempotency_key_is_422(user: User, key: str) -> None:
    response = await user.refine(URL, headers={"Idempotency-Key": key})
    await problem_of(response, 422, "validation_error")


@pytest.mark.parametrize("prefer", ["wait=x", "wait=-1", "wait", "wait=99999999999999999999", ";;"])
async def test_a_preference_that_makes_no_sense_is_ignored(user: User, prefer: str) -> None:
    response = await user.request("GET", "/api/tasks", headers={"Prefer": prefer})
    assert response.status == 200


async def test_an_upload_without_a_file_is_422(user: User) -> None:
    form = FormData(default_to_multipart=True)
    form.add_field("logo_description", "A cup")
    problem = await problem_of(
        await user.request("POST", "/api/concepts", data=form), 422, "validation_error"
    )
    assert problem["errors"][0]["loc"] == ["image"]


async def test_an_upload_that_is_not_multipart_is_415(user: User) -> None:
    response = await user.request("POST", "/api/concepts", json={})
    await problem_of(response, 415, "unsupported_media_type")


BROKEN_MULTIPART = {
    "no boundary": ("multipart/form-data", b"x"),
    "no parts": ("multipart/form-data; boundary=b", b""),
    "garbage": ("multipart/form-data; boundary=b", b"\x00\xff" * 100),
    "cut off": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc',
    ),
    "control characters in a part's header": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="\x1d"\r\n\r\nabc\r\n--b--\r\n',
    ),
    "a part's header too long": (
        "multipart/form-data; boundary=b",
        b"--b\r\nX: " + b"x" * 100_000 + b"\r\n\r\nabc\r\n--b--\r\n",
    ),
    "bad base64": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="image"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n--b--\r\n",
    ),
    "nested": (
        "multipart/form-data; boundary=b",
        b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n",
    ),
}


@pytest.mark.parametrize(
    ("content_type", "sent"), BROKEN_MULTIPART.values(), ids=BROKEN_MULTIPART.keys()
)
async def test_broken_multipart_is_a_4xx(user: User, content_type: str, sent: bytes) -> None:
    response = await user.request(
        "POST", "/api/concepts", data=sent, headers={"Content-Type": content_type}
    )
    assert response.status == 422, await response.text()


async def test_a_description_that_is_not_text_is_422(user: User) -> None:
    for wrong in (b"\xff\xfe", b"a\x00b", b"x" * 2_001):
        form = FormData()
        form.add_field("image", a_png(), filename="a.png")
        form.add_field("logo_description", wrong, filename="d.txt", content_type="text/plain")
        response = await user.request("POST", "/api/concepts", data=form)
        await problem_of(response, 422, "validation_error")


async def test_what_is_no_image_is_image_invalid(user: User) -> None:
    for sent in (b"GIF89a", b"<svg/>", b"<html>", b"%PDF-1.4", a_png()[:40]):
        await problem_of(await user.try_upload(sent), 422, "image_invalid")


async def test_an_image_over_10_mb_is_image_too_large(user: User) -> None:
    response = await user.try_upload(b"\x89PNG\r\n\x1a\n" + b"x" * (10 * 1024 * 1024))
    await problem_of(response, 413, "image_too_large")


async def test_after_every_refusal_the_quota_is_untouched(user: User) -> None:
    for sent, _, _ in list(BODIES.values())[:20]:
        await user.request(
            "POST", "/api/concepts/refine", data=sent, headers={"Content-Type": "application/json"}
        )
    assert (await user.get("/api/quota"))["refinements"]["used"] == 0
