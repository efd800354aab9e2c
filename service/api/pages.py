"""The API's description, for programs and for people; all of it is made once at start."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources

import jinja2
from aiohttp import web
from aiohttp.typedefs import Handler

from service.api.errors import NotFound, catalogue
from service.api.openapi import describe
from service.api.schemas import TASK_ERROR_CODES

FOLDER = resources.files("service.api")


def add_description(app: web.Application, public_url: str) -> None:
    """Describe every address that the application has by now, at /openapi.json and /docs, and
    what its problems mean below /problems."""
    document = describe(app, public_url)
    style = FOLDER.joinpath("docs.css").read_text()
    meanings = catalogue()
    page = _template("docs.html.j2").render(
        document=document, problems=meanings, failures=TASK_ERROR_CODES, style=style
    )
    problem = _template("problem.html.j2")
    explained = {
        code: problem.render(code=code, meaning=meaning, style=style)
        for code, meaning in meanings.items()
    }

    async def show_problem(request: web.Request) -> web.Response:
        text = explained.get(request.match_info["code"])
        if text is None:
            raise NotFound
        return _page(text, style)

    app.router.add_get("/openapi.json", _always(json.dumps(document)))
    app.router.add_get("/docs", _always_page(page, style))
    app.router.add_get("/problems/{code}", show_problem)


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(FOLDER.joinpath(name).read_text())


def _always(text: str) -> Handler:
    async def show(_request: web.Request) -> web.Response:
        return web.Response(
            text=text, content_type="application/json", headers={"Cache-Control": "no-cache"}
        )

    return show


def _always_page(text: str, style: str) -> Handler:
    async def show(_request: web.Request) -> web.Response:
        return _page(text, style)

    return show


def _page(text: str, style: str) -> web.Response:
    """A static page that may load nothing: its one style sheet is in it."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return web.Response(
        text=text,
        content_type="text/html",
        headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"},
    )
