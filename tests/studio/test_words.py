"""Every error of the contract is told in plain words."""

from __future__ import annotations

import re

from tests.contract import CODES, TASK_CODES
from tests.studio.browser import Visitor

# what a slow or crowded connection meets besides
OF_CONNECTIONS = ("malformed_request", "headers_too_large", "request_timeout", "too_many_streams")


async def test_every_error_of_the_contract_is_a_sentence(visitor: Visitor) -> None:
    codes = [*CODES, *OF_CONNECTIONS]
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
        codes,
    )
    for code, sentence in zip(codes, sentences, strict=True):
        assert re.fullmatch(r"[A-Z][^_]{12,}\.", sentence), (code, sentence)


async def test_every_way_a_task_can_fail_has_a_name(visitor: Visitor) -> None:
    await visitor.open()
    titles = await visitor.page.evaluate(
        """async (codes) => {
            const { failureTitle } = await import("./studio/scripts/words.js");
            return codes.map((code) => failureTitle({error_code: code}));
        }""",
        list(TASK_CODES),
    )
    for code, title in zip(TASK_CODES, titles, strict=True):
        assert title != "It did not work", code
        assert "_" not in title
