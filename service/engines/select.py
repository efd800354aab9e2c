"""Make the engines that the settings name, ready to be used in that order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path

from service.engines.circuit import Circuit
from service.engines.contract import Engine
from service.engines.diffusion.engine import DiffusionEngine
from service.engines.embedded.engine import EmbeddedEngine
from service.engines.failover import Failover, Member
from service.engines.hosted.bfl import Bfl
from service.engines.hosted.engine import HostedEngine
from service.engines.hosted.fal import Fal
from service.engines.hosted.gemini import Gemini
from service.engines.hosted.google import ApiKey, ServiceAccount
from service.engines.hosted.http import Http, Pace
from service.engines.hosted.openai import OpenAI
from service.engines.hosted.provider import Provider
from service.engines.hosted.replicate import Replicate
from service.engines.metrics import EngineMetrics
from service.sandbox import Sandbox
from service.settings import Settings, WrongSetting

# of a try, for fetching, storing and an engine of this machine that may come last
RESERVED_S = 30.0
LEAST_SHARE = 0.75

type _Maker = Callable[[Settings, AsyncExitStack], Provider]


def make_engines(
    settings: Settings,
    sandbox: Sandbox,
    metrics: EngineMetrics,
    *,
    pace: Pace | None = None,
    circuit: Callable[[], Circuit] = Circuit,
) -> Failover:
    """The engines of `ENGINE` as one. Make it inside a running loop, and close it.

    Raises `WrongSetting` for an unknown engine and for a missing key. The sandbox stays its owner's
    and has to outlive the engines. Times out in time for the next engine of the same try.
    """
    names = settings.engine
    if len(set(names)) != len(names):
        raise WrongSetting("ENGINE: names an engine twice")
    if not set(names) <= {"embedded", "diffusers", *_PROVIDERS}:
        raise WrongSetting(f"ENGINE: must be of embedded, diffusers, {', '.join(_PROVIDERS)}")
    if "diffusers" in names and find_spec("diffusers") is None:
        raise WrongSetting("ENGINE: diffusers needs this package's extra of that name")
    closing = AsyncExitStack()
    providers = {name: _PROVIDERS[name](settings, closing) for name in names if name in _PROVIDERS}
    slow = len(names) - ("embedded" in names)
    deadline_s = _time_for_all(settings.task_timeout_seconds) / max(1, slow)
    engines: dict[str, Engine] = {"embedded": EmbeddedEngine(sandbox)}
    if "diffusers" in names:
        engines["diffusers"] = DiffusionEngine(
            sandbox, settings.diffusers_model, settings.diffusers_device, deadline_s=deadline_s
        )
    if providers:
        http = Http(pace or Pace())
        closing.push_async_callback(http.close)
        for name, provider in providers.items():
            engines[name] = HostedEngine(provider, http, sandbox, metrics, deadline_s=deadline_s)
    members = [Member(name, engines[name], circuit()) for name in names]
    return Failover(members, metrics, closing=closing)


def _time_for_all(try_s: float) -> float:
    return max(try_s - RESERVED_S, try_s * LEAST_SHARE)


def _openai(settings: Settings, _closing: AsyncExitStack) -> Provider:
    key = _needed("openai", OPENAI_API_KEY=settings.openai_api_key)
    return OpenAI(key, settings.openai_base_url, settings.openai_model)


def _gemini(settings: Settings, closing: AsyncExitStack) -> Provider:
    model = settings.gemini_model
    if settings.google_genai_use_vertexai or settings.google_genai_use_enterprise:
        return _vertex(settings, closing)
    # as Google's own client prefers them
    key = settings.google_api_key or settings.gemini_api_key
    base_url = settings.google_gemini_base_url
    return Gemini(
        ApiKey(_needed("gemini", GEMINI_API_KEY=key)),
        base_url,
        model,
        f"{base_url}/v1beta/models/{model}",
    )


def _vertex(settings: Settings, closing: AsyncExitStack) -> Provider:
    project = _needed("gemini", GOOGLE_CLOUD_PROJECT=settings.google_cloud_project)
    key_file = settings.google_application_credentials
    if key_file is not None and not Path(key_file).is_file():
        raise WrongSetting("GOOGLE_APPLICATION_CREDENTIALS: there is no such file")
    account = ServiceAccount(key_file)
    closing.push_async_callback(account.close)
    location = settings.google_cloud_location
    region = "" if location == "global" else f"{location}-"
    base_url = settings.google_vertex_base_url or f"https://{region}aiplatform.googleapis.com"
    place = f"projects/{project}/locations/{location}/publishers/google"
    model = settings.gemini_model
    return Gemini(account, base_url, model, f"{base_url}/v1/{place}/models/{model}")


def _replicate(settings: Settings, _closing: AsyncExitStack) -> Provider:
    key = _needed("replicate", REPLICATE_API_TOKEN=settings.replicate_api_token)
    return Replicate(key, settings.replicate_base_url, settings.replicate_model)


def _bfl(settings: Settings, _closing: AsyncExitStack) -> Provider:
    key = _needed("bfl", BFL_API_KEY=settings.bfl_api_key)
    return Bfl(key, settings.bfl_base_url, settings.bfl_model)


def _fal(settings: Settings, _closing: AsyncExitStack) -> Provider:
    key = _needed("fal", FAL_KEY=settings.fal_key)
    return Fal(key, settings.fal_queue_run_host, settings.fal_model)


def _needed(engine: str, **setting: str | None) -> str:
    """The value of the one setting. Raises `WrongSetting` when no header can be made of it."""
    ((name, value),) = setting.items()
    if value is None or not value.strip():
        raise WrongSetting(f"{name}: is needed for ENGINE={engine}")
    if not value.strip().isascii() or not value.strip().isprintable():
        raise WrongSetting(f"{name}: has characters that no key has")
    return value.strip()


_PROVIDERS: Mapping[str, _Maker] = {
    "openai": _openai,
    "gemini": _gemini,
    "replicate": _replicate,
    "bfl": _bfl,
    "fal": _fal,
}
