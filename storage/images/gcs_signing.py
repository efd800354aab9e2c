"""Write addresses of Google Cloud Storage objects that work for a while without credentials.

https://cloud.google.com/storage/docs/access-control/signing-urls-manually
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HOST = "storage.googleapis.com"


@dataclass(frozen=True, slots=True)
class UnsignedAddress:
    """An address, and the text that a service account has to sign to make it work."""

    url: str
    to_sign: bytes

    def signed(self, signature: bytes) -> str:
        """The address that works."""
        return f"{self.url}&X-Goog-Signature={signature.hex()}"


def unsigned_address(
    bucket: str, name: str, email: str, *, begins_at: datetime, lives_s: int
) -> UnsignedAddress:
    """The V4 address of an object for the service account of that email; the time is UTC."""
    stamp = begins_at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{begins_at:%Y%m%d}/auto/storage/goog4_request"
    path = f"/{bucket}/{quote(name, safe='/~')}"
    query = "&".join(
        f"{field}={quote(value, safe='')}"
        for field, value in (
            ("X-Goog-Algorithm", "GOOG4-RSA-SHA256"),
            ("X-Goog-Credential", f"{email}/{scope}"),
            ("X-Goog-Date", stamp),
            ("X-Goog-Expires", str(lives_s)),
            ("X-Goog-SignedHeaders", "host"),
        )
    )
    request = "\n".join(("GET", path, query, f"host:{HOST}\n", "host", "UNSIGNED-PAYLOAD"))
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = "\n".join(("GOOG4-RSA-SHA256", stamp, scope, digest))
    return UnsignedAddress(f"https://{HOST}{path}?{query}", to_sign.encode())


class Signer(Protocol):
    """A service account that signs. The same message gives the same signature."""

    async def email(self) -> str:
        """The account's name."""

    async def sign(self, message: bytes) -> bytes:
        """The RSA signature of the message's SHA-256 digest."""


class KeySigner:
    """Signs with a private key at hand. Raises `ValueError` when the PEM text holds none."""

    def __init__(self, email: str, pem: str) -> None:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("a service account's key is an RSA key")  # noqa: TRY004 - of the file
        self._email = email
        self._key = key

    async def email(self) -> str:
        """The account's name, from beside the key."""
        return self._email

    async def sign(self, message: bytes) -> bytes:
        """The signature, made in a thread: it is a millisecond of CPU."""
        return await asyncio.to_thread(self._key.sign, message, padding.PKCS1v15(), hashes.SHA256())
