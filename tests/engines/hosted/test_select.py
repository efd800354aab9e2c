"""The engines of the settings are made, or one line says which setting is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from service.engines.contract import Refined
from service.engines.hosted.google import ServiceAccount
from service.engines.hosted.http import NotSent
from service.engines.metrics import EngineMetrics
from service.engines.select import make_engines
from service.settings import Settings, WrongSetting, read_settings
from tests.engines.hosted.harness import Bench, outcome_of, settings_for
from tests.engines.hosted.stub import Stub
from tests.engines.hosted.vertex import a_key_file

KEYS = {
    "openai": "openai_api_key",
    "gemini": "gemini_api_key",
    "replicate": "replicate_api_token",
    "bfl": "bfl_api_key",
    "fal": "fal_key",
}


def refused(settings: Settings) -> str:
    """The line that stops the start."""
    with pytest.raises(WrongSetting) as wrong:
        # settings are looked at before anything is opened
        make_engines(settings, None, EngineMetrics(CollectorRegistry()))  # type: ignore[arg-type]
    line = str(wrong.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(("engine", "setting"), KEYS.items())
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_key_is_named(engine: str, setting: str, value: str | None) -> None:
    wishes: dict[str, Any] = {"engine": f"embedded,{engine}", setting: value}
    settings = Settings(**wishes)
    assert refused(settings) == f"{setting.upper()}: is needed for ENGINE={engine}"


def test_a_key_that_fits_in_no_header_is_named_and_not_shown() -> None:
    line = refused(Settings(engine="fal", fal_key="geheim\nX-Other: 1"))
    assert line.startswith("FAL_KEY: ")
    assert "geheim" not in line


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ("dalle", "ENGINE: must be of embedded, diffusers, openai, gemini, replicate, bfl, fal"),
        ("embedded,embedded", "ENGINE: names an engine twice"),
    ],
)
def test_a_wrong_list_of_engines_is_told(names: str, line: str) -> None:
    assert refused(Settings(engine=names)) == line


def test_vertex_ai_needs_a_project_and_a_key_file_that_is_there(tmp_path: Path) -> None:
    vertex = Settings(engine="gemini", google_genai_use_vertexai=True)
    assert refused(vertex) == "GOOGLE_CLOUD_PROJECT: is needed for ENGINE=gemini"
    missing = vertex.model_copy(
        update={
            "google_cloud_project": "p",
            "google_application_credentials": str(tmp_path / "key.json"),
        }
    )
    assert refused(missing) == "GOOGLE_APPLICATION_CREDENTIALS: there is no such file"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_BASE_URL", "localhost:8080"),
        ("OPENAI_BASE_URL", "https://name:geheim@host.test"),
        ("GOOGLE_GEMINI_BASE_URL", "file:///etc"),
        ("FAL_QUEUE_RUN_HOST", "host?geheim"),
        ("GEMINI_MODEL", "../../geheim?x"),
    ],
)
def test_a_wrong_address_or_model_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting) as wrong:
        read_settings()
    assert str(wrong.value).startswith(f"{name}: ")
    assert "geheim" not in str(wrong.value)


def test_no_key_is_shown_by_the_settings(stub: Stub) -> None:
    settings = settings_for(stub, "openai")
    assert stub.key("openai") == settings.openai_api_key
    for provider in KEYS:
        assert stub.key(provider) not in repr(settings)


async def test_google_s_general_key_goes_before_gemini_s_own(bench: Bench) -> None:
    keys: dict[str, Any] = {"google_api_key": bench.stub.key("gemini"), "gemini_api_key": "other"}
    assert isinstance(await outcome_of(bench.engines("gemini", **keys), "ok"), Refined)


async def test_a_wrong_key_is_told_apart_from_a_wrong_request(bench: Bench) -> None:
    for engine, setting in KEYS.items():
        engines = bench.engines(engine, **{setting: "wrong"})
        outcome = await outcome_of(engines, "ok")
        assert not isinstance(outcome, Refined)
        assert (outcome.code, outcome.retryable) == ("engine_unavailable", False), engine


async def test_a_service_account_that_gets_no_token_has_sent_nothing(
    stub: Stub, tmp_path: Path
) -> None:
    account = ServiceAccount(
        str(a_key_file(tmp_path / "key.json", f"{stub.base}/nowhere")), limit_s=0.2
    )
    with pytest.raises(NotSent):
        await account()
    await account.close()
