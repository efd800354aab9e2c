"""Views of concepts: upload, read, list, follow the tree, delete, refine."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r202, r204, r409
from pydantic import Field

from service.api.errors import (
    ConceptNotFound,
    IdempotencyKeyReused,
    QuotaExceeded,
    SourceNotFound,
    rate_limit_headers,
)
from service.api.keys import (
    ANNOUNCER,
    CONCEPTS,
    FETCHER,
    IMAGES,
    INTAKE,
    METRICS,
    SETTINGS,
    TASKS,
    TRACING,
    WATCHER,
)
from service.api.present import (
    CONFLICT_MESSAGE,
    concept_out,
    json_answer,
    task_out,
)
from service.api.schemas import ConceptOut, RefineIn, TaskOut
from service.api.uploads import read_upload
from service.api.view import View, link_to_next, position_in, wait_in
from service.api.waiting import until_ended
from service.concepts import add_upload, delete_concept
from service.engines.contract import Instruction
from service.refinement import Request, submit
from storage.accepting import Outcome
from storage.task import Quota, Task
from storage.tasks import Position

RETRY_AFTER_S = 2


class ConceptList(View):
    """The user's concepts."""

    async def get(
        self, limit: Annotated[int, Field(ge=1, le=50)] = 10, cursor: str | None = None
    ) -> r200[list[ConceptOut]]:
        """List concepts, newest first; `Link` leads to the next page.

        Status Codes:
            200: One page of concepts
        """
        app = self.request.app
        found = await app[CONCEPTS].page(self.user_id, after=position_in(cursor), limit=limit + 1)
        shown = found[:limit]
        response = json_answer([await concept_out(concept, app[IMAGES]) for concept in shown])
        if len(found) > limit:
            last = Position(shown[-1].created_at, shown[-1].id)
            response.headers["Link"] = link_to_next(self.request, app[SETTINGS].public_url, last)
        return response

    async def post(self) -> r201[ConceptOut]:
        """Upload an image (PNG, JPEG or WebP; at most 10 MB and 25 megapixels).

        Status Codes:
            201: The new concept
        """
        app = self.request.app
        upload = await read_upload(self.request)
        concept = await add_upload(
            app[CONCEPTS],
            app[IMAGES],
            app[INTAKE],
            self.user_id,
            upload.image,
            logo_description=upload.descriptions.logo_description,
            theme_description=upload.descriptions.theme_description,
        )
        response = json_answer(await concept_out(concept, app[IMAGES]), status=201)
        response.headers["Location"] = f"/api/concepts/{concept.id}"
        return response


class OneConcept(View):
    """One of the user's concepts."""

    missing = ConceptNotFound

    async def get(self, concept_id: UUID, /) -> r200[ConceptOut]:
        """Read a concept.

        Status Codes:
            200: The concept
        """
        concept = await self.request.app[CONCEPTS].get(self.user_id, concept_id)
        if concept is None:
            raise ConceptNotFound
        return json_answer(await concept_out(concept, self.request.app[IMAGES]))

    async def delete(self, concept_id: UUID, /) -> r204:
        """Delete a concept and its image; what was made from it stays.

        Status Codes:
            204: It is gone
        """
        app = self.request.app
        if not await delete_concept(app[CONCEPTS], app[IMAGES], self.user_id, concept_id):
            raise ConceptNotFound
        return web.Response(status=204)


class Lineage(View):
    """The tree that a concept belongs to."""

    missing = ConceptNotFound

    async def get(self, concept_id: UUID, /) -> r200[list[ConceptOut]]:
        """Read the whole tree of a concept, parents before children.

        Status Codes:
            200: Every concept of the tree
        """
        app = self.request.app
        tree = await app[CONCEPTS].lineage(self.user_id, concept_id)
        if not tree:
            raise ConceptNotFound
        return json_answer([await concept_out(concept, app[IMAGES]) for concept in tree])


class Refine(View):
    """Refinement requests."""

    takes_json = True

    async def post(
        self,
        body: RefineIn,
        *,
        idempotency_key: Annotated[str, Field(min_length=1, max_length=255)] | None = None,
        prefer: str | None = None,
    ) -> r202[TaskOut] | r200[TaskOut] | r409[TaskOut]:
        """Ask for a refinement. The answer is a task to follow.

        Status Codes:
            202: The task has been accepted
            200: The task has already ended (only with `Prefer: wait`)
            409: Another refinement of the user is active; the body is its task
        """
        app = self.request.app
        accepted = await submit(
            app[TASKS],
            app[IMAGES],
            app[FETCHER].allows,
            app[ANNOUNCER].announce,
            Request(
                self.user_id,
                body.original_image_url,
                Instruction(
                    body.refinement_prompt,
                    body.logo_description,
                    body.theme_description,
                    tuple(body.preserve_aspects or ()),
                ),
                self.request_id,
                idempotency_key,
                app[TRACING].traceparent(),
            ),
        )
        app[METRICS].accepted.labels(accepted.outcome.value).inc()
        if not accepted.same_request:
            raise IdempotencyKeyReused
        if accepted.outcome is Outcome.UNKNOWN_SOURCE:
            raise SourceNotFound
        if accepted.outcome is Outcome.QUOTA_EXCEEDED:
            raise QuotaExceeded(accepted.quota)
        assert accepted.task is not None
        if accepted.outcome is Outcome.ACTIVE:
            return await self._conflict(accepted.task, accepted.quota)
        return await self._accepted(accepted.task, accepted.quota, wait_in(prefer))

    async def _conflict(self, task: Task, quota: Quota) -> web.Response:
        body = await task_out(task, self.request.app[IMAGES], message=CONFLICT_MESSAGE)
        response = json_answer(body, status=409)
        response.headers.update(rate_limit_headers(quota))
        response.headers["Location"] = f"/api/tasks/{task.id}"
        return response

    async def _accepted(self, task: Task, quota: Quota, wait_s: int | None) -> web.Response:
        app = self.request.app
        if wait_s is not None:
            task = await until_ended(app[TASKS], app[WATCHER], task, within_s=wait_s)
        is_done = wait_s is not None and task.status.is_final
        response = json_answer(await task_out(task, app[IMAGES]), status=200 if is_done else 202)
        response.headers.update(rate_limit_headers(quota))
        response.headers["Location"] = f"/api/tasks/{task.id}"
        if not is_done:
            response.headers["Retry-After"] = str(RETRY_AFTER_S)
        if wait_s is not None:
            response.headers["Preference-Applied"] = f"wait={wait_s}"
        return response


ROUTES = (
    web.view("/api/concepts", ConceptList),
    web.view("/api/concepts/refine", Refine),
    web.view("/api/concepts/{concept_id}", OneConcept),
    web.view("/api/concepts/{concept_id}/lineage", Lineage),
)
