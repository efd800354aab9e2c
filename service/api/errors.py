"""Turn every failure into a problem document (RFC 9457): the one place that maps errors to HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from queueing.contract import QueueUnavailable
from queueing.pubsub.push import PushMalformed, PushRefused
from service.auth import AuthenticationRequired, TokenExpired, TokenInvalid
from service.intake import ImageInvalid, ImageTooLarge
from service.jwks import KeysUnavailable
from storage.database import DatabaseUnavailable
from storage.images.contract import ImageMissing, ImageStoreUnavailable
from storage.images.files import LinkExpired, LinkInvalid
from storage.task import Quota

RETRY_AFTER_S = 5


class NotFound(Exception):
    """There is nothing at this address."""


class ConceptNotFound(Exception):
    """There is no such concept."""


class SourceNotFound(Exception):
    """The image is neither one of your concepts nor on an allowed host."""


class TaskNotFound(Exception):
    """There is no such task."""


class TaskIsActive(Exception):
    """The task is still active. Cancel it first, or wait until it has ended."""


class WebhookNotFound(Exception):
    """There is no such webhook."""


class WebhookIsDisabled(Exception):
    """The webhook has been disabled: its server answered 410. Make a new one."""


class TooManyWebhooks(Exception):
    """There are as many webhooks as there may be. Delete one first."""


class IdempotencyKeyReused(Exception):
    """This Idempotency-Key was used before with another request."""


class MalformedJson(Exception):
    """The body is not well-formed JSON."""


class RequestMalformed(Exception):
    """This is not a well-formed HTTP request."""


class HeadersTooLarge(Exception):
    """The address or the headers are longer than this service takes."""


class BodyTooSlow(Exception):
    """The body took too long to arrive."""


class TooManyStreams(Exception):
    """You follow as many tasks as you may at once. End a stream first."""


class StreamsFull(Exception):
    """No more streams can be followed here at the moment. Poll instead, or come back."""


class UnsupportedMediaType(Exception):
    """The body has to be application/json in UTF-8."""


class MultipartRequired(Exception):
    """The body has to be multipart/form-data with a file named `image`."""


class PayloadTooLarge(Exception):
    """The body is larger than this address takes."""


class WorkerBusy(Exception):
    """This worker has no room for the message now, or could not finish it."""


@dataclass
class QuotaExceeded(Exception):
    """This month's refinements are used up."""

    quota: Quota


@dataclass
class RequestInvalid(Exception):
    """Some of the request's values are wrong."""

    errors: Sequence[tuple[Sequence[str | int], str]]


@dataclass(frozen=True, slots=True)
class _Answer:
    status: HTTPStatus
    code: str


