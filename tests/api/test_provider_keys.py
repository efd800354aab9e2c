"""Tokens of an identity provider, checked with the keys that it publishes."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.auth import Authenticator, TokenExpired, TokenInvalid, TokenRules
from service.jwks import KeySet, KeysUnavailable
from tests.api.harness import User, running_service
from tests.api.provider import SUBJECT, Provider
from tests.scripted import ScriptedEngine

SECRET = b"a secret of more than thirty-two bytes"


@pytest.fixture
async def keys(provider: Provider) -> AsyncIterator[KeySet]:
    keys = KeySet(provider.url)
    yield keys
    await keys.close()


def authenticator(keys: KeySet, **rules: Any) -> Authenticator:
    return Authenticator(TokenRules(rules.pop("secret", None), **rules), keys)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_each_kind_of_key_is_taken(provider: Provider, keys: KeySet, algorithm: str) -> None:
    provider.add("another", algorithm)
    user = await authenticator(keys).user_of(f"Bearer {provider.token('another')}")
    assert user == SUBJECT


async def test_keys_are_fetched_once_for_many_tokens(provider: Provider, keys: KeySet) -> None:
    door = authenticator(keys)
    token = provider.token("one")
    await asyncio.gather(*(door.user_of(f"Bearer {token}") for _ in range(50)))
    assert provider.asked == 1


async def test_a_flood_of_unknown_key_ids_causes_no_flood_of_fetches(
    provider: Provider, keys: KeySet
) -> None:
    door = authenticator(keys)
    await door.user_of(f"Bearer {provider.token('one')}")
    _, key = provider.private["one"]
    for number in range(200):
        forged = jwt.encode({"sub": "x"}, key, algorithm="RS256", headers={"kid": f"k{number}"})
        with pytest.raises(TokenInvalid):
            await door.user_of(f"Bearer {forged}")
    assert provider.asked == 1


async def test_a_new_key_is_found_without_a_restart(
    provider: Provider, keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.jwks.REFETCH_SPACING_S", 0.0)
    door = authenticator(keys)
    await door.user_of(f"Bearer {provider.token('one')}")
    provider.add("two", "ES256")
    assert await door.user_of(f"Bearer {provider.token('two')}") == SUBJECT


async def test_known_keys_outlive_a_failing_provider(
    provider: Provider, keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.jwks.FRESH_S", 0.0)
    monkeypatch.setattr("service.jwks.REFETCH_SPACING_S", 0.0)
    door = authenticator(keys)
    await door.user_of(f"Bearer {provider.token('one')}")
    provider.status = 500
    another = provider.token("one", jti="another")
    assert await door.user_of(f"Bearer {another}") == SUBJECT
    assert provider.asked == 2


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"{}", b'{"keys": []}', b'{"keys": [1]}', b"<html>"]
)
async def test_a_provider_without_usable_keys_shuts_the_door(
    provider: Provider, keys: KeySet, answer: bytes
) -> None:
    provider.answer = answer
    with pytest.raises(KeysUnavailable):
        await authenticator(keys).user_of(f"Bearer {provider.token('one')}")


async def test_a_provider_that_is_away_is_a_503_of_the_api(
    database_url: str, tmp_path: Path
) -> None:
    async with running_service(
        database_url, tmp_path, ScriptedEngine(), auth_jwks_url="http://127.0.0.1:1/keys"
    ) as service:
        provider = Provider()
        provider.add("one", "RS256")
        user = User(service.session, service.base, provider.token("one"), str(SUBJECT))
        response = await user.request("GET", "/api/tasks")
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert (await response.json())["code"] == "service_unavailable"


async def test_hs256_is_refused_beside_published_keys_unless_a_secret_is_set(
    provider: Provider, keys: KeySet
) -> None:
    token = jwt.encode({"sub": str(SUBJECT), "exp": time.time() + 60}, SECRET, algorithm="HS256")
    with pytest.raises(TokenInvalid):
        await authenticator(keys).user_of(f"Bearer {token}")
    assert await authenticator(keys, secret=SECRET).user_of(f"Bearer {token}") == SUBJECT


async def test_a_public_key_used_as_a_secret_does_not_open_the_door(
    provider: Provider, keys: KeySet
) -> None:
    """The classic confusion: an HS256 token signed with the text of the public key."""
    _, key = provider.private["one"]
    text = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in (
            {"alg": "HS256", "kid": "one", "typ": "JWT"},
            {"sub": str(SUBJECT), "exp": int(time.time()) + 60},
        )
    ]
    signature = hmac.digest(text, b".".join(parts), "sha256")
    forged = b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()
    with pytest.raises(TokenInvalid):
        await authenticator(keys).user_of(f"Bearer {forged}")


async def test_a_token_cannot_choose_another_algorithm_for_a_key(
    provider: Provider, keys: KeySet
) -> None:
    _, key = provider.private["one"]
    for algorithm in ("RS512", "PS256"):
        forged = jwt.encode(
            {"sub": str(SUBJECT), "exp": time.time() + 60},
            key,
            algorithm=algorithm,
            headers={"kid": "one"},
        )
        with pytest.raises(TokenInvalid):
            await authenticator(keys).user_of(f"Bearer {forged}")


async def test_tokens_shaped_like_supabases_and_auth0s_work(
    provider: Provider, keys: KeySet
) -> None:
    provider.add("supabase", "ES256")
    supabase = {
        "iss": "https://project.supabase.co/auth/v1",
        "aud": "authenticated",
        "role": "authenticated",
        "app_metadata": {"provider": "email"},
        "session_id": str(uuid4()),
        "is_anonymous": False,
    }
    door = authenticator(keys, audience="authenticated", issuer=supabase["iss"])
    assert await door.user_of(f"Bearer {provider.token('supabase', **supabase)}") == SUBJECT
    auth0 = {
        "iss": "https://tenant.eu.auth0.com/",
        "aud": ["https://api.refiner.test", "https://tenant.eu.auth0.com/userinfo"],
        "azp": "client",
        "scope": "openid profile",
    }
    door = authenticator(keys, audience="https://api.refiner.test", issuer=auth0["iss"])
    assert await door.user_of(f"Bearer {provider.token('one', **auth0)}") == SUBJECT
    with pytest.raises(TokenInvalid):
        await door.user_of(f"Bearer {provider.token('one', **auth0 | {'aud': 'other'})}")
    with pytest.raises(TokenExpired):
        await door.user_of(f"Bearer {provider.token('one', **auth0 | {'exp': 1})}")
