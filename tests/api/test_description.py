"""The description is valid, complete and true. That answers are as described is checked for every
answer in every test of the API: see `described`."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from service.api.errors import catalogue
from tests.api.described import Json, errors_of, strict_description
from tests.api.harness import Service, User, a_png

METHODS = {"get", "post", "delete"}
STATIC = "/studio/{path}"


async def description(service: Service) -> Json:
    """What the service says of itself."""
    async with service.session.get(f"{service.base}/openapi.json") as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        found: Json = await response.json()
        return found


def operations(document: Json) -> list[tuple[str, Json]]:
    """Every operation with a name for people."""
    return [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


OPERATIONS = operations(strict_description())


async def test_the_description_is_valid_openapi(service: Service) -> None:
    validate(await description(service))


async def test_every_address_is_described_and_no_other(service: Service) -> None:
    described = await description(service)
    served: dict[str, set[str]] = {}
    for route in service.app.router.routes():
        assert route.resource is not None
        methods = getattr(route.handler, "allowed_methods", None) or {route.method}
        known = served.setdefault(route.resource.canonical, set())
        known |= {method.lower() for method in methods} & METHODS
    del served[STATIC]
    assert {path: set(item) for path, item in described["paths"].items()} == served


async def test_operations_have_names_of_their_own_and_words(service: Service) -> None:
    found = [operation for _, operation in operations(await description(service))]
    names = [operation["operationId"] for operation in found]
    assert len(names) == len(set(names))
    for operation in found:
        assert operation["summary"]
        assert operation["tags"]
        assert all(parameter["description"] for parameter in operation.get("parameters", []))
        assert all(answer["description"] for answer in operation["responses"].values())


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_examples_are_as_the_schemas_say(name: str, operation: Json) -> None:
    for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
        for kind, content in body.get("content", {}).items():
            if kind.endswith("json") and "$ref" in str(content["schema"]):
                shown = [one["value"] for one in content.get("examples", {}).values()]
                shown += [content["example"]] if "example" in content else []
                assert shown, f"{kind} has no example"
                assert [error for one in shown for error in errors_of(one, content)] == []


def test_each_problem_is_described_under_its_own_status() -> None:
    known = catalogue()
    for name, operation in OPERATIONS:
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                for code in content.get("examples", {}):
                    assert known[code].status == int(status), name
    described = {
        code
        for _, operation in OPERATIONS
        for answer in operation["responses"].values()
        for content in answer.get("content", {}).values()
        for code in content.get("examples", {})
    }
    # said of methods that are not described, and of what is no HTTP
    undescribed = {"method_not_allowed", "malformed_request", "headers_too_large"}
    assert described == known.keys() - undescribed


async def test_the_type_of_a_problem_leads_to_what_it_means(service: Service) -> None:
    response = await User(service.session, service.base, "x", "").request("GET", "/api/tasks")
    problem = await response.json()
    async with service.session.get(f"{service.base}{problem['type']}") as page:
        assert page.status == 200
        assert page.content_type == "text/html"
        assert problem["detail"] in await page.text()
    for code in catalogue():
        async with service.session.get(f"{service.base}/problems/{code}") as page:
            assert page.status == 200, code
    async with service.session.get(f"{service.base}/problems/tiredness") as page:
        assert page.status == 404
        assert (await page.json())["code"] == "not_found"


async def test_the_page_says_all_of_it_and_needs_no_other_host(service: Service) -> None:
    document = await description(service)
    async with service.session.get(f"{service.base}/docs") as response:
        page = await response.text()
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in page, name
    for schema in document["components"]["schemas"]:
        assert f'id="{schema}"' in page
    for code in catalogue():
        assert f'id="{code}"' in page
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert links
    for link in links:
        assert link.startswith(("#", "/")), link
        if link.startswith("#"):
            assert f'id="{link[1:]}"' in page, link


async def test_a_wrong_answer_would_have_been_noticed() -> None:
    """The check that every test relies on can fail."""
    quota: dict[str, Any] = {"limit": 10, "used": 3, "remaining": 7, "period": "month"}
    content = {"schema": {"$ref": "#/components/schemas/Quota"}}
    assert list(errors_of({"refinements": quota}, content))
    quota["resets_at"] = "2026-02-01T00:00:00.000000Z"
    assert not list(errors_of({"refinements": quota}, content))
    assert list(errors_of({"refinements": {**quota, "more": 1}}, content))
    assert list(errors_of({"refinements": {**quota, "used": "3"}}, content))


async def test_links_lead_from_one_operation_to_the_next(user: User) -> None:
    paths = strict_description()["paths"]
    concept = await user.upload(a_png())
    response = await user.refine(concept["image_url"])
    task = await response.json()
    await user.ended(task["task_id"])
    for answer, body in (
        (paths["/api/concepts"]["post"]["responses"]["201"], concept),
        (paths["/api/concepts/refine"]["post"]["responses"]["202"], task),
    ):
        for link in answer["links"].values():
            [(parameter, found)] = link["parameters"].items()
            path, method = next(
                (path, method)
                for path, item in paths.items()
                for method, operation in item.items()
                if operation["operationId"] == link["operationId"]
            )
            identity = body[found.removeprefix("$response.body#/")]
            reached = await user.request(method, path.replace(f"{{{parameter}}}", identity))
            assert reached.status in (200, 204), link
