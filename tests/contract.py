"""What the contract promises by name, written down apart from the code that has to keep it."""

from __future__ import annotations

CODES = (
    "authentication_required",
    "token_invalid",
    "token_expired",
    "validation_error",
    "malformed_json",
    "unsupported_media_type",
    "payload_too_large",
    "not_found",
    "concept_not_found",
    "task_not_found",
    "task_active",
    "idempotency_key_reused",
    "quota_exceeded",
    "image_invalid",
    "image_too_large",
    "service_unavailable",
    "internal_error",
    "method_not_allowed",
)
TASK_CODES = (
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
