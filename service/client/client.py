"""One user's view of a refinement service: upload, refine, follow, list, fetch."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Self, TypedDict, Unpack
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp

from .errors import AlreadyActive, ClientError, Missing, SignInRequired, TaskFailed
from .following import follow
from .records import Concept, Json, Quota, Task
from .wire import MakeBody, Wire

DEFAULT_URL = "http://127.0.0.1:8080"
PATIENCE_S = 60.0
CANCEL_TIMEOUT_S = 15.0
MOST_PER_PAGE = 50
_NEXT_QUERY = re.compile(r'<[^>]*\?([^>]*)>;\s*rel="?next')

type Image = str | Path | bytes | Concept
"""A file, its content, the http address of an image, or a concept that is there already."""


class Wish(TypedDict, total=False):
    """What may accompany an instruction, named as in the API."""

    logo_description: str | None
    theme_description: str | None
    preserve_aspects: list[str]


class Client:
    """A connection to the service; `async with` opens and closes it.

    Without a token it signs in as a fresh guest; `token` is then the guest's. What fails in passing
    is tried again for `patience_s`, which begins anew with every success. All methods raise
    `ClientError`, and `OSError` for files.
    """

    def __init__(
        self, url: str = DEFAULT_URL, token: str | None = None, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._url = url
        self._token = token
        self._patience_s = patience_s
        self._opened: Wire | None = None

    async def __aenter__(self) -> Self:
        if not (self._token or "").isprintable():
            raise SignInRequired("token_invalid", "No token has such characters.")
        self._opened = Wire(self._url, self._token, self._patience_s)
        if self._wire.token is None:
            try:
                self._wire.token = await self._sign_in()
            except BaseException:
                await self._wire.close()
                raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._wire.close()

    @property
    def token(self) -> str:
        """The token that the service is shown."""
        return self._wire.token or ""

    async def refine(
        self,
        image: Image,
        prompt: str,
        *,
        follow_active: bool = False,
        on_change: Callable[[Task], object] = lambda _task: None,
        **wish: Unpack[Wish],
    ) -> Task:
        """The completed task. Raises `TaskFailed`, and `AlreadyActive` or follows that task.

        Whoever cancels this coroutine cancels the task that it has begun.
        """
        address = await self._address_of(image)
        starting = asyncio.create_task(self._start(address, prompt, wish))
        try:
            task = await asyncio.shield(starting)
            return await self.ended(task.id, on_change=on_change)
        except AlreadyActive as conflict:
            if not follow_active:
                raise
            return await self.ended(conflict.task.id, on_change=on_change)
        except asyncio.CancelledError:
            with contextlib.suppress(ClientError, TimeoutError):
                async with asyncio.timeout(CANCEL_TIMEOUT_S):
                    await self.cancel((await starting).id)
            raise

    async def start(self, image: Image, prompt: str, **wish: Unpack[Wish]) -> Task:
        """The accepted task, at once. Raises `AlreadyActive` and `QuotaExceeded`."""
        return await self._start(await self._address_of(image), prompt, wish)

    async def ended(
        self, task_id: str, *, on_change: Callable[[Task], object] = lambda _task: None
    ) -> Task:
        """The task once it is completed; raises `TaskFailed` when it ends otherwise."""
        async with contextlib.aclosing(self.follow(task_id)) as changes:
            async for task in changes:
                on_change(task)
                if task.status == "failed":
                    raise TaskFailed(task)
        return task

    def follow(self, task_id: str) -> AsyncGenerator[Task]:
        """The task now and after each change, the last time when it has ended."""
        return follow(self._wire, task_id)

    async def upload(self, image: str | Path | bytes, **wish: Unpack[Wish]) -> Concept:
        """The concept made of an image file: PNG, JPEG or WebP."""
        content = image if isinstance(image, bytes) else await _read(Path(image))

        def form() -> aiohttp.FormData:
            data = aiohttp.FormData()
            data.add_field("image", content, filename="image")
            for name in ("logo_description", "theme_description"):
                if text := wish.get(name):
                    data.add_field(name, text)
            return data

        # twice would make two concepts
        return Concept.of(await self._json("POST", "/api/concepts", body=form, may_repeat=False))

    async def task(self, task_id: str) -> Task:
        """A task as it is now."""
        return Task.of(await self._json("GET", f"/api/tasks/{task_id}"))

    async def cancel(self, task_id: str) -> Task:
        """A task that has ended, by this or before it."""
        return Task.of(await self._json("POST", f"/api/tasks/{task_id}/cancel"))

    async def tasks(self, status: str | None = None) -> AsyncGenerator[Task]:
        """All tasks, newest first, page by page."""
        async for one in self._pages("/api/tasks", {"status": status} if status else {}):
            yield Task.of(one)

    async def concept(self, concept_id: str) -> Concept:
        """A concept."""
        return Concept.of(await self._json("GET", f"/api/concepts/{concept_id}"))

    async def concepts(self) -> AsyncGenerator[Concept]:
        """All concepts, newest first, page by page."""
        async for one in self._pages("/api/concepts", {}):
            yield Concept.of(one)

    async def quota(self) -> Quota:
        """What is left of the month."""
        return Quota.of(await self._json("GET", "/api/quota"))

    async def image(self, of: Task | Concept) -> bytes:
        """The image of a concept or of a completed task."""
        if of.image_url is None:
            raise ValueError("there is no image: the task is not completed, or it was deleted")
        answer = await self._wire.ask("GET", of.image_url)
        if answer.status != HTTPStatus.OK:
            raise answer.refusal
        return answer.body

    async def save(self, of: Task | Concept, file: str | Path) -> None:
        """Write the image of a concept or of a completed task to a file."""
        content = await self.image(of)
        await asyncio.to_thread(Path(file).write_bytes, content)

    async def _sign_in(self) -> str:
        try:
            guest = await self._json("POST", "/api/auth/guest")
        except Missing as error:
            message = "The service takes no guests: a token is needed."
            raise SignInRequired("authentication_required", message) from error
        return str(guest["access_token"])

    async def _address_of(self, image: Image) -> str:
        if isinstance(image, Concept):
            return image.image_url
        if isinstance(image, str) and image.startswith(("http://", "https://")):
            return image
        return (await self.upload(image)).image_url

    async def _start(self, address: str, prompt: str, wish: Wish) -> Task:
        body = json.dumps({"original_image_url": address, "refinement_prompt": prompt, **wish})
        answer = await self._wire.ask(
            "POST",
            "/api/concepts/refine",
            # a try whose answer was lost gets the same task again, and is not charged twice
            headers={"Content-Type": "application/json", "Idempotency-Key": uuid4().hex},
            body=body.encode,
        )
        match answer.status:
            case HTTPStatus.ACCEPTED | HTTPStatus.OK:
                return Task.of(answer.json())
            case HTTPStatus.CONFLICT:
                raise AlreadyActive(Task.of(answer.json()))
            case _:
                raise answer.refusal

    async def _pages(self, path: str, query: dict[str, str]) -> AsyncGenerator[Json]:
        following = f"?{urlencode({'limit': MOST_PER_PAGE, **query})}"
        while following:
            answer = await self._wire.ask("GET", path + following)
            if answer.status != HTTPStatus.OK:
                raise answer.refusal
            for one in answer.json():
                yield one
            # only the query: the service may know itself by another address than we do
            found = _NEXT_QUERY.search(answer.headers.get("Link", ""))
            following = f"?{found[1]}" if found else ""

    async def _json(
        self, method: str, path: str, *, body: MakeBody | None = None, may_repeat: bool = True
    ) -> Json:
        answer = await self._wire.ask(method, path, body=body, may_repeat=may_repeat)
        if answer.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
            raise answer.refusal
        return answer.json()

    @property
    def _wire(self) -> Wire:
        if self._opened is None:
            raise RuntimeError("the client is opened by `async with`")
        return self._opened


async def _read(file: Path) -> bytes:
    return await asyncio.to_thread(file.read_bytes)
