"""What headers and parameters mean, in the words of the description."""

from __future__ import annotations

from collections.abc import Mapping

HEADERS: Mapping[str, str] = {
    "X-Request-ID": "Names this request in our logs; a good one of yours is kept",
    "WWW-Authenticate": "`Bearer`",
    "Location": "The address of the resource",
    "Retry-After": "Seconds after which to ask again",
    "Link": 'The next page, `rel="next"` (RFC 8288)',
    "ETag": "The version of what is shown; the same on every instance and address",
    "Preference-Applied": "The preference that was honoured (RFC 7240)",
    "RateLimit-Policy": "The quota and its window in seconds",
    "RateLimit": "What is left and the seconds to the reset",
    "X-RateLimit-Limit": "Refinements a month",
    "X-RateLimit-Remaining": "Refinements left this month",
    "X-RateLimit-Reset": "When the month ends, in epoch seconds",
    "X-RateLimit-Period": "`month`",
    "Cache-Control": "How long the answer may be kept",
}
SOMETIMES = frozenset({"Link", "Preference-Applied"})
"""Headers that are not in every answer of the status they are described for."""

EXAMPLES: Mapping[str, str] = {
    "X-Request-ID": "5f3a9c0e8d7b4a6f9e1c2d3b4a5f6e7d",
    "WWW-Authenticate": "Bearer",
    "Location": "/api/tasks/9c1f7a3e-52c8-4f0b-8e0a-7d1b2c3d4e5f",
    "Retry-After": "2",
    "Link": '<https://refiner.example/api/tasks?limit=10&cursor=MjAyNi0wMS0wMQ%3D%3D>; rel="next"',
    "ETag": '"3"',
    "Preference-Applied": "wait=30",
    "RateLimit-Policy": '"refine";q=10;w=2678400',
    "RateLimit": '"refine";r=7;t=2635200',
    "X-RateLimit-Limit": "10",
    "X-RateLimit-Remaining": "7",
    "X-RateLimit-Reset": "1769904000",
    "X-RateLimit-Period": "month",
    "Cache-Control": "private, no-cache",
}

PARAMETERS: Mapping[str, str] = {
    "limit": "How many to show",
    "cursor": "Where the page begins; taken from `Link`, never made up",
    "status": "Only tasks of this status",
    "concept_id": "The concept",
    "task_id": "The task",
    "webhook_id": "The webhook",
    "key": "The image's key; it has slashes in it",
    "exp": "When the address expires; part of its signature",
    "sig": "The signature of the address",
    "code": "The `code` of a problem",
    "Idempotency-Key": (
        "Makes a retry safe: the same key with the same body gives the same task, for 24 hours"
    ),
    "Prefer": "`wait=N` holds the answer for up to N seconds, 60 at most (RFC 7240)",
    "If-None-Match": "`ETag`s that are known; answers 304 when nothing has changed",
    "Last-Event-ID": "The `id` of the last event seen; the stream goes on after it",
}
