"""Show records as the public JSON, with image addresses made at the moment of reading."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic_core import to_json

from service.api.schemas import QuotaOut, RefinementsOut, in_utc
from storage.concept import Concept
from storage.images.contract import Images
from storage.task import Quota, Status, Task

URL_WINDOW_S = 1_800
"""How long an answer with a signed image address may be taken as unchanged."""

_MESSAGES = {
    Status.PENDING: "Concept refinement task created and queued for processing",
    Status.PROCESSING: "Concept refinement in progress",
    Status.COMPLETED: "Concept refinement completed",
    Status.FAILED: "Concept refinement failed",
}
_RETRY_MESSAGE = "Concept refinement will be tried again shortly"
CONFLICT_MESSAGE = "A concept refinement task is already in progress"


# A model made and written for every answer would cost more than the rest of a view: what is shown
# is a plain dict, and the tests hold it to the model that describes it.
type Shown = dict[str, Any]


async def task_out(task: Task, images: Images, *, message: str | None = None) -> Shown:
    """The task as clients see it: a `TaskOut`."""
    source_url = await images.url(task.source_key) if task.source_key else task.source_url
    return {
        "task_id": task.id,
        "status": task.status.value,
        "message": message or _message_of(task),
        "type": "concept_refinement",
        "created_at": in_utc(task.created_at),
        "updated_at": _in_utc_or_none(task.updated_at),
        "completed_at": _in_utc_or_none(task.completed_at),
        "metadata": {
            "original_image_url": source_url,
            "refinement_prompt": task.prompt,
            "logo_description": task.logo_description,
            "theme_description": task.theme_description,
            "preserve_aspects": task.preserve_aspects,
            "report": task.report,
        },
        "result_id": task.result_id,
        "image_url": await images.url(task.result_key) if task.result_key else None,
        "error_message": task.error_message,
        "error_code": task.error_code,
        "progress": round(task.progress, 4),
        "attempt": task.attempt,
        "concept_id": task.concept_id,
    }


async def concept_out(concept: Concept, images: Images) -> Shown:
    """The concept as clients see it: a `ConceptOut`."""
    return {
        "concept_id": concept.id,
        "parent_id": concept.parent_id,
        "parent_deleted": concept.parent_deleted,
        "root_id": concept.root_id,
        "task_id": concept.task_id,
        "image_url": await images.url(concept.image_key),
        "content_type": concept.content_type,
        "width": concept.width,
        "height": concept.height,
        "refinement_prompt": concept.refinement_prompt,
        "logo_description": concept.logo_description,
        "theme_description": concept.theme_description,
        "engine": concept.engine,
        "report": concept.report,
        "created_at": in_utc(concept.created_at),
    }


def quota_out(quota: Quota) -> QuotaOut:
    """The quota as clients see it."""
    return QuotaOut(
        refinements=RefinementsOut(
            limit=quota.limit,
            used=quota.used,
            remaining=quota.remaining,
            resets_at=quota.resets_at,
        )
    )


def etag_of(task: Task) -> str:
    """The task's entity tag: the same on every instance.

    It moves on with the time window of signed addresses once there is one, so that a client that
    is told "not modified" still holds an address that works.
    """
    window = f"-{int(time.time()) // URL_WINDOW_S}" if task.result_key else ""
    return f'"{task.version}{window}"'


def json_answer(
    body: BaseModel | Shown | Sequence[BaseModel] | Sequence[Shown], *, status: int = 200
) -> web.Response:
    """A response with what is shown as JSON."""
    return web.Response(body=to_json(body), status=status, content_type="application/json")


def _in_utc_or_none(value: datetime | None) -> str | None:
    return None if value is None else in_utc(value)


def _message_of(task: Task) -> str:
    match task.status:
        case Status.PENDING if task.attempt > 0:
            return _RETRY_MESSAGE
        case Status.PROCESSING if task.stage:
            return task.stage
        case Status.FAILED if task.error_message:
            return task.error_message
        case status:
            return _MESSAGES[status]
