"""One story told in examples for the description: a coffee logo is refined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

type Json = dict[str, Any]

_USER = "0f3b1c5a-6f0e-4d0e-9d2c-6f4f5c1f7a10"
_SOURCE = "3e2d9a54-8a35-4c58-9a6e-0d3a4bb6a1c1"
_RESULT = "b7c0d2e6-1f4b-4b9e-8f57-2c9f3f0f6d52"
_TASK = "9c1f7a3e-52c8-4f0b-8e0a-7d1b2c3d4e5f"
_WEBHOOK = "5d8e2f60-2b7c-4a8f-bb1e-93d3a1a0c9f7"
_DELIVERY = "e4b9a7d2-0c6f-4e3b-9a51-77c0a9b1d8e3"
_IMAGES = f"https://refiner.example/images/{_USER}"
_SOURCE_URL = f"{_IMAGES}/{_SOURCE}.png?exp=1767268800&sig=c2lnbmF0dXJl"
_RESULT_URL = f"{_IMAGES}/{_TASK}-1.png?exp=1767268800&sig=c2lnbmF0dXJl"
_PROMPT = "Make the logo more minimalist and use lighter shades of brown"
_LOGO = "A modern coffee shop logo with coffee beans"
_THEME = "Warm brown tones, natural feeling"
_BEGUN, _MOVED, _DONE = (f"2026-01-01T12:00:{second}.123456Z" for second in ("00", "01", "02"))

REFINE_REQUEST: Json = {
    "original_image_url": _SOURCE_URL,
    "refinement_prompt": _PROMPT,
    "logo_description": _LOGO,
    "theme_description": _THEME,
    "preserve_aspects": ["layout", "symbols"],
}
WEBHOOK_REQUEST: Json = {
    "url": "https://hooks.example.com/refined",
    "events": ["task.completed", "task.failed"],
}

REPORT: Json = {
    "engine": "embedded/1",
    "outcome": "partial",
    "understood": [
        {
            "span": "lighter shades of brown",
            "op": "lighten",
            "target": "colour:brown",
            "amount": 0.38,
        }
    ],
    "applied": [
        {
            "span": "lighter shades of brown",
            "op": "lighten",
            "summary": "Lightened the brown areas",
            "measured": {"lightness_before": 0.41, "lightness_after": 0.61, "area": 0.18},
        }
    ],
    "not_applied": [
        {
            "span": "add a coffee cup",
            "reason": "needs_generative",
            "message": "Adding new objects needs a generative engine.",
        }
    ],
    "assumptions": [],
    "corrections": [["ligther", "lighter"]],
    "warnings": [],
    "palette": {"before": ["#73492a"], "after": ["#b08460"]},
}
PENDING: Json = {
    "task_id": _TASK,
    "status": "pending",
    "message": "Concept refinement task created and queued for processing",
    "type": "concept_refinement",
    "created_at": _BEGUN,
    "updated_at": None,
    "completed_at": None,
    "metadata": {
        "original_image_url": _SOURCE_URL,
        "refinement_prompt": _PROMPT,
        "logo_description": _LOGO,
        "theme_description": _THEME,
        "preserve_aspects": ["layout", "symbols"],
        "report": None,
    },
    "result_id": None,
    "image_url": None,
    "error_message": None,
    "error_code": None,
    "progress": 0.0,
    "attempt": 0,
    "concept_id": _SOURCE,
}
CONFLICT: Json = {
    **PENDING,
    "status": "processing",
    "message": "A concept refinement task is already in progress",
    "updated_at": _MOVED,
    "progress": 0.5,
    "attempt": 1,
}
COMPLETED: Json = {
    **PENDING,
    "status": "completed",
    "message": "Concept refinement completed",
    "updated_at": _DONE,
    "completed_at": _DONE,
    "metadata": {**PENDING["metadata"], "report": REPORT},
    "result_id": _RESULT,
    "image_url": _RESULT_URL,
    "progress": 1.0,
    "attempt": 1,
}
CANCELED: Json = {
    **PENDING,
    "status": "failed",
    "message": "The refinement was canceled.",
    "updated_at": _DONE,
    "completed_at": _DONE,
    "error_message": "The refinement was canceled.",
    "error_code": "canceled",
}
CONCEPT: Json = {
    "concept_id": _SOURCE,
    "parent_id": None,
    "parent_deleted": False,
    "root_id": _SOURCE,
    "task_id": None,
    "image_url": _SOURCE_URL,
    "content_type": "image/png",
    "width": 1024,
    "height": 1024,
    "refinement_prompt": None,
    "logo_description": _LOGO,
    "theme_description": _THEME,
    "engine": None,
    "report": None,
    "created_at": _BEGUN,
}
REFINED: Json = {
    **CONCEPT,
    "concept_id": _RESULT,
    "parent_id": _SOURCE,
    "task_id": _TASK,
    "image_url": _RESULT_URL,
    "refinement_prompt": _PROMPT,
    "engine": "embedded/1",
    "report": REPORT,
    "created_at": _DONE,
}
WEBHOOK: Json = {
    "webhook_id": _WEBHOOK,
    **WEBHOOK_REQUEST,
    "created_at": _BEGUN,
    "disabled_at": None,
}
DELIVERY: Json = {
    "delivery_id": _DELIVERY,
    "webhook_id": _WEBHOOK,
    "event": "task.completed",
    "task_id": _TASK,
    "status": "pending",
    "attempts": 1,
    "created_at": _DONE,
    "last_attempt_at": _DONE,
    "next_attempt_at": "2026-01-01T12:00:07.423456Z",
    "response_status": 500,
    "error": "refused",
}
TEST_DELIVERY: Json = {
    **DELIVERY,
    "event": "webhook.test",
    "task_id": None,
    "attempts": 0,
    "last_attempt_at": None,
    "next_attempt_at": _DONE,
    "response_status": None,
    "error": None,
}
CHECKS: Json = {"database": "ok", "queue": "ok", "storage": "ok"}
ENGINES: Json = {"embedded": "closed"}
NOT_READY: Json = {
    "status": "unavailable",
    "checks": {**CHECKS, "queue": "timeout"},
    "engines": ENGINES,
}

OF_SCHEMA: Mapping[str, Json] = {
    "RefineRequest": REFINE_REQUEST,
    "WebhookRequest": WEBHOOK_REQUEST,
    "Guest": {
        "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl",
        "token_type": "bearer",
        "expires_in": 2_592_000,
        "user_id": _USER,
    },
    "Quota": {
        "refinements": {
            "limit": 10,
            "used": 3,
            "remaining": 7,
            "period": "month",
            "resets_at": "2026-02-01T00:00:00.000000Z",
        }
    },
    "Task": PENDING,
    "Concept": CONCEPT,
    "Webhook": WEBHOOK,
    "NewWebhook": {**WEBHOOK, "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
    "Delivery": DELIVERY,
    "Alive": {"status": "ok"},
    "Ready": {"status": "ok", "checks": CHECKS, "engines": ENGINES},
}
"""What a body of a schema looks like where an operation has no better one."""

EVENTS = """\
retry: 1000

id: 1
event: task
data: {"task_id": "…", "status": "pending", …}

id: 2
event: task
data: {"task_id": "…", "status": "processing", "progress": 0.05, …}

: still here

id: 3
event: task
data: {"task_id": "…", "status": "completed", "image_url": "…", …}

"""
