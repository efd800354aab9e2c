"""Pick and open everything that the settings ask for; the one place that knows all backends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass

from queueing.contract import Queue
from queueing.memory import MemoryQueue
from service.announcing import Announcer
from service.auth import Authenticator, TokenRules
from service.engines.contract import Engine
from service.engines.embedded.engine import EmbeddedEngine
from service.fetching import Fetcher
from service.intake import Intake
from service.refinement import Refinery
from service.sandbox import Sandbox
from service.secrets import embedded_secret
from service.settings import Settings, WrongSetting
from storage.concepts import Concepts
from storage.database import Database, open_database
from storage.embedded import embedded_postgres
from storage.events import Events
from storage.images.contract import Images
from storage.images.files import FileImages
from storage.rescue import Rescue
from storage.schema import migrate
from storage.tasks import Tasks
from storage.work import Work

INTAKE_MEMORY_BYTES = 1024 * 1024 * 1024
POOL_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Resources:
    """What a process works with, open for as long as `open_resources` is."""

    settings: Settings
    database: Database
    tasks: Tasks
    concepts: Concepts
    events: Events
    rescue: Rescue
    queue: Queue
    images: Images
    fetcher: Fetcher
    intake: Intake
    authenticator: Authenticator
    token_rules: TokenRules
    announcer: Announcer
    refinery: Refinery


def token_rules(settings: Settings) -> TokenRules:
    """What tokens must show. Makes the embedded secret when no keys are configured."""
    secret: bytes | None = None
    if settings.auth_jwt_secret is not None:
        secret = settings.auth_jwt_secret.encode()
    elif settings.auth_jwks_url is None:
        secret = embedded_secret(settings.data_dir, "jwt")
    elif settings.guests_may_sign_in:
        raise WrongSetting("GUEST_SIGN_IN: needs AUTH_JWT_SECRET when AUTH_JWKS_URL is set")
    return TokenRules(secret, settings.auth_audience, settings.auth_issuer)
