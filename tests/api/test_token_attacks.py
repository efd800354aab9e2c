"""Forged tokens of every kind, sent to a service that trusts an identity provider."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.auth import MAX_TOKEN_CHARS
from service.sandbox import Sandbox
from tests.api.harness import Service, running_service
from tests.api.provider import SUBJECT, Provider
from tests.scripted import ScriptedEngine

CPU_S = 0.25
"""Processor time that an attack may cost; a good token costs under a thousandth."""
FOREIGN = rsa.generate_private_key(65537, 2048)


@pytest.fixture
async def trusting(
    database_url: str, tmp_path: Path, sandbox: Sandbox, provider: Provider
) -> AsyncIterator[Service]:
    """A service that takes the provider's tokens and no others."""
    async with running_service(
        database_url, tmp_path, ScriptedEngine(), sandbox, auth_jwks_url=provider.url
    ) as service:
        yield service


def encoded(part: Any) -> str:
    """A part of a token."""
    text = part if isinstance(part, str) else json.dumps(part)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def by_hand(header: Any, claims: Any, secret: bytes | None = None) -> str:
    """A token that no library would make; signed with HMAC if at all."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    signature = b"" if secret is None else hmac.digest(secret, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def good_claims(**claims: Any) -> dict[str, Any]:
    """The claims of a token that would do."""
    return {"sub": str(SUBJECT), "exp": int(time.time()) + 600, **claims}


def unsigned_and_confused(provider: Provider) -> dict[str, str]:
    """Tokens that want to be checked in another way than the provider's."""
    public = provider.private["one"][1].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    published = json.loads(provider.published())["keys"][0]
    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(FOREIGN.public_key()))
    found = {
        f"algorithm {algorithm!r}": by_hand({"alg": algorithm, "kid": "one"}, good_claims())
        for algorithm in ("none", "None", "NONE", "", None, 5, ["RS256"], "RS256", "HS256")
    }
    for name, secret in (("PEM", pem), ("modulus", published["n"].encode()), ("nothing", b"")):
        header = {"alg": "HS256", "kid": "one"}
        found[f"HS256 with {name}"] = by_hand(header, good_claims(), secret)
    found["key id no text"] = by_hand({"alg": "RS256", "kid": ["one"]}, good_claims())
    headers: dict[str, dict[str, Any]] = {
        "key brought along": {"kid": "one", "jwk": own},
        "key elsewhere": {"kid": "one", "jku": "http://127.0.0.1:1/", "x5u": "http://x/"},
        "key of a path": {"kid": "../../../dev/null"},
        "no key": {},
    }
    for name, header in headers.items():
        found[name] = jwt.encode(good_claims(), FOREIGN, "RS256", headers=header)
    return found


def untimely_and_huge(provider: Provider) -> dict[str, str]:
    """Tokens that are signed well and say what cannot be believed, and such as cost to read."""
    found = {
        f"expires {expiry!r}": provider.token("one", exp=expiry)
        for expiry in (1, 0, -1, int(time.time()) - 1)
    }
    found |= {
        f"subject {subject!r}": provider.token("one", sub=subject)
        for subject in ("", "admin", "' OR 1=1 --", f"{SUBJECT}\x00")
    }
    key = provider.private["one"][1]
    for missing in ("sub", "exp"):
        claims = {name: value for name, value in good_claims().items() if name != missing}
        found[f"no {missing}"] = jwt.encode(claims, key, "RS256", headers={"kid": "one"})
    nested = "[" * 2_500 + "]" * 2_500
    found |= {
        "critical extension": jwt.encode(
            good_claims(), key, "RS256", headers={"kid": "one", "crit": ["x"], "x": 1}
        ),
        "nested header": f"{encoded(nested)}.{encoded(good_claims())}.x",
        "header no object": f"{encoded([])}.{encoded(good_claims())}.x",
        "only dots": "." * (MAX_TOKEN_CHARS - 1),
        "huge number": by_hand('{"alg": "RS256", "kid": ' + "9" * 4_400 + "}", good_claims()),
        "as long as may be": "x" * MAX_TOKEN_CHARS,
        "too long": provider.token("one", more="x" * MAX_TOKEN_CHARS),
    }
    return found


async def test_every_forged_token_is_401_and_none_costs_much(
    trusting: Service, provider: Provider
) -> None:
    good = {"Authorization": f"Bearer {provider.token('one')}"}
    async with trusting.session.get(f"{trusting.base}/api/tasks", headers=good) as response:
        assert response.status == 200
    attacks = unsigned_and_confused(provider) | untimely_and_huge(provider)
    for number in range(200):
        attacks[f"unknown key {number}"] = jwt.encode(
            good_claims(), FOREIGN, "RS256", headers={"kid": f"key-{number}"}
        )
    for name, token in attacks.items():
        begin_s = time.process_time()
        async with trusting.session.get(
            f"{trusting.base}/api/tasks", headers={"Authorization": f"Bearer {token}"}
        ) as response:
            assert response.status == 401, name
            assert (await response.json())["code"] in ("token_invalid", "token_expired"), name
        assert time.process_time() - begin_s < CPU_S, name
    assert provider.asked <= 2
