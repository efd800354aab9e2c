"""Follow a request from the API through the queue to its end in a worker, when that is wanted.

What goes to a collector is made in `spans`, with the packages of the extra `otel`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Protocol

import structlog

from service.settings import Settings

log = structlog.get_logger()

TRACEPARENT = "traceparent"

type Attributes = Mapping[str, str | int | float | bool]

_NOTHING = nullcontext()


class Tracing(Protocol):
    """What can be followed. A span tells nothing that a person wrote, no token and no signature."""

    def serving(
        self, method: str, route: str | None, headers: Mapping[str, str], about: Attributes, /
    ) -> AbstractContextManager[None]:
        """A request that is being answered; it joins the trace that its headers name."""

    def publishing(self) -> AbstractContextManager[None]:
        """A message that is given to the queue."""

    def processing(self, attributes: Mapping[str, str], /) -> AbstractContextManager[None]:
        """A message that is being worked off; it joins the trace that its attributes name."""

    def span(self, name: str, /) -> AbstractContextManager[None]:
        """A part of what is being done."""

    def note(self, about: Attributes, /) -> None:
        """Say something about what is being done."""

    def fail(self, kind: str, /) -> None:
        """Mark what is being done as failed, with one word for the reason."""

    def traceparent(self) -> str | None:
        """What others need to join the trace; None when there is none."""


class Untraced:
    """Follows nothing, and costs nothing."""

    def serving(self, *_about: object) -> AbstractContextManager[None]:
        """As if it were followed."""
        return _NOTHING

    publishing = processing = span = serving

    def note(self, *_about: object) -> None:
        """Forget it."""

    fail = note

    def traceparent(self) -> str | None:
        """There is no trace."""
        return None


UNTRACED = Untraced()


@asynccontextmanager
async def open_tracing(settings: Settings) -> AsyncIterator[Tracing]:
    """Send spans for as long as the context is open, if the settings name a collector."""
    if not settings.is_traced:
        yield UNTRACED
        return
    try:
        from service.spans import Spans, start_exporting, stop_exporting  # an optional extra
    except ModuleNotFoundError as error:
        log.warning("traces_need_the_extra_otel", missing=error.name)
        yield UNTRACED
        return
    provider = start_exporting(settings.otel_service_name)
    try:
        yield Spans(provider, settings.queue_url)
    finally:
        await stop_exporting(provider)
