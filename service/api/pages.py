"""The API's description, for programs and for people; both are made once at start."""

from __future__ import annotations

import json
from importlib import resources

import jinja2
from aiohttp import web
from aiohttp.typedefs import Handler

from service.api.openapi import describe

TEMPLATE = "docs.html.j2"
# the page is static text with one inline-free stylesheet of its own
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"


def add_description(app: web.Application, public_url: str) -> None:
    """Describe every address that the application has by now, at /openapi.json and /docs."""
    document = describe(app, public_url)
    folder = resources.files("service.api")
    page = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        folder.joinpath(TEMPLATE).read_text()
    )
    answers = {
        "/openapi.json": (json.dumps(document), "application/json"),
        "/docs": (page.render(document=document), "text/html"),
        "/docs.css": (folder.joinpath("docs.css").read_text(), "text/css"),
    }
    for path, (text, content_type) in answers.items():
        app.router.add_get(path, _always(text, content_type))


def _always(text: str, content_type: str) -> Handler:
    async def show(_request: web.Request) -> web.Response:
        return web.Response(
            text=text,
            content_type=content_type,
            headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"},
        )

    return show
