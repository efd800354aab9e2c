"""Whatever a provider answers, it is read as one of the outcomes and breaks nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from service.engines.hosted.answers import Answer
from service.engines.hosted.bfl import Bfl
from service.engines.hosted.fal import Fal
from service.engines.hosted.gemini import Gemini
from service.engines.hosted.google import ApiKey
from service.engines.hosted.openai import OpenAI
from service.engines.hosted.outcomes import (
    Failed,
    Failure,
    Job,
    Picture,
    PictureAt,
    Working,
    error_of,
)
from service.engines.hosted.provider import Jobs, Order, Provider
from service.engines.hosted.replicate import Replicate
from service.engines.painting.frame import Size

BASE = "https://provider.test"
PROVIDERS: list[Provider] = [
    OpenAI("key", BASE, "gpt-image-1.5"),
    Gemini(ApiKey("key"), BASE, "model", f"{BASE}/model"),
    Replicate("key", BASE, "owner/name"),
    Bfl("key", BASE, "flux"),
    Fal("key", BASE, "owner/app/model"),
]
JOB = Job("1", f"{BASE}/poll", f"{BASE}/cancel")
# what the readers look for, so that random answers come near to real ones
NAMES = """
data b64_json url error code type details reason retryDelay status candidates content parts
inlineData finishReason promptFeedback blockReason usage usageMetadata id urls get output metrics
predict_time polling_url result sample progress cost request_id status_url response_url detail
error_type images has_nsfw_concepts queue_position succeeded failed Ready COMPLETED IN_QUEUE STOP
SAFETY moderation_blocked content_policy_violation
"""
WORDS = st.sampled_from(NAMES.split())
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "date", "x-fal-billable-units"]),
    st.text(max_size=8),
)
STATUSES = st.sampled_from([200, 201, 202, 204, 302, 400, 401, 402, 404, 422, 429, 500, 503, 599])


def answer(status: int, data: Any, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, CIMultiDict(headers or {}), json.dumps(data).encode())


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.engine)
@given(status=STATUSES, data=JSON, headers=HEADERS)
def test_any_json_is_read_as_an_outcome(
    provider: Provider, status: int, data: Any, headers: dict[str, str]
) -> None:
    said = answer(status, data, headers)
    outcomes = [provider.read_order(said)]
    if isinstance(provider, Jobs):
        outcomes.append(provider.read_poll(said, JOB))
    for outcome in outcomes:
        assert isinstance(outcome, Picture | PictureAt | Working | Failed)
        assert status < 300 or not isinstance(outcome, Picture | PictureAt)
    assert all(amount >= 0 for amount in provider.usage(said).values())


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.engine)
@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b"1e999", b"NaN"])
def test_what_is_no_json_is_no_image(provider: Provider, body: bytes) -> None:
    said = Answer(200, CIMultiDict(), body)
    assert provider.read_order(said) == Failed(Failure.NO_IMAGE)
    assert provider.usage(said) == {}


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_has_an_error_in_words_of_ours(failure: Failure) -> None:
    error = error_of(Failed(failure, delay_s=7))
    assert str(error) == type(error).__doc__
    assert error.retryable is (failure is Failure.RETRYABLE)
    assert error.retry_after_s == (7 if failure is Failure.RETRYABLE else None)


@pytest.mark.parametrize(
    ("model", "transparent", "background", "fidelity"),
    [
        ("gpt-image-1.5", True, "transparent", "high"),
        ("gpt-image-1.5", False, None, "high"),
        ("gpt-image-1-mini", True, "transparent", None),
        ("gpt-image-2.5-flare", True, "transparent", None),
        ("gpt-image-2", False, None, None),
        ("flux-kontext-local", False, None, None),
    ],
)
def test_an_openai_model_is_asked_only_for_what_it_can(
    model: str, transparent: bool, background: str | None, fidelity: str | None
) -> None:
    provider = OpenAI("key", BASE, model)
    call = provider.order(Order("words", b"png", Size(1024, 1024, "1024x1024"), transparent))
    fields = {part.name: part.value for part in call.form}
    assert fields.get("background") == background
    assert fields.get("input_fidelity") == fidelity
    assert provider.keeps_alpha or background is None


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/images/edits"),
        ("http://localhost:8080", "http://localhost:8080/v1/images/edits"),
        ("http://localhost:8080/openai", "http://localhost:8080/openai/images/edits"),
    ],
)
def test_an_openai_address_may_leave_its_version_out(base_url: str, url: str) -> None:
    order = Order("words", b"png", Size(1024, 1024, "1024x1024"), False)
    assert OpenAI("key", base_url, "gpt-image-1.5").order(order).url == url


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.engine)
def test_an_adapter_does_not_show_its_key(provider: Provider) -> None:
    assert "key" not in repr(provider)
