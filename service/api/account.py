"""Views of who one is and what one may still do."""

from __future__ import annotations

from uuid import uuid4

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201

from service.api.errors import NotFound
from service.api.keys import SETTINGS, TASKS, TOKEN_RULES
from service.api.present import json_answer, quota_out
from service.api.schemas import GuestOut, QuotaOut
from service.api.view import View
from service.auth import GUEST_TTL_S, make_token


class Guest(View):
    """Anonymous users."""

    is_open = True

    async def post(self) -> r201[GuestOut]:
        """Sign in as a fresh anonymous user.

        Status Codes:
            201: A token for the new user
        """
        rules = self.request.app[TOKEN_RULES]
        if not self.request.app[SETTINGS].guests_may_sign_in or rules.secret is None:
            raise NotFound
        user_id = uuid4()
        token = make_token(user_id, rules, ttl_s=GUEST_TTL_S)
        return json_answer(
            GuestOut(access_token=token, expires_in=GUEST_TTL_S, user_id=user_id), status=201
        )


class Quota(View):
    """What is left of the month."""

    async def get(self) -> r200[QuotaOut]:
        """Refinements used and left in this calendar month (UTC).

        Status Codes:
            200: The quota
        """
        return json_answer(quota_out(await self.request.app[TASKS].quota(self.user_id)))


ROUTES = (web.view("/api/auth/guest", Guest), web.view("/api/quota", Quota))
