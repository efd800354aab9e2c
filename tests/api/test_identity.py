"""Tokens: who may ask, and what is said to those who may not."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest

from service.sandbox import Sandbox
from tests.api.harness import Service, User, running_service
from tests.databases import a_database
from tests.scripted import ScriptedEngine

SECRET = "a secret of more than thirty-two bytes"
SUBJECT = str(uuid4())


def a_token(secret: str = SECRET, *, algorithm: str = "HS256", **claims: Any) -> str:
    given = {"sub": SUBJECT, "exp": int(time.time()) + 3_600, **claims}
    kept = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(kept, secret, algorithm=algorithm)


def unsigned(**header: Any) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    payload = part({"sub": SUBJECT, "exp": int(time.time()) + 3_600})
    return f"{part({'typ': 'JWT', **header})}.{payload}."


WRONG = {
    "nothing": ("", "authentication_required"),
    "another scheme": ("Basic dXNlcg==", "authentication_required"),
    "no token": ("Bearer ", "authentication_required"),
    "garbage": ("Bearer x", "token_invalid"),
    "three dots": ("Bearer ...", "token_invalid"),
    "unsigned": (f"Bearer {unsigned(alg='none')}", "token_invalid"),
    "unsigned HS256": (f"Bearer {unsigned(alg='HS256')}", "token_invalid"),
    "wrong key": (f"Bearer {a_token('another secret of thirty-two bytes')}", "token_invalid"),
    "wrong algorithm": (f"Bearer {a_token(2 * SECRET, algorithm='HS512')}", "token_invalid"),
    "expired": (f"Bearer {a_token(exp=int(time.time()) - 1)}", "token_expired"),
    "no expiry": (f"Bearer {a_token(exp=None)}", "token_invalid"),
    "no subject": (f"Bearer {a_token(sub=None)}", "token_invalid"),
    "subject no UUID": (f"Bearer {a_token(sub='someone')}", "token_invalid"),
    "not yet valid": (f"Bearer {a_token(nbf=int(time.time()) + 3_6000)}", "token_invalid"),
    "nbf a word": (f"Bearer {a_token(nbf='soon')}", "token_invalid"),
    "huge": (f"Bearer {'x' * 8_000}", "token_invalid"),
}


@pytest.fixture(scope="module")
async def configured(
    postgres_server: str,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    sandbox: Sandbox,
) -> AsyncIterator[Service]:
    """A service with a secret."""
    folder = tmp_path_factory.mktemp("service")
    async with (
        a_database(postgres_server, migrated_template) as dsn,
        running_service(dsn, folder, ScriptedEngine(), sandbox, auth_jwt_secret=SECRET) as service,
    ):
        yield service


@pytest.mark.parametrize(("authorization", "code"), WRONG.values(), ids=WRONG.keys())
async def test_a_token_that_cannot_be_verified_is_401(
    configured: Service, authorization: str, code: str
) -> None:
    async with configured.session.get(
        f"{configured.base}/api/tasks", headers={"Authorization": authorization}
    ) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert (await response.json())["code"] == code


async def test_every_address_of_the_api_but_the_guests_asks_who_is_there(
    configured: Service,
) -> None:
    async with configured.session.get(f"{configured.base}/openapi.json") as response:
        described = (await response.json())["paths"]
    open_to_all = set()
    for path in [path for path in described if path.startswith("/api/")]:
        for method in ("GET", "POST", "DELETE", "OPTIONS", "PATCH"):
            url = configured.base + re.sub(r"{\w+}", SUBJECT, path)
            async with configured.session.request(method, url) as response:
                if response.status != 401:
                    open_to_all.add(path)
    assert open_to_all == {"/api/auth/guest"}
    assert len(described) > 15


async def test_a_token_of_the_configured_secret_names_its_user(configured: Service) -> None:
    user = User(configured.session, configured.base, a_token(), SUBJECT)
    await user.upload()
    assert len(await user.get("/api/concepts")) == 1


async def test_guests_are_off_once_a_secret_is_configured(configured: Service) -> None:
    async with configured.session.post(f"{configured.base}/api/auth/guest") as response:
        assert response.status == 404


async def test_a_payload_of_base64url_characters_is_read(configured: Service) -> None:
    """A token payload with - or _ was a 503 in the first version."""
    for number in range(40):
        token = a_token(name="?>~ÿ" * (number + 1))
        user = User(configured.session, configured.base, token, SUBJECT)
        assert await user.get("/api/tasks") == []


async def test_audience_and_issuer_are_required_when_set(database_url: str, tmp_path: Path) -> None:
    async with running_service(
        database_url,
        tmp_path,
        ScriptedEngine(),
        auth_jwt_secret=SECRET,
        auth_audience="refiner",
        auth_issuer="https://id.test",
    ) as service:
        for claims, status in (
            ({}, 401),
            ({"aud": "refiner"}, 401),
            ({"aud": "other", "iss": "https://id.test"}, 401),
            ({"aud": ["x", "refiner"], "iss": "https://id.test"}, 200),
        ):
            user = User(service.session, service.base, a_token(**claims), SUBJECT)
            assert (await user.request("GET", "/api/tasks")).status == status, claims


async def test_the_token_command_makes_tokens_that_work(service: Service, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "service.token", "--user", SUBJECT, "--ttl", "60"),
        env={"DATA_DIR": str(tmp_path), "PATH": ""},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    user = User(service.session, service.base, output.decode().strip(), SUBJECT)
    assert await user.get("/api/tasks") == []
