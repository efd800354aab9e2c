"""The settings of engines that other people run, each named as its provider's own SDK names it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError("must be an http or https URL without a query")
    if parts.username or parts.password:
        raise ValueError("must not have a name or password in it")
    return value.rstrip("/")


def _host_or_address(value: str) -> str:
    return _web_address(value if "://" in value else f"https://{value}")


type Address = Annotated[str, AfterValidator(_web_address)]
type Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/@:-]{0,199}$")]


class EngineSettings(BaseSettings):
    """What hosted engines and a GPU of one's own need; only the engines of `ENGINE` are looked at.

    A secret is shown neither by `repr` nor in an error.
    """

    # https://github.com/openai/openai-python/blob/main/src/openai/_client.py
    openai_api_key: str | None = Field(default=None, repr=False)
    openai_base_url: Address = "https://api.openai.com/v1"
    openai_model: Name = "gpt-image-1.5"

    # https://github.com/googleapis/python-genai/blob/main/google/genai/_api_client.py
    gemini_api_key: str | None = Field(default=None, repr=False)
    google_api_key: str | None = Field(default=None, repr=False)
    google_gemini_base_url: Address = "https://generativelanguage.googleapis.com"
    gemini_model: Name = "gemini-2.5-flash-image"
    google_genai_use_vertexai: bool = False
    google_genai_use_enterprise: bool = False
    google_vertex_base_url: Address | None = None
    google_cloud_project: Name | None = None
    google_cloud_location: Name = "global"
    google_application_credentials: str | None = Field(default=None, repr=False)

    # https://github.com/replicate/replicate-python/blob/main/replicate/client.py
    replicate_api_token: str | None = Field(default=None, repr=False)
    replicate_base_url: Address = "https://api.replicate.com"
    replicate_model: Name = "black-forest-labs/flux-kontext-pro"

    # https://docs.bfl.ai/quick_start/generating_images
    bfl_api_key: str | None = Field(default=None, repr=False)
    bfl_base_url: Address = "https://api.bfl.ai"
    bfl_model: Name = "flux-kontext-pro"

    # https://github.com/fal-ai/fal/blob/main/projects/fal_client/src/fal_client/auth.py
    fal_key: str | None = Field(default=None, repr=False)
    fal_queue_run_host: Annotated[str, AfterValidator(_host_or_address)] = "https://queue.fal.run"
    fal_model: Name = "fal-ai/flux-pro/kontext"

    # a model id, or a folder
    diffusers_model: str = "black-forest-labs/FLUX.1-Kontext-dev"
    diffusers_device: Name | None = None
