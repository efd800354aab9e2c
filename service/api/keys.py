"""The names under which the application hands things to its views."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from queueing.pubsub.push import PushVerifier
from queueing.pushed import PushedMessages
from service.announcing import Announcer
from service.api.live import Watcher
from service.api.seats import Seats
from service.api.stories import Stories
from service.auth import Authenticator, TokenRules
from service.fetching import Fetcher
from service.health import Health
from service.intake import Intake
from service.metrics import Metrics
from service.settings import Settings
from service.tracing import Tracing
from storage.concepts import Concepts
from storage.database import Database
from storage.deliveries import Deliveries
from storage.images.contract import Images
from storage.images.files import FileImages
from storage.tasks import Tasks
from storage.webhooks import Webhooks

SETTINGS = web.AppKey("settings", Settings)
TASKS = web.AppKey("tasks", Tasks)
CONCEPTS = web.AppKey("concepts", Concepts)
STORIES = web.AppKey("stories", Stories)
WEBHOOKS = web.AppKey("webhooks", Webhooks)
DELIVERIES = web.AppKey("deliveries", Deliveries)
IMAGES = web.AppKey("images", Images)
FILE_IMAGES = web.AppKey("file_images", FileImages)
INTAKE = web.AppKey("intake", Intake)
FETCHER = web.AppKey("fetcher", Fetcher)
ANNOUNCER = web.AppKey("announcer", Announcer)
AUTHENTICATOR = web.AppKey("authenticator", Authenticator)
TOKEN_RULES = web.AppKey("token_rules", TokenRules)
SEATS = web.AppKey("seats", Seats)
WATCHER = web.AppKey("watcher", Watcher)
HEALTH = web.AppKey("health", Health)
METRICS = web.AppKey("metrics", Metrics)
TRACING = web.AppKey("tracing", Tracing)
DATABASE = web.AppKey("database", Database)
PUSHED = web.AppKey("pushed", PushedMessages)
PUSH_VERIFIER = web.AppKey("push_verifier", PushVerifier)

USER_ID = web.RequestKey("user_id", UUID)
REQUEST_ID = web.RequestKey("request_id", str)
