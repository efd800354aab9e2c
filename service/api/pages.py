"""The API's description, for programs and for people."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from functools import cache, cached_property
from importlib import resources

import jinja2
from aiohttp import web

from service.api.errors import NotFound, catalogue
from service.api.openapi import Json, describe
from service.api.schemas import TASK_ERROR_CODES

FOLDER = resources.files("service.api")
CHANGES_SELDOM = {"Cache-Control": "no-cache"}


def add_description(app: web.Application, public_url: str) -> None:
    """Describe every address of the application at /openapi.json and /docs, and what its problems
    mean below /problems."""
    description = Description(app, public_url)

    async def show_document(_request: web.Request) -> web.Response:
        text = await asyncio.to_thread(lambda: description.as_json)
        return web.Response(text=text, content_type="application/json", headers=CHANGES_SELDOM)

    async def show_page(_request: web.Request) -> web.Response:
        return _page(await asyncio.to_thread(lambda: description.as_page))

    async def show_problem(request: web.Request) -> web.Response:
        pages = await asyncio.to_thread(lambda: description.of_problems)
        text = pages.get(request.match_info["code"])
        if text is None:
            raise NotFound
        return _page(text)

    app.router.add_get("/openapi.json", show_document)
    app.router.add_get("/docs", show_page)
    app.router.add_get("/problems/{code}", show_problem)


class Description:
    """What is said of an application, made when somebody first asks: it takes longer than all the
    rest of a start."""

    def __init__(self, app: web.Application, public_url: str) -> None:
        self._app = app
        self._public_url = public_url

    @cached_property
    def _document(self) -> Json:
        return describe(self._app, self._public_url)

    @cached_property
    def as_json(self) -> str:
        """The OpenAPI document."""
        return json.dumps(self._document)

    @cached_property
    def as_page(self) -> str:
        """The same for people."""
        return _template("docs.html.j2").render(
            document=self._document,
            problems=catalogue(),
            failures=TASK_ERROR_CODES,
            style=_style(),
        )

    @cached_property
    def of_problems(self) -> dict[str, str]:
        """What each code means."""
        page = _template("problem.html.j2")
        return {
            code: page.render(code=code, meaning=meaning, style=_style())
            for code, meaning in catalogue().items()
        }


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(FOLDER.joinpath(name).read_text())


@cache
def _style() -> str:
    return FOLDER.joinpath("docs.css").read_text()


def _page(text: str) -> web.Response:
    """A static page that may load nothing: its one style sheet is in it."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return web.Response(
        text=text,
        content_type="text/html",
        headers={"Content-Security-Policy": policy, **CHANGES_SELDOM},
    )
