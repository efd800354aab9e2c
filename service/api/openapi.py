"""Describe the API: generated from the views once at start, then completed and served as it is.

The generator knows paths, parameters, bodies and successes. What it cannot know stands here, one
line an operation, and a test compares it with what the service answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp_pydantic.oas.view import generate_oas

from service.api.descriptions import OPERATIONS, Operation
from service.api.schemas import Problem

TITLE = "Concept refinement"
VERSION = "1.0.0"
SUMMARY = (
    "Refine existing visual concepts (logos, brand marks, flat graphics) by instruction. A request "
    "is answered at once with a task; follow it until it is `completed` or `failed`."
)
METHODS = ("get", "post", "delete")

type Json = dict[str, Any]


def describe(app: web.Application, public_url: str) -> Json:
    """The OpenAPI 3.0 document of every address of the application."""
    document: Json = generate_oas([app], VERSION, TITLE)
    document["openapi"] = "3.0.3"
    document["info"]["description"] = SUMMARY
    document["servers"] = [{"url": public_url}]
    schemas = document["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schemas["Problem"].pop("$defs"))
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    for path, method, described in _operations(document):
        _complete(described, OPERATIONS[method, path])
    _make_valid(document)
    return document


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _complete(described: Json, operation: Operation) -> None:
    described["operationId"] = operation.name
    described["tags"] = [operation.tag]
    described["security"] = [{"bearer": []}] if operation.is_private else []
    for parameter in described.get("parameters", []):
        if parameter["in"] == "header":
            parameter["name"] = parameter["name"].replace("_", "-").title()
    if operation.body is not None:
        described["requestBody"] = dict(operation.body)
    for status, content in operation.contents.items():
        described["responses"][status]["content"] = dict(content)
    for status, text in operation.more.items():
        described["responses"][status] = {"description": text}
    for status, codes in operation.all_problems.items():
        described["responses"].setdefault(status, _problem(int(status), codes))
    for status, names in operation.headers.items():
        described["responses"][status]["headers"] = {
            name: {"schema": {"type": "string"}, "description": HEADERS[name]} for name in names
        }


def _problem(status: int, codes: tuple[str, ...]) -> Json:
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }


HEADERS: Mapping[str, str] = {
    "Location": "The address of the resource",
    "Retry-After": "Seconds after which to ask again",
    "Link": 'The next page, `rel="next"` (RFC 8288)',
    "ETag": "The version of the task; the same on every instance and both addresses",
    "Preference-Applied": "The preference that was honoured (RFC 7240)",
    "RateLimit-Policy": "The quota and its window in seconds",
    "RateLimit": "What is left and the seconds to the reset",
    "X-RateLimit-Limit": "Refinements a month",
    "X-RateLimit-Remaining": "Refinements left this month",
    "X-RateLimit-Reset": "When the month ends, in epoch seconds",
    "X-RateLimit-Period": "`month`",
    "Cache-Control": "How long the answer may be kept",
}


def _make_valid(node: Any) -> None:
    """Rewrite what JSON Schema says one way and OpenAPI 3.0 another."""
    if isinstance(node, list):
        for item in node:
            _make_valid(item)
    if isinstance(node, dict):
        if "const" in node:
            node["enum"] = [node.pop("const")]
        options = node.get("anyOf", [])
        if {"type": "null"} in options:
            options.remove({"type": "null"})
            node["nullable"] = True
            if len(options) == 1 and "$ref" not in options[0]:
                node |= node.pop("anyOf")[0]
        for item in list(node.values()):
            _make_valid(item)