_ANSWERS: Mapping[type[Exception], _Answer] = {
    AuthenticationRequired: _Answer(HTTPStatus.UNAUTHORIZED, "authentication_required"),
    TokenInvalid: _Answer(HTTPStatus.UNAUTHORIZED, "token_invalid"),
    TokenExpired: _Answer(HTTPStatus.UNAUTHORIZED, "token_expired"),
    NotFound: _Answer(HTTPStatus.NOT_FOUND, "not_found"),
    ConceptNotFound: _Answer(HTTPStatus.NOT_FOUND, "concept_not_found"),
    SourceNotFound: _Answer(HTTPStatus.NOT_FOUND, "concept_not_found"),
    TaskNotFound: _Answer(HTTPStatus.NOT_FOUND, "task_not_found"),
    WebhookNotFound: _Answer(HTTPStatus.NOT_FOUND, "webhook_not_found"),
    ImageMissing: _Answer(HTTPStatus.NOT_FOUND, "not_found"),
    LinkInvalid: _Answer(HTTPStatus.NOT_FOUND, "not_found"),
    LinkExpired: _Answer(HTTPStatus.NOT_FOUND, "not_found"),
    TaskIsActive: _Answer(HTTPStatus.CONFLICT, "task_active"),
    WebhookIsDisabled: _Answer(HTTPStatus.CONFLICT, "webhook_disabled"),
    TooManyWebhooks: _Answer(HTTPStatus.CONFLICT, "too_many_webhooks"),
    PayloadTooLarge: _Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large"),
    ImageTooLarge: _Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "image_too_large"),
    UnsupportedMediaType: _Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
    MultipartRequired: _Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
    MalformedJson: _Answer(HTTPStatus.BAD_REQUEST, "malformed_json"),
    RequestMalformed: _Answer(HTTPStatus.BAD_REQUEST, "malformed_request"),
    HeadersTooLarge: _Answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large"),
    BodyTooSlow: _Answer(HTTPStatus.REQUEST_TIMEOUT, "request_timeout"),
    TooManyStreams: _Answer(HTTPStatus.TOO_MANY_REQUESTS, "too_many_streams"),
    StreamsFull: _Answer(HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable"),
    PushRefused: _Answer(HTTPStatus.UNAUTHORIZED, "token_invalid"),
    PushMalformed: _Answer(HTTPStatus.BAD_REQUEST, "malformed_json"),
    QueueUnavailable: _Answer(HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable"),
    WorkerBusy: _Answer(HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable"),
    RequestInvalid: _Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "validation_error"),
    ImageInvalid: _Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "image_invalid"),
    IdempotencyKeyReused: _Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
    QuotaExceeded: _Answer(HTTPStatus.TOO_MANY_REQUESTS, "quota_exceeded"),
    DatabaseUnavailable: _Answer(HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable"),
    KeysUnavailable: _Answer(HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable"),
    ImageStoreUnavailable: _Answer(HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable"),
}
_HTTP_CODES = {
    400: "malformed_json",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
}
_FAULT = "Something went wrong on our side."


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means: its status, and what may be said with it."""

    status: HTTPStatus
    details: tuple[str, ...]


@cache
def catalogue() -> Mapping[str, Meaning]:
    """Every code that a problem may have."""
    found: dict[str, Meaning] = {}
    for kind, answer in _ANSWERS.items():
        said = found[answer.code].details if answer.code in found else ()
        detail = kind.__doc__ or answer.status.phrase
        found[answer.code] = Meaning(answer.status, tuple(dict.fromkeys((*said, detail))))
    not_allowed = HTTPStatus.METHOD_NOT_ALLOWED
    found["method_not_allowed"] = Meaning(not_allowed, (f"{not_allowed.description}.",))
    found["internal_error"] = Meaning(HTTPStatus.INTERNAL_SERVER_ERROR, (_FAULT,))
    return found


def problem_for(error: Exception, request_id: str) -> web.Response | None:
    """The answer to a failure; None for one that is a fault of ours."""
    if isinstance(error, web.HTTPException):
        return _http_problem(error, request_id)
    answer = next((_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS), None)
    if answer is None:
        return None
    response = _problem(answer.status, answer.code, _detail_of(error), request_id, error)
    if isinstance(error, QuotaExceeded):
        response.headers.update(rate_limit_headers(error.quota))
        response.headers["Retry-After"] = str(error.quota.reset_after_s)
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE or isinstance(error, TooManyStreams):
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def internal_error(request_id: str) -> web.Response:
    """The answer to a fault of ours, which says nothing of the inside."""
    return _problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        _FAULT,
        request_id,
    )


def invalid_from(error: ValidationError) -> RequestInvalid:
    """What is wrong with a request, without repeating what was sent."""
    return RequestInvalid(
        [
            (item["loc"], item["msg"].removeprefix("Value error, "))
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        ]
    )


def rate_limit_headers(quota: Quota) -> dict[str, str]:
    """The quota as headers: the IETF draft's two fields and the older X-RateLimit family.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    """
    return {
        "RateLimit-Policy": f'"refine";q={quota.limit};w={quota.month_s}',
        "RateLimit": f'"refine";r={quota.remaining};t={quota.reset_after_s}',
        "X-RateLimit-Limit": str(quota.limit),
        "X-RateLimit-Remaining": str(quota.remaining),
        "X-RateLimit-Reset": str(int(quota.resets_at.timestamp())),
        "X-RateLimit-Period": "month",
    }


def _http_problem(error: web.HTTPException, request_id: str) -> web.Response | None:
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    status = HTTPStatus(error.status)
    details = {404: NotFound.__doc__, 413: PayloadTooLarge.__doc__}
    detail = details.get(status) or f"{status.description or status.phrase}."
    code = _HTTP_CODES.get(status, "validation_error")
    response = _problem(status, code, detail, request_id)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _detail_of(error: Exception) -> str:
    """A domain error's docstring is its message, unless it was made with a better one."""
    given = str(error.args[0]) if error.args and isinstance(error.args[0], str) else ""
    return given or type(error).__doc__ or HTTPStatus.INTERNAL_SERVER_ERROR.phrase


def problem_body(status: HTTPStatus, code: str, detail: str, request_id: str) -> dict[str, Any]:
    """The members that every problem document has."""
    return {
        "type": f"/problems/{code}",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "message": detail,
        "code": code,
        "request_id": request_id,
    }


def _problem(
    status: HTTPStatus,
    code: str,
    detail: str,
    request_id: str,
    error: Exception | None = None,
) -> web.Response:
    body = problem_body(status, code, detail, request_id)
    if isinstance(error, RequestInvalid):
        body["errors"] = [{"loc": list(loc), "message": text} for loc, text in error.errors]
    if isinstance(error, QuotaExceeded):
        body |= {
            "limit": error.quota.limit,
            "used": error.quota.used,
            "period": "month",
            "reset_after_seconds": error.quota.reset_after_s,
        }
    return web.json_response(body, status=status, content_type="application/problem+json")
