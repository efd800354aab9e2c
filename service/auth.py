"""Tell from a bearer token which user asks, and make tokens for those who have no provider."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

from service.jwks import ALGORITHMS, KeySet

NOT_BEFORE_LEEWAY_S = 30
GUEST_TTL_S = 30 * 24 * 3600
MAX_TOKEN_CHARS = 8_192
REMEMBER_S = 300.0
REMEMBERED_TOKENS = 16_384


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

    A token that cannot be verified is never let through. One that was verified is remembered for
    five minutes, or until it expires: a client sends the same one again and again.
    """

    def __init__(self, rules: TokenRules, keys: KeySet | None = None) -> None:
        self._rules = rules
        self._keys = keys
        self._secret = None if rules.secret is None else symmetric_key(rules.secret)
        self._verified: dict[str, tuple[UUID, float]] = {}

    async def user_of(self, authorization: str | None) -> UUID:
        """The user named by an `Authorization` header.

        Raises `AuthenticationRequired`, `TokenInvalid` or `TokenExpired`, and `KeysUnavailable`
        when the provider's keys cannot be had.
        """
        scheme, _, token = (authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise AuthenticationRequired
        user_id, until_s = self._verified.get(token, (None, 0.0))
        if user_id is not None and time.time() < until_s:
            return user_id
        claims = await self._claims(token.strip())
        user_id = user_in(claims)
        self._remember(token, user_id, float(claims["exp"]))
        return user_id

    def _remember(self, token: str, user_id: UUID, expires_at_s: float) -> None:
        if len(self._verified) >= REMEMBERED_TOKENS:
            self._verified.clear()
        self._verified[token] = (user_id, min(expires_at_s, time.time() + REMEMBER_S))

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_CHARS:
            raise TokenInvalid
        if self._keys is None:
            return self._signed_by_us(token)
        header = _header_of(token)
        if header.get("alg") == "HS256":
            return self._signed_by_us(token)
        if header.get("alg") not in ALGORITHMS.values():
            raise TokenInvalid
        key = await self._keys.find(header.get("kid"))
        if key is None:
            raise TokenInvalid
        return verified_claims(token, key.key, key.algorithm, self._rules)

    def _signed_by_us(self, token: str) -> dict[str, Any]:
        if self._secret is None:
            raise TokenInvalid
        return verified_claims(token, self._secret, "HS256", self._rules)


def symmetric_key(secret: bytes) -> jwt.PyJWK:
    """A secret in the form that need not be looked at again for every token."""
    encoded = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    return jwt.PyJWK({"kty": "oct", "k": encoded}, "HS256")


def _header_of(token: str) -> dict[str, Any]:
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
