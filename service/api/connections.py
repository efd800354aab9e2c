"""What a connection may cost: bounded headers in bounded time, and problems for what is no HTTP."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_request import BaseRequest

from service.api.errors import HeadersTooLarge, RequestMalformed, internal_error, problem_for
from service.api.headers import DEFAULTS
from service.stopping import Stopping

log = structlog.get_logger()

HEADERS_S = 20.0
# longer than the load balancers that keep connections open longest, so that they close first
# https://cloud.google.com/load-balancing/docs/https#timeout-keepalive-backends
IDLE_S = 620.0
HEADER_BYTES = 16 * 1024
MAX_HEADERS = 100


class Connection(web.RequestHandler):
    """One client's connection. Who takes too long to say what is wanted is hung up on."""

    _headers_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        known = self._request_count
        super().data_received(data)
        if self._request_count > known:
            self._expect_nothing()
        elif self._headers_due is None and self._is_waiting:
            self._expect_headers()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by the event loop."""
        self._expect_nothing()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - quotes what was sent
    ) -> web.StreamResponse:
        """Called by aiohttp for what it cannot read, and for what broke outside of the views."""
        if request.writer.output_size > 0:
            raise ConnectionError("a part of another response has been sent")
        request_id = uuid4().hex
        if status >= 500:
            log.error("connection_broke", request_id=request_id, exc_info=exc)
            response: web.Response | None = internal_error(request_id)
        else:
            is_long = isinstance(exc, LineTooLong)
            log.info("request_malformed", request_id=request_id, error=type(exc).__name__)
            response = problem_for(HeadersTooLarge() if is_long else RequestMalformed(), request_id)
        assert response is not None
        # no view has been found, so nobody else adds them; an empty name hides aiohttp's own
        response.headers.update({**DEFAULTS, "X-Request-ID": request_id, "Server": ""})
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.force_close()
        return response

    def log_exception(self, *args: Any, **options: Any) -> None:
        """Called by aiohttp, once more for a body that could not be decoded and was answered so."""
        if not isinstance(options.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **options)

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered, up to the last byte."""
        return self._request_in_progress

    @property
    def _is_waiting(self) -> bool:
        """Whether there is no whole request to answer."""
        return self._waiter is not None and not self._waiter.done()

    def _expect_headers(self) -> None:
        self._headers_due = self._loop.call_later(HEADERS_S, self._hang_up)

    def _expect_nothing(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _hang_up(self) -> None:
        self._headers_due = None
        if self._is_waiting:
            self.force_close()


class Server(web.Server):
    """Makes such connections."""

    def __call__(self) -> Connection:
        """Called by the event loop for each that is opened."""
        return Connection(
            self,
            loop=self._loop,
            access_log=None,  # type: ignore[arg-type]  # as aiohttp documents it
            keepalive_timeout=IDLE_S,
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
            max_headers=MAX_HEADERS,
        )

    @property
    def is_busy(self) -> bool:
        """Whether any request is being answered."""
        return any(
            connection.is_busy
            for connection in self.connections
            if isinstance(connection, Connection)
        )


class Runner(web.AppRunner):
    """Runs an application on such a server; while it stops, every answer ends its connection."""

    def __init__(self, app: web.Application, stopping: Stopping, *, cut_off_s: float) -> None:
        super().__init__(app, shutdown_timeout=cut_off_s)
        self._stopping = stopping

    async def _make_server(self) -> Server:
        made = await super()._make_server()

        async def handle(request: BaseRequest) -> web.StreamResponse:
            try:
                response = await made.request_handler(request)
            except web.HTTPException as error:
                # raised before any of our own code is asked: the request expects what nobody does
                assert isinstance(request.protocol, Connection)
                response = request.protocol.handle_error(request, 400, error)
            if self._stopping.asked.is_set():
                response.force_close()
            return response

        return Server(handle, request_factory=made.request_factory)
