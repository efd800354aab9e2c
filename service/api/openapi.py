"""Describe the API: generated from the views once at start, then completed and served as it is.

The generator knows paths, parameters, bodies and successes. What it cannot know stands in
`descriptions`, and tests hold all of it against what the service answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp_pydantic.oas.view import generate_oas
from pydantic import TypeAdapter

from service.api.descriptions import OPERATIONS, PAGES, Links, Operation, Page
from service.api.errors import catalogue, problem_body
from service.api.examples import OF_SCHEMA
from service.api.schemas import Problem
from service.api.wording import EXAMPLES, HEADERS, PARAMETERS, SOMETIMES
from service.engines.contract import Report

TITLE = "Concept refinement"
VERSION = "1.0.0"
SUMMARY = (
    "Refine existing visual concepts (logos, brand marks, flat graphics) by instruction. A request "
    "is answered at once with a task; follow it until it is `completed` or `failed`."
)
METHODS = ("get", "post", "delete")
REFS = "#/components/schemas/"
ON_EVERY_ANSWER = "X-Request-ID"

type Json = dict[str, Any]


def describe(app: web.Application, public_url: str) -> Json:
    """The OpenAPI 3.0 document of every address of the application."""
    document: Json = generate_oas([app], VERSION, TITLE)
    document["openapi"] = "3.0.3"
    document["info"]["description"] = SUMMARY
    document["servers"] = [{"url": public_url}]
    components = document["components"]
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    components["headers"] = {name: _header(name) for name in HEADERS}
    _add_schemas(components["schemas"])
    for path, page in PAGES.items():
        document["paths"][path] = {"get": _page(page)}
    _put_in_order(document["paths"])
    for path, method, described in _operations(document):
        if path not in PAGES:
            _complete(described, OPERATIONS[method, path])
    _make_valid(document)
    _rename(document)
    _add_examples(document)
    return document


def _put_in_order(paths: Json) -> None:
    """Order the methods of an address, which come out of a set."""
    for path, item in paths.items():
        paths[path] = {method: item[method] for method in METHODS if method in item}


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _header(name: str) -> Json:
    return {
        "description": HEADERS[name],
        "required": name not in SOMETIMES,
        "schema": {"type": "string"},
        "example": EXAMPLES[name],
    }


def _add_schemas(schemas: Json) -> None:
    """Add what no view's signature names, and what signatures cannot say of answers."""
    for name, kind in (("Problem", Problem), ("Report", Report)):
        schema = TypeAdapter(kind).json_schema(ref_template=f"{REFS}{{model}}")
        schemas.update(schema.pop("$defs"))
        schemas[name] = schema
    # a reference cannot be made nullable in OpenAPI 3.0, but what it refers to can
    schemas["Report"]["nullable"] = True
    for owner in ("TaskMetadataOut", "ConceptOut"):
        schemas[owner]["properties"]["report"] = {"$ref": f"{REFS}Report"}
    for name, schema in schemas.items():
        if name.endswith("Out"):
            schema["required"] = list(schema["properties"])
    for part in schemas["Problem"]["properties"].values():
        # what a problem does not have is left out
        _forbid_null(part)
        part.pop("default", None)
    schemas["Problem"]["properties"]["code"]["enum"] = list(catalogue())


def _forbid_null(schema: Json) -> None:
    options = schema.get("anyOf", [])
    schema.pop("nullable", None)
    if {"type": "null"} in options:
        options.remove({"type": "null"})


