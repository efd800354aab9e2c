"""Write logs as one event a line: for people on a terminal, as JSON for machines."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import structlog
from pydantic_core import to_json
from structlog.typing import Processor

# What these say at info we say ourselves.
QUIET = ("asyncio", "aiohttp", "asyncpg", "pogo_core")


def configure_logs(level: str) -> None:
    """Send structlog's and the standard library's records to stderr in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: list[Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_as_json)]
    )
    # Our own records do not go through `logging`, which would cost each request more than
    # everything else that is done for its log line.
    structlog.configure(
        processors=[*shared, *final],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _as_json(event: Any, **_options: Any) -> str:
    try:
        return to_json(event, serialize_unknown=True).decode()
    except ValueError:  # half of a surrogate pair, or bytes that are no text
        return json.dumps(event, default=repr)
