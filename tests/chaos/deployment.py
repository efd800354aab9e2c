"""A deployment to be hurt: API and worker processes on one database, broker and folder."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
from aiohttp.test_utils import unused_port

from service.auth import TokenRules, make_token
from storage.concept import NewImage
from storage.concepts import Concepts
from storage.database import Database, DatabaseUnavailable
from storage.images.files import FileImages
from tests.api.harness import Json, User, a_png
from tests.processes import Process, Start, python

SECRET = "a secret for deployments under test"


@dataclass
class Deployment:
    """Processes that share a database, a broker and a folder, and the load on them."""

    folder: Path
    database: Database
    settings: dict[str, str]
    session: aiohttp.ClientSession
    begin: Start
    running: list[Process] = field(default_factory=list)
    users: list[User] = field(default_factory=list)

    async def start(self, role: str, **chaos: str) -> Process:
        """Start `api` or `worker` and wait until it is ready."""
        process = await self.launch(role, **chaos)
        await process.ready()
        return process

    async def launch(self, role: str, **chaos: str) -> Process:
        """Start `api` or `worker`."""
        port = unused_port()
        name = "PORT" if role == "api" else "WORKER_PORT"
        log = self.folder / f"{role}-{port}.log"
        with log.open("ab") as output:
            environment = {"PATH": os.environ["PATH"], **self.settings, name: str(port), **chaos}
            started = await self.begin("tests.chaos.program", (role,), environment, output.fileno())
        process = Process(started, f"http://127.0.0.1:{port}", log)
        self.running.append(process)
        return process

    async def add_users(self, number: int) -> list[UUID]:
        """Make users, each with one concept, without going through the API."""
        images = FileImages(
            self.folder / "images", url_prefix=self.public_url, known_prefixes=(), secret=b"x" * 32
        )
        rules = TokenRules(SECRET.encode())
        for _ in range(number):
            user_id = uuid4()
            key = f"{user_id}/{uuid4()}.png"
            await images.put(key, a_png(), content_type="image/png")
            await Concepts(self.database).add(
                user_id,
                NewImage(key, "image/png", 32, 32),
                logo_description=None,
                theme_description=None,
            )
            token = make_token(user_id, rules, ttl_s=36_000)
            user = User(self.session, self.public_url, token, str(user_id))
            self.users.append(user)
            self.sources[user.user_id] = f"{self.public_url}/images/{key}"
        await images.close()
        return [UUID(user.user_id) for user in self.users]

    sources: dict[str, str] = field(default_factory=dict)

    @property
    def public_url(self) -> str:
        """The prefix of image addresses; nothing has to listen there."""
        return self.settings["PUBLIC_URL"]

    async def ask(self, api: Process, user: User) -> aiohttp.ClientResponse:
        """The answer of one API process to a user's request for a refinement."""
        there = User(user.session, api.base, user.token, user.user_id)
        return await there.refine(self.sources[user.user_id])

    async def accepted(self, api: Process, user: User) -> Json:
        """The task of a request that has to be accepted."""
        response = await self.ask(api, user)
        assert response.status == 202, await response.text()
        return await response.json()

    async def all_ended(self, within_s: float) -> None:
        """Return once no task is active."""
        async with asyncio.timeout(within_s):
            # polled because the processes that know are the ones being hurt
            while not await self._none_is_active():
                await asyncio.sleep(0.1)

    async def _none_is_active(self) -> bool:
        try:
            return await self.count("status IN ('pending', 'processing')") == 0
        except DatabaseUnavailable:
            return False

    async def reached(self, condition: str, number: int, within_s: float = 60) -> None:
        """Return once so many tasks are in a state."""
        async with asyncio.timeout(within_s):
            while await self.count(condition) < number:
                await asyncio.sleep(0.05)

    async def count(self, condition: str) -> int:
        """How many tasks are in a state."""
        row = await self.database.fetchrow(f"SELECT count(*) AS n FROM task WHERE {condition}")
        assert row is not None
        return int(row["n"])

    async def kill(self, process: Process) -> None:
        """End a process as a power cut would."""
        if process.process.returncode is None:
            process.process.send_signal(signal.SIGKILL)
        await process.process.wait()


BROKEN_RULES = {
    "two active tasks of one user": """
        SELECT user_id FROM task WHERE status IN ('pending', 'processing')
        GROUP BY user_id HAVING count(*) > 1""",
    "charges that are not accepted minus given back": """
        SELECT user_id, month FROM quota
        WHERE used <> (SELECT count(*) FROM task
                       WHERE task.user_id = quota.user_id AND charged_month = quota.month)""",
    "a task that was accepted and never ended": """
        SELECT id FROM task WHERE status NOT IN ('completed', 'failed')""",
    "a completed task without exactly one concept": """
        SELECT id FROM task WHERE status = 'completed'
          AND 1 <> (SELECT count(*) FROM concept WHERE concept.task_id = task.id)""",
    "a concept that its task does not name": """
        SELECT concept.id FROM concept JOIN task ON task.id = concept.task_id
        WHERE task.result_id IS DISTINCT FROM concept.id""",
    "a concept of an attempt that was not the last": """
        SELECT concept.id FROM concept JOIN task ON task.id = concept.task_id
        WHERE concept.image_key NOT LIKE '%-' || task.attempt || '.png'""",
    "a failed task that is still charged": """
        SELECT id FROM task WHERE status = 'failed' AND charged_month IS NOT NULL
          AND error_code <> 'canceled'""",
}


async def ensure_rules(deployment: Deployment) -> None:
    """Check in SQL, at the end, everything that has to be true whatever happened."""
    for rule, query in BROKEN_RULES.items():
        assert await deployment.database.fetch(query) == [], rule
    stored = await deployment.database.fetch(
        "SELECT image_key FROM concept WHERE deleted_at IS NULL"
    )
    for row in stored:
        assert (deployment.folder / "images" / row["image_key"]).is_file(), "an image is missing"


@asynccontextmanager
async def deployment(
    folder: Path,
    database_url: str,
    database: Database,
    queue_settings: dict[str, str],
    begin: Start = python,
) -> AsyncIterator[Deployment]:
    """A deployment without processes yet; those that are started are ended at the end."""
    settings = {
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "AUTH_JWT_SECRET": SECRET,
        "PUBLIC_URL": "http://refiner.test",
        "TASK_LEASE_SECONDS": "2",
        "TASK_MAX_ATTEMPTS": "20",
        "WORKER_CONCURRENCY": "8",
        **queue_settings,
    }
    async with aiohttp.ClientSession() as session:
        made = Deployment(folder, database, settings, session, begin)
        try:
            yield made
        finally:
            for process in made.running:
                await made.kill(process)
