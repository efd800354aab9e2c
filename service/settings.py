"""Everything that an operator can set, read from the environment once at start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from service.engine_settings import EngineSettings

# an application's own scheme may be one too: capacitor://localhost
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]*)?")

type Names = Annotated[tuple[str, ...], NoDecode]
type Seconds = Annotated[float, Field(ge=0.5, le=86_400, allow_inf_nan=False)]


class WrongSetting(Exception):
    """A setting cannot be used; the message names it in one line and shows no value."""


class Settings(EngineSettings):
    """One field a setting, named as its environment variable in lower case.

    Defaults make a whole service in one process with everything under `data_dir`.
    """

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8080
    public_url: str = ""
    data_dir: Path = Path(".data")
    database_url: str | None = None
    queue_url: str = "memory:"
    pubsub_emulator_host: str | None = None
    pubsub_ack_deadline_seconds: Annotated[int, Field(ge=10, le=600)] = 10
    pubsub_max_deliveries: Annotated[int, Field(ge=5, le=100)] = 20
    pubsub_min_backoff_seconds: Annotated[int, Field(ge=1, le=600)] = 1
    pubsub_max_backoff_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    storage_url: str = "file:"
    storage_emulator_host: str | None = None
    storage_cdn_url: str | None = None
    engine: Names = ("embedded",)
    auth_jwt_secret: str | None = Field(default=None, repr=False)
    auth_jwks_url: str | None = None
    auth_audience: str | None = None
    auth_issuer: str | None = None
    guest_sign_in: Literal["true", "false"] | None = None
    monthly_refinements: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    image_hosts: Names = ()
    cors_origins: Names = ()
    retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    worker_concurrency: Annotated[int, Field(ge=1, le=1_000)] = 4
    task_lease_seconds: Seconds = 30
    task_max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    task_timeout_seconds: Seconds = 300
    worker_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    push_audience: str | None = None
    push_service_account: str | None = None
    push_keys_url: str | None = None
    otel_exporter_otlp_endpoint: str | None = None
    otel_exporter_otlp_traces_endpoint: str | None = None
    otel_service_name: str = "concept-refiner"
    otel_sdk_disabled: Literal["true", "false"] = "false"
    max_streams: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    max_streams_per_user: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    shutdown_grace_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 0
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("engine", "image_hosts", "cors_origins", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("engine")
    @classmethod
    def _need_an_engine(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one engine")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _need_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value != ("*",) and not all(map(_is_origin, value)):
            raise ValueError("must be * or origins as browsers send them, https://app.example.com")
        return value

    @field_validator("auth_jwt_secret")
    @classmethod
    def _need_a_long_secret(cls, value: str | None) -> str | None:
        if value is not None and len(value.encode()) < 32:
            raise ValueError("must be at least 32 bytes")
        return value

    @field_validator(
        "auth_jwks_url",
        "push_keys_url",
        "otel_exporter_otlp_endpoint",
        "otel_exporter_otlp_traces_endpoint",
    )
    @classmethod
    def _need_a_web_address(cls, value: str | None) -> str | None:
        if value is not None and not _is_web_address(value):
            raise ValueError("must be an http or https URL")
        return value

    @field_validator("public_url", "storage_cdn_url")
    @classmethod
    def _need_a_bare_web_address(cls, value: str | None) -> str | None:
        if value and (not _is_web_address(value) or urlsplit(value).query):
            raise ValueError("must be an http or https URL without a query")
        return value.rstrip("/") if value else value

    @field_validator("storage_emulator_host")
    @classmethod
    def _complete_address(cls, value: str | None) -> str | None:
        # other tools take it without the scheme
        return value and (value if "://" in value else f"http://{value}").rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _need_postgresql(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("queue_url")
    @classmethod
    def _need_a_known_queue(cls, value: str) -> str:
        if value != "memory:" and not _has_parts(value, "pubsub", 3):
            raise ValueError("must be memory: or pubsub://PROJECT/TOPIC/SUBSCRIPTION")
        return value

    @field_validator("storage_url")
    @classmethod
    def _need_a_known_store(cls, value: str) -> str:
        if value != "file:" and not _has_parts(value, "gs", 1, most=20):
            raise ValueError("must be file: or gs://BUCKET/PREFIX")
        return value

    @model_validator(mode="after")
    def _fill_public_url(self) -> Self:
        if not self.public_url:
            host = f"[{self.host}]" if ":" in self.host else self.host
            # a frozen model is still being made here
            object.__setattr__(self, "public_url", f"http://{host}:{self.port}")
        return self

    @property
    def guests_may_sign_in(self) -> bool:
        """Whether anonymous users are made on request."""
        if self.guest_sign_in is not None:
            return self.guest_sign_in == "true"
        return not any(
            (self.auth_jwt_secret, self.auth_jwks_url, self.auth_audience, self.auth_issuer)
        )

    @property
    def is_traced(self) -> bool:
        """Whether there is a collector to send spans to; OpenTelemetry reads where by itself."""
        collector = self.otel_exporter_otlp_traces_endpoint or self.otel_exporter_otlp_endpoint
        return collector is not None and self.otel_sdk_disabled == "false"

    @property
    def queue_is_in_memory(self) -> bool:
        """Whether the worker has to run inside the API's process."""
        return self.queue_url == "memory:"


def read_settings() -> Settings:
    """The settings of this process. Raises `WrongSetting`."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "settings"
        message = first["msg"].removeprefix("Value error, ")
        raise WrongSetting(f"{name}: {message}") from None


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_origin(value: str) -> bool:
    """Whether a browser would send exactly this: no path, no default port, nothing in capitals."""
    try:
        parts = urlsplit(value)
        is_default = parts.port == {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return False
    return _ORIGIN.fullmatch(value) is not None and not is_default


def _has_parts(value: str, scheme: str, least: int, most: int | None = None) -> bool:
    head, _, rest = value.partition("://")
    parts = rest.removesuffix("/").split("/")
    return head == scheme and all(parts) and least <= len(parts) <= (most or least)
