"""The public JSON: what requests may say and what answers look like."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainSerializer

from service.engines.contract import PreserveAspect
from service.webhooks import may_be_told

MAX_TEXT_CHARS = 2_000
MAX_URL_CHARS = 2_048


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain the NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must not contain half of a surrogate pair") from None
    return value


def _absent_when_empty(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _absolute_http(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_good = is_good and (parts.port is None or parts.port > 0)
    except ValueError:
        is_good = False
    if not is_good or not value.isprintable() or " " in value:
        raise ValueError("must be an absolute http or https URL")
    return value


def _https_to_the_world(value: str) -> str:
    if not may_be_told(_absolute_http(value)):
        raise ValueError("must be an https URL of a host on the public internet")
    return value


def _once(values: list[TaskEvent]) -> list[TaskEvent]:
    return [event for event in TASK_EVENTS if event in values]


def in_utc(value: datetime) -> str:
    """A time as every answer shows it (RFC 3339), always of the same length."""
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


type TaskEvent = Literal["task.completed", "task.failed"]
TASK_EVENTS: tuple[TaskEvent, ...] = ("task.completed", "task.failed")
TASK_ERROR_CODES = (
    "canceled",
    "timed_out",
    "source_unavailable",
    "source_invalid",
    "source_too_large",
    "content_rejected",
    "nothing_to_apply",
    "engine_unavailable",
    "engine_failed",
    "internal_error",
)
# a plain name, not a `type`: the description has to say it in place, with null beside it
DeliveryError = Literal[
    "refused",
    "redirected",
    "timed_out",
    "unreachable",
    "address_refused",
    "certificate_invalid",
    "gone",
    "task_deleted",
    "internal_error",
]
Text = Annotated[str, AfterValidator(_storable)]
Description = Annotated[
    Annotated[Text, Field(max_length=MAX_TEXT_CHARS)] | None, BeforeValidator(_absent_when_empty)
]
Time = Annotated[datetime, PlainSerializer(in_utc, return_type=str)]


class RefineIn(BaseModel):
    """A wish to refine an image. Unknown fields are ignored."""

    original_image_url: Annotated[
        str,
        Field(max_length=MAX_URL_CHARS, json_schema_extra={"format": "uri"}),
        AfterValidator(_absolute_http),
    ]
    refinement_prompt: Annotated[
        Text,
        BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value),
        Field(min_length=1, max_length=MAX_TEXT_CHARS),
    ]
    logo_description: Description = None
    theme_description: Description = None
    preserve_aspects: Annotated[list[PreserveAspect] | None, Field(max_length=20)] = None


class DescriptionsIn(BaseModel):
    """What may accompany an uploaded image."""

    logo_description: Description = None
    theme_description: Description = None


class GuestOut(BaseModel):
    """A fresh anonymous user and a token that speaks for it."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme, not a token
    expires_in: int
    user_id: UUID


class TaskMetadataOut(BaseModel):
    """What was asked; `report` is there once an engine has given one."""

    original_image_url: str
    refinement_prompt: str
    logo_description: str | None
    theme_description: str | None
    preserve_aspects: list[str] | None = None
    report: dict[str, Any] | None = None


class TaskOut(BaseModel):
    """A refinement task. Clients stop on `completed` and `failed`."""

    task_id: UUID
    status: Literal["pending", "processing", "completed", "failed"]
    message: str
    type: Literal["concept_refinement"] = "concept_refinement"
    created_at: Time
    updated_at: Time | None
    completed_at: Time | None
    metadata: TaskMetadataOut
    result_id: UUID | None
    image_url: str | None
    error_message: str | None
    error_code: Annotated[str, Field(json_schema_extra={"enum": list(TASK_ERROR_CODES)})] | None
    progress: float
    attempt: int
    concept_id: UUID | None


class ConceptOut(BaseModel):
    """One image and where it came from."""

    concept_id: UUID
    parent_id: UUID | None
    parent_deleted: bool
    root_id: UUID
    task_id: UUID | None
    image_url: str
    content_type: str
    width: int
    height: int
    refinement_prompt: str | None
    logo_description: str | None
    theme_description: str | None
    engine: str | None
    report: dict[str, Any] | None
    created_at: Time


class WebhookIn(BaseModel):
    """Where to send which events. Unknown fields are ignored."""

    url: Annotated[
        str,
        Field(max_length=MAX_URL_CHARS, json_schema_extra={"format": "uri"}),
        AfterValidator(_https_to_the_world),
    ]
    events: Annotated[
        list[TaskEvent], Field(min_length=1, max_length=len(TASK_EVENTS)), AfterValidator(_once)
    ] = list(TASK_EVENTS)


class WebhookOut(BaseModel):
    """Where events are sent; nowhere any more once it has been disabled."""

    webhook_id: UUID
    url: str
    events: list[TaskEvent]
    created_at: Time
    disabled_at: Time | None


class NewWebhookOut(WebhookOut):
    """A new webhook with the secret that its deliveries are signed with, shown this once."""

    secret: str


class DeliveryOut(BaseModel):
    """One event for one webhook. `error` is that of the last attempt."""

    delivery_id: UUID
    webhook_id: UUID
    event: Literal["task.completed", "task.failed", "webhook.test"]
    task_id: UUID | None
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    created_at: Time
    last_attempt_at: Time | None
    next_attempt_at: Time | None
    response_status: int | None
    error: DeliveryError | None


class RefinementsOut(BaseModel):
    """The quota of one calendar month (UTC)."""

    limit: int
    used: int
    remaining: int
    period: Literal["month"] = "month"
    resets_at: Time


class QuotaOut(BaseModel):
    """What the user may still do."""

    refinements: RefinementsOut


class ChecksOut(BaseModel):
    """`ok`, or a word on what is wrong."""

    database: str
    queue: str
    storage: str


class ReadyOut(BaseModel):
    """Whether the service can do its work now; `engines` tells which are left alone for a while."""

    status: Literal["ok", "unavailable"]
    checks: ChecksOut
    engines: dict[str, str]


class AliveOut(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class FieldError(BaseModel):
    """What is wrong with one value; `loc` is the path to it."""

    loc: list[str | int]
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457). `message` repeats `detail` for clients that read only that."""

    type: str
    title: str
    status: int
    detail: str
    message: str
    code: str
    request_id: str
    errors: list[FieldError] | None = None
    limit: int | None = None
    used: int | None = None
    period: str | None = None
    reset_after_seconds: int | None = None