def _page(page: Page) -> Json:
    content = {page.content_type: {"schema": {"type": "string"}}}
    if page.content_type == "application/json":
        content = {page.content_type: {"schema": {"type": "object"}}}
    described: Json = {
        "operationId": page.name,
        "summary": page.text,
        "description": page.text,
        "tags": ["Pages"],
        "security": [],
        "responses": {"200": {"description": page.text, "content": content}},
    }
    if page.parameters:
        described["parameters"] = [
            {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
            for name in page.parameters
        ]
        _explain(described["parameters"])
    for status, text in page.more.items():
        described["responses"][status] = {"description": text}
    for status, codes in page.problems.items():
        described["responses"][status] = _problem(int(status), codes)
    _add_headers(described, page.headers)
    return described


def _complete(described: Json, operation: Operation) -> None:
    described["operationId"] = operation.name
    described["summary"] = described["description"].partition(".")[0]
    described["tags"] = [operation.tag]
    described["security"] = [{"bearer": []}] if operation.is_private else []
    _explain(described.get("parameters", []))
    if operation.body is not None:
        described["requestBody"] = dict(operation.body)
    responses = described["responses"]
    for status, text in operation.more.items():
        responses.setdefault(status, {})["description"] = text
    for status, content in operation.contents.items():
        responses[status]["content"] = dict(content)
    for status, codes in operation.all_problems.items():
        responses.setdefault(status, _problem(int(status), codes))
    for status, example in operation.examples.items():
        responses[status]["content"]["application/json"]["example"] = example
    for status, links in operation.links.items():
        responses[status]["links"] = _links(links)
    _add_headers(described, operation.headers)


def _explain(parameters: list[Json]) -> None:
    for parameter in parameters:
        name = parameter["name"].replace("_", "-") if parameter["in"] == "header" else ""
        known = next((known for known in PARAMETERS if known.lower() == name.lower()), None)
        parameter["name"] = known or parameter["name"]
        parameter["description"] = PARAMETERS[parameter["name"]]
        _forbid_null(parameter["schema"])


def _links(links: Links) -> Json:
    return {
        operation: {"operationId": operation, "parameters": {parameter: found}}
        for operation, (parameter, found) in links.items()
    }


def _add_headers(described: Json, headers: Mapping[str, tuple[str, ...]]) -> None:
    for status, response in described["responses"].items():
        names = [ON_EVERY_ANSWER, *headers.get(status, ())]
        if status == "401":
            names.append("WWW-Authenticate")
        if status == "503" and "Retry-After" not in names:
            names.append("Retry-After")
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _problem(status: int, codes: tuple[str, ...]) -> Json:
    meanings = catalogue()
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}",
        "content": {
            "application/problem+json": {
                "schema": {"$ref": f"{REFS}Problem"},
                "examples": {
                    code: {
                        "summary": meanings[code].details[0],
                        "value": problem_body(
                            meanings[code].status,
                            code,
                            meanings[code].details[0],
                            EXAMPLES["X-Request-ID"],
                        ),
                    }
                    for code in codes
                },
            }
        },
    }


def _add_examples(document: Json) -> None:
    """Show a body of each JSON answer and request for which the operation has no own example."""
    for _, _, described in _operations(document):
        bodies = [described.get("requestBody", {}), *described["responses"].values()]
        for body in bodies:
            content = body.get("content", {}).get("application/json", {})
            example = _example_of(content.get("schema", {}))
            if example is not None:
                content.setdefault("example", example)


def _example_of(schema: Json) -> Any:
    if schema.get("type") == "array":
        one = _example_of(schema["items"])
        return None if one is None else [one]
    return OF_SCHEMA.get(schema.get("$ref", "").removeprefix(REFS))


def _make_valid(node: Any) -> None:
    """Rewrite what JSON Schema says one way and OpenAPI 3.0 another, in all of it."""
    if isinstance(node, list):
        for item in node:
            _make_valid(item)
    if isinstance(node, dict):
        _rewrite(node)
        for name, item in list(node.items()):
            if not name.startswith("example"):
                _make_valid(item)


def _rewrite(node: Json) -> None:
    if isinstance(node.get("title"), str) and not node.keys().isdisjoint(("type", "anyOf")):
        # it is the name once more
        del node["title"]
    if "const" in node:
        node["enum"] = [node.pop("const")]
    options = node.get("anyOf", [])
    if {"type": "null"} in options:
        options.remove({"type": "null"})
        node["nullable"] = True
    if len(options) == 1 and "$ref" not in options[0]:
        node |= node.pop("anyOf")[0]
    if node.get("nullable") is True and "enum" in node:
        node["enum"] = [*node["enum"], None]


def _rename(document: Json) -> None:
    """Call schemas what the API's users call them, not what classes have to be called."""
    names = {
        name: name.removesuffix("Out") if not name.endswith("In") else f"{name[:-2]}Request"
        for name in document["components"]["schemas"]
    }
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = dict(
        sorted((names[name], schema) for name, schema in schemas.items())
    )
    _rename_references(document, names)


def _rename_references(node: Any, names: Mapping[str, str]) -> None:
    if isinstance(node, list):
        for item in node:
            _rename_references(item, names)
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(REFS):
            node["$ref"] = REFS + names[reference.removeprefix(REFS)]
        for item in node.values():
            _rename_references(item, names)
