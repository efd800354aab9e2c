"""How long to wait is understood in every form in which a provider says it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from multidict import CIMultiDict

from service.engines.hosted.answers import Answer
from service.engines.hosted.delays import retry_after_s, should_retry

RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}


def refusal(headers: dict[str, str] | None = None, body: Any = None, status: int = 429) -> Answer:
    return Answer(status, CIMultiDict(headers or {}), json.dumps(body).encode())


@pytest.mark.parametrize(
    ("answer", "delay_s"),
    [
        (refusal(), None),
        (refusal({"Retry-After": "30"}), 30),
        (refusal({"retry-after": "1.5"}), 1.5),
        (refusal({"retry-after-ms": "250"}), 0.25),
        (refusal({"retry-after-ms": "250", "retry-after": "99"}), 0.25),
        (refusal({"Retry-After": "soon"}), None),
        (refusal({"Retry-After": "-5"}), 0),
        (refusal({"Retry-After": "inf"}), None),
        (refusal({"Retry-After": "nan"}), None),
        (refusal({"Retry-After": "1e30"}), 24 * 3600),
        (refusal(body={"error": {"details": [{"reason": "X"}, RETRY_INFO]}}), 34.5),
        (refusal(body=[{"error": {"details": [RETRY_INFO]}}]), 34.5),
        (refusal(body={"error": {"details": [{"retryDelay": 5}]}}), None),
        (refusal(body={"error": {"details": 5}}), None),
        (refusal(body={"detail": "Throttled. Your rate limit resets in ~30s."}), 30),
        (refusal(body={"detail": "Your rate limit resets in ~200ms."}), 0.2),
        (refusal({"Retry-After": "3"}, body={"detail": "resets in ~30s."}), 3),
        (refusal({"Retry-After": "30"}, status=200), None),
    ],
)
def test_a_delay_is_read_in_each_form(answer: Answer, delay_s: float | None) -> None:
    assert retry_after_s(answer) == delay_s


def test_a_date_counts_from_the_provider_s_own_date() -> None:
    long_ago = {
        "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
        "Retry-After": "Wed, 21 Oct 2015 07:28:45 GMT",
    }
    assert retry_after_s(refusal(long_ago)) == 45
    assert retry_after_s(refusal({"Retry-After": long_ago["Retry-After"]})) is None


@pytest.mark.parametrize(
    ("status", "says", "again"),
    [
        (429, None, True),
        (400, None, False),
        (400, "true", True),
        (429, "false", False),
        (200, "true", False),
    ],
)
def test_the_provider_s_word_on_trying_again_goes_before_its_status(
    status: int, says: str | None, again: bool
) -> None:
    answer = refusal({"X-Should-Retry": says} if says else {}, status=status)
    assert should_retry(answer, {429}) is again
