"""Hold every answer that a test provokes against the description."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from aiohttp import web
from openapi_schema_validator import OAS30Validator

from service.api import account, concepts, images, operations, tasks, webhooks
from service.api.openapi import describe
from service.api.wording import SOMETIMES

Json = dict[str, Any]
# what is not described of single answers, because it is on all of them or not about the API
UNSAID = {
    *("content-type", "content-length", "content-security-policy", "content-range"),
    *("date", "x-content-type-options", "allow", "accept-ranges", "last-modified"),
    *("strict-transport-security", "access-control-allow-origin", "access-control-expose-headers"),
    *("cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy"),
    *(
        "referrer-policy",
        "transfer-encoding",
        "content-encoding",
        "vary",
        "cache-control",
        "x-accel-buffering",
    ),
}


class Described:
    """Notes in `broken` every answer of the application that is not as described."""

    def __init__(self, app: web.Application) -> None:
        self.broken: list[str] = []
        app.on_response_prepare.append(self._check)

    async def _check(self, request: web.Request, response: web.StreamResponse) -> None:
        resource = request.match_info.route.resource
        described = strict_description()["paths"].get(resource.canonical if resource else "", {})
        operation = described.get(request.method.lower())
        if operation is None or request.match_info.http_exception is not None:
            return
        for trouble in troubles(operation, request.method, response):
            self.broken.append(f"{request.method} {request.path}: {response.status} {trouble}")


def troubles(operation: Json, method: str, response: web.StreamResponse) -> Iterator[str]:
    """What about an answer is not as its operation says."""
    promised = operation["responses"].get(str(response.status))
    if promised is None:
        yield "is a status that is not described"
        return
    given = {name.lower() for name in response.headers}
    names = {name.lower(): name for name in promised["headers"]}
    for name in names.keys() - given:
        if names[name] not in SOMETIMES:
            yield f"has no {names[name]}"
    for name in given - names.keys() - UNSAID:
        yield f"has an undescribed {name}"
    contents = promised.get("content", {})
    is_empty = not isinstance(response, web.Response) or response.body is None
    if is_empty and response.status in (204, 304):
        return
    if not contents:
        yield "has a body that is not described"
    elif response.content_type not in contents:
        yield f"is {response.content_type} and not {list(contents)}"
    elif isinstance(response, web.Response) and response.content_type.endswith("json"):
        assert isinstance(response.body, bytes | bytearray)
        yield from errors_of(json.loads(response.body), contents[response.content_type])


def errors_of(value: Any, content: Json) -> Iterator[str]:
    """What is wrong with a JSON value by the schema of its media type."""
    document = strict_description()
    schema = {**content["schema"], "components": document["components"]}
    for error in OAS30Validator(schema).iter_errors(value):
        yield f"{list(error.absolute_path)}: {error.message[:200]}"


@cache
def strict_description() -> Json:
    """The description, by which in addition nothing may have fields that it does not name."""
    app = web.Application()
    app.add_routes(all_routes())
    document: Json = copy.deepcopy(describe(app, "http://refiner.test"))
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return document


def all_routes() -> list[web.RouteDef]:
    """The routes of every view."""
    modules = (account, concepts, tasks, webhooks, operations, images)
    return [route for module in modules for route in module.ROUTES]
