"""What all views have in common."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import ClassVar, Literal
from uuid import UUID

from aiohttp import hdrs, web
from aiohttp_pydantic import PydanticView
from pydantic import ValidationError

from service.api.bodies import read_json
from service.api.errors import NotFound, RequestInvalid, invalid_from
from service.api.keys import AUTHENTICATOR, REQUEST_ID, USER_ID
from storage.tasks import Position

MAX_WAIT_S = 60
_WAIT = re.compile(r"(?:^|[,\s])wait\s*=\s*\"?(\d{1,9})\"?(?=$|[,;\s])", re.IGNORECASE)


class View(PydanticView):
    """A view that raises for what it cannot answer; `errors` says what that means in HTTP.

    `missing` is raised when a path parameter is not of its form: such a resource does not exist.
    Only an open view answers who has not signed in.
    """

    request: web.Request
    missing: ClassVar[type[Exception]] = NotFound
    is_open: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False

    async def _iter(self) -> web.StreamResponse:
        if not self.is_open:
            self.request[USER_ID] = await self.request.app[AUTHENTICATOR].user_of(
                self.request.headers.get(hdrs.AUTHORIZATION)
            )
        if self.takes_json and self.request.method == hdrs.METH_POST:
            await read_json(self.request)
        if self.request.method == hdrs.METH_HEAD and hdrs.METH_GET in self.allowed_methods:
            response: web.StreamResponse = await self.get()
            return response
        if self.request.method == hdrs.METH_OPTIONS:
            return web.Response(status=204, headers={hdrs.ALLOW: ", ".join(self.methods)})
        answered: web.StreamResponse = await super()._iter()
        return answered

    @property
    def methods(self) -> list[str]:
        """The methods that this address answers to."""
        implied = {hdrs.METH_OPTIONS}
        if hdrs.METH_GET in self.allowed_methods:
            implied.add(hdrs.METH_HEAD)
        return sorted(self.allowed_methods | implied)

    def _raise_allowed_methods(self) -> None:
        raise web.HTTPMethodNotAllowed(self.request.method, self.methods)

    async def on_validation_error(
        self,
        exception: ValidationError,
        context: Literal["body", "headers", "path", "query string"],
    ) -> web.StreamResponse:
        """Called by aiohttp-pydantic."""
        if context == "path":
            raise self.missing from exception
        raise invalid_from(exception) from exception

    @property
    def user_id(self) -> UUID:
        """Who asks."""
        return self.request[USER_ID]

    @property
    def request_id(self) -> str:
        """The id of this request."""
        return self.request[REQUEST_ID]


def wait_in(prefer: str | None) -> int | None:
    """The seconds of `Prefer: wait=N` (RFC 7240), at most 60; None without that preference."""
    found = _WAIT.search(prefer or "")
    return min(int(found[1]), MAX_WAIT_S) if found else None


def position_in(cursor: str | None) -> Position | None:
    """The position that a cursor stands for."""
    if cursor is None:
        return None
    try:
        when, _, which = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        return Position(datetime.fromisoformat(when).astimezone(UTC), UUID(which))
    except (ValueError, OverflowError) as error:
        raise RequestInvalid([(["cursor"], "is not a cursor of this list")]) from error


def link_to_next(request: web.Request, public_url: str, position: Position) -> str:
    """The `Link` header (RFC 8288) to the page that begins after a position."""
    cursor = base64.urlsafe_b64encode(
        f"{position.created_at.isoformat()}|{position.id}".encode()
    ).decode()
    following = request.rel_url.update_query(cursor=cursor)
    return f'<{public_url}{following}>; rel="next"'
