"""Tell from a bearer token which user asks, and make tokens for those who have no provider."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

from service.jwks import ALGORITHMS, KeySet

NOT_BEFORE_LEEWAY_S = 30
GUEST_TTL_S = 30 * 24 * 3600
MAX_TOKEN_CHARS = 8_192


class AuthenticationRequired(Exception):
    """Sign in first: send an access token as `Authorization: Bearer …`."""


class TokenInvalid(Exception):
    """The access token is not valid."""


class TokenExpired(Exception):
    """The access token has expired. Sign in again."""


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must show besides its signature, and the key that signs ours.

    `secret` is the HS256 key, None when such tokens are refused.
    """

    secret: bytes | None
    audience: str | None = None
    issuer: str | None = None


class Authenticator:
    """Verifies tokens, by the secret and by a provider's keys, whichever there are.

    A token that cannot be verified is never let through.
    """

    def __init__(self, rules: TokenRules, keys: KeySet | None = None) -> None:
        self._rules = rules
        self._keys = keys

    async def user_of(self, authorization: str | None) -> UUID:
        """The user named by an `Authorization` header.

        Raises `AuthenticationRequired`, `TokenInvalid` or `TokenExpired`, and `KeysUnavailable`
        when the provider's keys cannot be had.
        """
        scheme, _, token = (authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise AuthenticationRequired
        return user_in(await self._claims(token.strip()))

    async def _claims(self, token: str) -> dict[str, Any]:
        header = _header_of(token)
        if header.get("alg") == "HS256":
            if self._rules.secret is None:
                raise TokenInvalid
            return verified_claims(token, self._rules.secret, "HS256", self._rules)
        if self._keys is None or header.get("alg") not in ALGORITHMS.values():
            raise TokenInvalid
        key = await self._keys.find(header.get("kid"))
        if key is None:
            raise TokenInvalid
        return verified_claims(token, key.key, key.algorithm, self._rules)


def _header_of(token: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN_CHARS:
        raise TokenInvalid
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise TokenInvalid from error


def verified_claims(token: str, key: Any, algorithm: str, rules: TokenRules) -> dict[str, Any]:
    """The claims of a token whose signature, times, audience and issuer hold."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=rules.audience,
            issuer=rules.issuer,
            options={
                "require": ["exp", "sub"],
                "verify_aud": rules.audience is not None,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        not_before = float(claims.get("nbf", 0))
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise TokenInvalid from error
    if not not_before <= time.time() + NOT_BEFORE_LEEWAY_S:
        raise TokenInvalid
    return claims


def user_in(claims: dict[str, Any]) -> UUID:
    """The user id in verified claims; `TokenInvalid` unless `sub` is a UUID."""
    try:
        return UUID(claims["sub"])
    except (ValueError, TypeError, AttributeError) as error:
        raise TokenInvalid from error


def make_token(user_id: UUID, rules: TokenRules, *, ttl_s: int) -> str:
    """A bearer token for a user, signed with the HS256 secret. Needs `rules.secret`."""
    if rules.secret is None:
        raise ValueError("tokens are signed elsewhere")
    now_s = int(time.time())
    claims: dict[str, Any] = {"sub": str(user_id), "iat": now_s, "exp": now_s + ttl_s}
    if rules.audience is not None:
        claims["aud"] = rules.audience
    if rules.issuer is not None:
        claims["iss"] = rules.issuer
    return jwt.encode(claims, rules.secret, algorithm="HS256")
