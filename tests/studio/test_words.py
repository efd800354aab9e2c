"""Every error of the contract is told in plain words."""

from __future__ import annotations

import re

from tests.studio.browser import Visitor

CODES = [
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
]
TASK_CODES = [
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
]


async def test_every_error_of_the_contract_is_a_sentence(visitor: Visitor) -> None:
    await visitor.open()
    sentences = await visitor.page.evaluate(
        """async (codes) => {
            const { sentenceFor } = await import("./studio/scripts/words.js");
            const { Problem } = await import("./studio/scripts/problems.js");
            return codes.map((code) => {
                const body = {code, detail: code, limit: 10, reset_after_seconds: 777600};
                if (code.startsWith("image_")) body.detail = "";
                return sentenceFor(new Problem(400, body, new Headers()));
            });
        }""",
        CODES,
    )
    for code, sentence in zip(CODES, sentences, strict=True):
        assert re.fullmatch(r"[A-Z][^_]{12,}\.", sentence), (code, sentence)


async def test_every_way_a_task_can_fail_has_a_name(visitor: Visitor) -> None:
    await visitor.open()
    titles = await visitor.page.evaluate(
        """async (codes) => {
            const { failureTitle } = await import("./studio/scripts/words.js");
            return codes.map((code) => failureTitle({error_code: code}));
        }""",
        TASK_CODES,
    )
    for code, title in zip(TASK_CODES, titles, strict=True):
        assert title != "It did not work", code
        assert "_" not in title
