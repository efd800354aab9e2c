"""Views of webhooks: add, read, list, test, delete, and what became of their deliveries."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r202, r204
from pydantic import Field

from service.api.errors import TooManyWebhooks, WebhookIsDisabled, WebhookNotFound
from service.api.keys import DELIVERIES, SETTINGS, WEBHOOKS
from service.api.present import json_answer
from service.api.schemas import DeliveryOut, NewWebhookOut, WebhookIn, WebhookOut
from service.api.view import View, link_to_next, position_in
from service.webhooks import new_secret, shown_secret
from storage.deliveries import Delivery
from storage.tasks import Position
from storage.webhooks import Webhook


class WebhookView(View):
    """A view of one of the user's webhooks."""

    missing = WebhookNotFound

    async def find(self, webhook_id: UUID) -> Webhook:
        """The webhook, or `WebhookNotFound`."""
        webhook = await self.request.app[WEBHOOKS].get(self.user_id, webhook_id)
        if webhook is None:
            raise WebhookNotFound
        return webhook


class WebhookList(View):
    """The user's webhooks."""

    takes_json = True

    async def get(self) -> r200[list[WebhookOut]]:
        """List webhooks, newest first.

        Status Codes:
            200: All of them; there are few
        """
        webhooks = await self.request.app[WEBHOOKS].all(self.user_id)
        return json_answer([_webhook_out(webhook) for webhook in webhooks])

    async def post(self, body: WebhookIn) -> r201[NewWebhookOut]:
        """Have events sent to a server, signed by the rules of Standard Webhooks.

        Status Codes:
            201: The new webhook with its secret, which is not shown again
        """
        secret = new_secret()
        webhook = await self.request.app[WEBHOOKS].add(
            self.user_id, body.url, tuple(body.events), secret
        )
        if webhook is None:
            raise TooManyWebhooks
        shown = NewWebhookOut(secret=shown_secret(secret), **dict(_webhook_out(webhook)))
        response = json_answer(shown, status=201)
        response.headers["Location"] = f"/api/webhooks/{webhook.id}"
        return response


class OneWebhook(WebhookView):
    """One of the user's webhooks."""

    async def get(self, webhook_id: UUID, /) -> r200[WebhookOut]:
        """Read a webhook.

        Status Codes:
            200: The webhook
        """
        return json_answer(_webhook_out(await self.find(webhook_id)))

    async def delete(self, webhook_id: UUID, /) -> r204:
        """Delete a webhook with its deliveries; what is pending is not sent.

        Status Codes:
            204: It is gone
        """
        if not await self.request.app[WEBHOOKS].delete(self.user_id, webhook_id):
            raise WebhookNotFound
        return web.Response(status=204)


class WebhookTest(WebhookView):
    """Trying a webhook out."""

    async def post(self, webhook_id: UUID, /) -> r202[DeliveryOut]:
        """Send an event of type `webhook.test`; while one is pending it is that one.

        Status Codes:
            202: The delivery; the log tells what becomes of it
        """
        delivery = await self.request.app[DELIVERIES].owe_test(self.user_id, webhook_id)
        if delivery is None:
            await self.find(webhook_id)
            raise WebhookIsDisabled
        response = json_answer(_delivery_out(delivery), status=202)
        response.headers["Location"] = f"/api/webhooks/{webhook_id}/deliveries"
        return response


class DeliveryLog(WebhookView):
    """What a webhook was sent."""

    async def get(
        self,
        webhook_id: UUID,
        /,
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
        cursor: str | None = None,
    ) -> r200[list[DeliveryOut]]:
        """List deliveries of the last 30 days, newest first; `Link` leads to the next page.

        Status Codes:
            200: One page of deliveries
        """
        app = self.request.app
        await self.find(webhook_id)
        found = await app[DELIVERIES].page(webhook_id, after=position_in(cursor), limit=limit + 1)
        shown = found[:limit]
        response = json_answer([_delivery_out(delivery) for delivery in shown])
        if len(found) > limit:
            last = Position(shown[-1].created_at, shown[-1].id)
            response.headers["Link"] = link_to_next(self.request, app[SETTINGS].public_url, last)
        return response


def _webhook_out(webhook: Webhook) -> WebhookOut:
    return WebhookOut(
        webhook_id=webhook.id,
        url=webhook.url,
        events=list(webhook.events),
        created_at=webhook.created_at,
        disabled_at=webhook.disabled_at,
    )


def _delivery_out(delivery: Delivery) -> DeliveryOut:
    return DeliveryOut(
        delivery_id=delivery.id,
        webhook_id=delivery.webhook_id,
        event=delivery.event,
        task_id=delivery.task_id,
        status=delivery.status,
        attempts=delivery.attempt,
        created_at=delivery.created_at,
        last_attempt_at=delivery.attempted_at,
        next_attempt_at=delivery.due_at,
        response_status=delivery.response_status,
        error=delivery.trouble.value if delivery.trouble else None,
    )


ROUTES = (
    web.view("/api/webhooks", WebhookList),
    web.view("/api/webhooks/{webhook_id}", OneWebhook),
    web.view("/api/webhooks/{webhook_id}/test", WebhookTest),
    web.view("/api/webhooks/{webhook_id}/deliveries", DeliveryLog),
)
