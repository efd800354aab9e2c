"""What the description says of each operation beyond what its view's signature tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.api import examples

type Codes = tuple[str, ...]

TOKEN: Codes = ("authentication_required", "token_invalid", "token_expired")
AWAY: Codes = ("service_unavailable",)
INVALID: Codes = ("validation_error",)
RATE_LIMIT = (
    "RateLimit-Policy",
    "RateLimit",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-RateLimit-Period",
)
NO_TASK: Mapping[str, Codes] = {"404": ("task_not_found",)}
NO_CONCEPT: Mapping[str, Codes] = {"404": ("concept_not_found",)}
NO_WEBHOOK: Mapping[str, Codes] = {"404": ("webhook_not_found",)}
BODY: Mapping[str, Codes] = {
    "400": ("malformed_json",),
    "408": ("request_timeout",),
    "413": ("payload_too_large",),
    "415": ("unsupported_media_type",),
    "422": INVALID,
}
TASK_TAGS = {
    "200": ("ETag", "Cache-Control", "Preference-Applied"),
    "304": ("ETag", "Cache-Control", "Preference-Applied"),
}
TASK_EXAMPLE = {"200": examples.COMPLETED}
UNCHANGED = {"304": "It has not changed from the tags in `If-None-Match`"}

DESCRIPTION = {"type": "string", "maxLength": 2000}
UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {
                    "image": {"type": "string", "format": "binary"},
                    "logo_description": DESCRIPTION,
                    "theme_description": DESCRIPTION,
                },
            },
            "encoding": {"image": {"contentType": "image/png, image/jpeg, image/webp"}},
        }
    },
}
BINARY = {"schema": {"type": "string", "format": "binary"}}
TEXT = {"schema": {"type": "string"}}
STREAM = {**TEXT, "example": examples.EVENTS}
HTML = {"200": {"text/html": TEXT}}

FOLLOWED = {
    "getTask": ("task_id", "$response.body#/task_id"),
    "followTask": ("task_id", "$response.body#/task_id"),
    "cancelTask": ("task_id", "$response.body#/task_id"),
    "deleteTask": ("task_id", "$response.body#/task_id"),
}
"""Operations on the task in a body: their names, and the parameter that is found in the body."""
OF_CONCEPT = {
    "getConcept": ("concept_id", "$response.body#/concept_id"),
    "getLineage": ("concept_id", "$response.body#/concept_id"),
    "deleteConcept": ("concept_id", "$response.body#/concept_id"),
}
OF_WEBHOOK = {
    "getWebhook": ("webhook_id", "$response.body#/webhook_id"),
    "testWebhook": ("webhook_id", "$response.body#/webhook_id"),
    "listDeliveries": ("webhook_id", "$response.body#/webhook_id"),
    "deleteWebhook": ("webhook_id", "$response.body#/webhook_id"),
}

type Links = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `problems`, `headers`, `contents`, `examples`, `links` and `more` are by
    status.

    A private one also answers 401 and 503, which need not be said each time.
    """

    name: str
    tag: str
    problems: Mapping[str, Codes] = field(default_factory=dict)
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    examples: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Links] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    is_private: bool = True

    @property
    def all_problems(self) -> Mapping[str, Codes]:
        """The problems that it may answer, those of every private operation included."""
        common = {"401": TOKEN, "503": AWAY} if self.is_private else {}
        return {**self.problems, **common, "500": ("internal_error",)}


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("post", "/api/auth/guest"): Operation(
        "signInAsGuest", "Account", {"404": ("not_found",)}, is_private=False
    ),
    ("get", "/api/quota"): Operation("getQuota", "Account"),
    ("get", "/api/concepts"): Operation(
        "listConcepts", "Concepts", {"422": INVALID}, {"200": ("Link",)}
    ),
    ("post", "/api/concepts"): Operation(
        "uploadConcept",
        "Concepts",
        {
            "408": ("request_timeout",),
            "413": ("image_too_large", "payload_too_large"),
            "415": ("unsupported_media_type",),
            "422": ("image_invalid", "validation_error"),
        },
        {"201": ("Location",)},
        links={"201": OF_CONCEPT},
        body=UPLOAD,
    ),
    ("get", "/api/concepts/{concept_id}"): Operation("getConcept", "Concepts", NO_CONCEPT),
    ("delete", "/api/concepts/{concept_id}"): Operation("deleteConcept", "Concepts", NO_CONCEPT),
    ("get", "/api/concepts/{concept_id}/lineage"): Operation("getLineage", "Concepts", NO_CONCEPT),
    ("post", "/api/concepts/refine"): Operation(
        "refineConcept",
        "Refinement",
        {
            **BODY,
            "404": ("concept_not_found",),
            "422": ("validation_error", "idempotency_key_reused"),
            "429": ("quota_exceeded",),
        },
        {
            "202": ("Location", "Retry-After", *RATE_LIMIT, "Preference-Applied"),
            "200": ("Location", *RATE_LIMIT, "Preference-Applied"),
            "409": ("Location", *RATE_LIMIT),
            "429": ("Retry-After", *RATE_LIMIT),
        },
        examples={"200": examples.COMPLETED, "409": examples.CONFLICT},
        links={"202": FOLLOWED},
    ),
    ("get", "/api/concepts/task/{task_id}"): Operation(
        "getConceptTask", "Tasks", NO_TASK, TASK_TAGS, examples=TASK_EXAMPLE, more=UNCHANGED
    ),
    ("get", "/api/tasks/{task_id}"): Operation(
        "getTask", "Tasks", NO_TASK, TASK_TAGS, examples=TASK_EXAMPLE, more=UNCHANGED
    ),
    ("delete", "/api/tasks/{task_id}"): Operation(
        "deleteTask", "Tasks", {**NO_TASK, "409": ("task_active",)}
    ),
    ("get", "/api/tasks"): Operation("listTasks", "Tasks", {"422": INVALID}, {"200": ("Link",)}),
    ("post", "/api/tasks/{task_id}/cancel"): Operation(
        "cancelTask",
        "Tasks",
        NO_TASK,
        {"200": ("ETag",)},
        examples={"200": examples.CANCELED},
    ),
    ("get", "/api/tasks/{task_id}/events"): Operation(
        "followTask",
        "Tasks",
        {**NO_TASK, "429": ("too_many_streams",)},
        headers={"200": ("Cache-Control",), "429": ("Retry-After",)},
        contents={"200": {"text/event-stream": STREAM}},
        more={"204": "There is nothing after `Last-Event-ID`: the task has ended"},
    ),
    ("get", "/api/webhooks"): Operation("listWebhooks", "Webhooks"),
    ("post", "/api/webhooks"): Operation(
        "addWebhook",
        "Webhooks",
        {**BODY, "409": ("too_many_webhooks",)},
        {"201": ("Location",)},
        links={"201": OF_WEBHOOK},
    ),
    ("get", "/api/webhooks/{webhook_id}"): Operation("getWebhook", "Webhooks", NO_WEBHOOK),
    ("delete", "/api/webhooks/{webhook_id}"): Operation("deleteWebhook", "Webhooks", NO_WEBHOOK),
    ("post", "/api/webhooks/{webhook_id}/test"): Operation(
        "testWebhook",
        "Webhooks",
        {**NO_WEBHOOK, "409": ("webhook_disabled",)},
        {"202": ("Location",)},
        examples={"202": examples.TEST_DELIVERY},
    ),
    ("get", "/api/webhooks/{webhook_id}/deliveries"): Operation(
        "listDeliveries", "Webhooks", {**NO_WEBHOOK, "422": INVALID}, {"200": ("Link",)}
    ),
    ("get", "/images/{key}"): Operation(
        "getImage",
        "Images",
        {"404": ("not_found",), "503": AWAY},
        {"200": ("Cache-Control", "ETag"), "206": ("ETag",), "304": ("ETag",)},
        contents={
            status: dict.fromkeys(
                ("image/png", "image/jpeg", "image/webp", "image/svg+xml"), BINARY
            )
            for status in ("200", "206")
        },
        more={
            "304": "It is the one that `If-None-Match` names",
            "206": "The part that `Range` asks for",
            "412": "It is not the one that `If-Match` names",
            "416": "`Range` asks for what is not in it",
        },
        is_private=False,
    ),
    ("get", "/healthz"): Operation("getHealth", "Operations", is_private=False),
    ("get", "/readyz"): Operation(
        "getReadiness",
        "Operations",
        headers={"503": ("Retry-After",)},
        examples={"503": examples.NOT_READY},
        is_private=False,
    ),
    ("get", "/metrics"): Operation(
        "getMetrics", "Operations", contents={"200": {"text/plain": TEXT}}, is_private=False
    ),
}


@dataclass(frozen=True, slots=True)
class Page:
    """An address that is no view: what one gets there, of which kind."""

    name: str
    text: str
    content_type: str
    problems: Mapping[str, Codes] = field(default_factory=dict)
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()


PAGES: Mapping[str, Page] = {
    "/": Page(
        "getStudio",
        "The studio: a page to upload, refine, compare and follow the history",
        "text/html",
        headers={"200": ("ETag", "Cache-Control"), "304": ("ETag", "Cache-Control")},
        more=UNCHANGED,
    ),
    "/docs": Page("getDocumentation", "This description as a page", "text/html"),
    "/openapi.json": Page("getDescription", "This description", "application/json"),
    "/problems/{code}": Page(
        "getProblem",
        "What a problem means: where the `type` of problem documents leads",
        "text/html",
        {"404": ("not_found",)},
        parameters=("code",),
    ),
}
