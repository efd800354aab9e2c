"""Read how long a provider wants us to wait, in every form in which providers say it."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from service.engines.hosted.answers import Answer, dig, items, text

_LONGEST_S = 24 * 3600.0
# https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto (RetryInfo)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
_RESETS_IN = re.compile(r"resets? in ~?\s*(\d+(?:\.\d+)?)\s*(ms|s|m)\b")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0}


def retry_after_s(answer: Answer) -> float | None:
    """The delay that an answer asks for; None when it asks for none."""
    if answer.status < 400:
        return None
    for delay in (_from_milliseconds(answer), _from_header(answer), _from_body(answer)):
        if delay is not None and math.isfinite(delay):
            return min(max(delay, 0.0), _LONGEST_S)
    return None


def should_retry(answer: Answer, statuses: Collection[int]) -> bool:
    """Whether to send a refused request again: as the provider says, else by the status."""
    # https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py
    match answer.headers.get("x-should-retry", "").lower():
        case "true":
            return answer.status >= 400
        case "false":
            return False
        case _:
            return answer.status in statuses


def _from_milliseconds(answer: Answer) -> float | None:
    delay_ms = _float(answer.headers.get("retry-after-ms", ""))
    return None if delay_ms is None else delay_ms / 1000


def _from_header(answer: Answer) -> float | None:
    value = answer.headers.get("retry-after", "")
    return _seconds_until(value, answer) if (delay := _float(value)) is None else delay


def _seconds_until(moment: str, answer: Answer) -> float | None:
    """A date is compared with the answer's own date, so that our clock does not matter."""
    try:
        until = parsedate_to_datetime(moment)
        now = parsedate_to_datetime(answer.headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return (_utc(until) - _utc(now)).total_seconds()


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _from_body(answer: Answer) -> float | None:
    data = answer.json()
    # at times the error comes in a list of one
    for detail in items(data, "error", "details") or items(data, 0, "error", "details"):
        if found := _DURATION.fullmatch(text(dig(detail, "retryDelay"))):
            return float(found[1])
    if found := _RESETS_IN.search(text(dig(data, "detail"))):
        return float(found[1]) * _UNITS_S[found[2]]
    return None


def _float(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
