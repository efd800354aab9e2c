"""Addresses that a bucket serves to anyone: signed with a key, by Google, or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from gcloud.aio.auth import Token
from gcloud.aio.storage import Blob, Bucket, Storage

from storage.images.contract import ImageStoreUnavailable
from storage.images.gcs import CannotSign, GcsImages
from storage.images.gcs_signing import KeySigner, unsigned_address
from tests.storage.images.gcs_stub import GcsStub, Handler, answers, gcs_stub, hangs, obeys

KEY = f"{uuid4()}/{uuid4()}.png"
EMAIL = "refiner@project.iam.gserviceaccount.com"
NOON_S = 1_800_000_000.0
HALF_AN_HOUR_S = 1_800


@dataclass
class Clock:
    """Epoch seconds that a test moves; at the beginning of a window."""

    now_s: float = NOON_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    """A service account's key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def service_file(tmp_path: Path, private_key: rsa.RSAPrivateKey) -> str:
    """The file that Google gives out for a service account."""
    pem = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return _credentials(
        tmp_path, type="service_account", client_email=EMAIL, private_key=pem.decode()
    )


@pytest.fixture
async def opened() -> AsyncIterator[AsyncExitStack]:
    """Closes what a test opens."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[GcsStub]:
    """A machine of Google's without a key file: credentials come from its metadata service."""
    async with gcs_stub() as stub:
        monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
        token_url = f"{stub.url}/instance/service-accounts/default/token"
        monkeypatch.setattr("gcloud.aio.auth.token.GCE_ENDPOINT_TOKEN", token_url)
        monkeypatch.setattr("gcloud.aio.auth.iam.API_ROOT_IAM_CREDENTIALS", f"{stub.url}/v1")
        monkeypatch.setattr("storage.images.gcs.GCE_METADATA_BASE", stub.url)
        yield stub


def _credentials(folder: Path, **fields: str) -> str:
    path = folder / "credentials.json"
    path.write_text(json.dumps(fields))
    return str(path)


def _open(stack: AsyncExitStack, **options: Any) -> GcsImages:
    images = GcsImages("a-bucket", "some/prefix", **options)
    stack.push_async_callback(images.close)
    return images


async def test_an_address_is_the_one_that_google_s_library_makes(
    opened: AsyncExitStack, service_file: str
) -> None:
    name = f"some/prefix/{KEY}"
    async with Storage(service_file=service_file) as library:
        theirs = await Blob(Bucket(library, "a-bucket"), name, {"size": 1}).get_signed_url(3600)
        made_at = parse_qs(urlsplit(theirs).query)["X-Goog-Date"][0]
        pem = Token(service_file).service_data["private_key"]
    moment = datetime.strptime(made_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = unsigned_address("a-bucket", name, EMAIL, begins_at=moment, lives_s=3600)
    assert ours.signed(await KeySigner(EMAIL, pem).sign(ours.to_sign)) == theirs


async def test_an_address_carries_the_signature_of_the_account_s_key(
    private_key: rsa.RSAPrivateKey, opened: AsyncExitStack, service_file: str
) -> None:
    images = _open(opened, service_file=service_file, clock=Clock())
    signature = bytes.fromhex((await images.url(KEY)).rpartition("X-Goog-Signature=")[2])
    address = unsigned_address(
        "a-bucket",
        f"some/prefix/{KEY}",
        EMAIL,
        begins_at=datetime.fromtimestamp(NOON_S, UTC),
        lives_s=2 * HALF_AN_HOUR_S,
    )
    private_key.public_key().verify(signature, address.to_sign, padding.PKCS1v15(), hashes.SHA256())


async def test_an_address_works_for_half_an_hour_from_any_moment_and_then_changes(
    opened: AsyncExitStack, service_file: str
) -> None:
    clock = Clock()
    images = _open(opened, service_file=service_file, clock=clock)
    first = await images.url(KEY)
    query = parse_qs(urlsplit(first).query)
    begins = datetime.strptime(query["X-Goog-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ends_s = begins.timestamp() + int(query["X-Goog-Expires"][0])
    clock.now_s = NOON_S + HALF_AN_HOUR_S - 0.1
    assert await images.url(KEY) == first
    assert ends_s >= clock.now_s + HALF_AN_HOUR_S
    clock.now_s = NOON_S + HALF_AN_HOUR_S
    assert await images.url(KEY) != first
    assert images.key_of(first) == KEY


async def test_two_instances_make_the_same_address(
    opened: AsyncExitStack, service_file: str
) -> None:
    one = _open(opened, service_file=service_file, clock=Clock())
    two = _open(opened, service_file=service_file, clock=Clock(NOON_S + 60))
    assert await one.url(KEY) == await two.url(KEY)


async def test_google_signs_where_there_is_no_key(opened: AsyncExitStack, google: GcsStub) -> None:
    images = _open(opened, clock=Clock())
    url = await images.url(KEY)
    assert url.endswith(f"&X-Goog-Signature={b'signature'.hex()}")
    assert EMAIL in parse_qs(urlsplit(url).query)["X-Goog-Credential"][0]
    assert google.signed[0].startswith(b"GOOG4-RSA-SHA256\n")
    assert images.key_of(url) == KEY


async def test_an_address_is_signed_once_in_its_window(
    opened: AsyncExitStack, google: GcsStub
) -> None:
    clock = Clock()
    images = _open(opened, clock=clock)
    for _ in range(5):
        await images.url(KEY)
    assert len(google.signed) == 1
    clock.now_s += HALF_AN_HOUR_S
    await images.url(KEY)
    assert len(google.signed) == 2


async def test_a_passing_fault_of_the_signer_is_borne(
    opened: AsyncExitStack, google: GcsStub
) -> None:
    images = _open(opened)
    await images.url(f"{uuid4()}/{uuid4()}.png")
    google.faults = [answers(503)]
    assert "X-Goog-Signature=" in await images.url(KEY)


async def test_a_signer_that_refuses_is_an_outage(opened: AsyncExitStack, google: GcsStub) -> None:
    images = _open(opened)
    await images.url(f"{uuid4()}/{uuid4()}.png")
    google.faults = [answers(403)]
    with pytest.raises(ImageStoreUnavailable):
        await images.url(KEY)


async def _gives_no_token(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await (hangs if request.path.endswith("/token") else obeys)(request, handler)


async def test_a_token_that_does_not_come_is_an_outage_for_everyone_who_waits(
    opened: AsyncExitStack, google: GcsStub
) -> None:
    google.faults = [_gives_no_token] * 20
    images = _open(opened, try_s=0.2)
    asked = [images.url(f"{uuid4()}/{uuid4()}.png") for _ in range(3)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ImageStoreUnavailable] * 3


async def test_a_person_s_credentials_are_refused_at_the_start(
    opened: AsyncExitStack, tmp_path: Path
) -> None:
    mine = _credentials(
        tmp_path, type="authorized_user", client_id="x", client_secret="x", refresh_token="x"
    )
    with pytest.raises(CannotSign):
        _open(opened, service_file=mine)


async def test_an_address_of_a_network_in_front_is_plain(opened: AsyncExitStack) -> None:
    images = _open(opened, cdn_prefix="https://cdn.test/logos/")
    assert await images.url(KEY) == f"https://cdn.test/logos/{KEY}"
    assert images.key_of(f"https://cdn.test/logos/{KEY}?width=100") == KEY


async def test_addresses_from_before_a_move_keep_their_meaning(
    opened: AsyncExitStack, service_file: str
) -> None:
    images = _open(
        opened,
        service_file=service_file,
        known_prefixes=("https://refiner.test/images", "https://storage.googleapis.com/old"),
    )
    assert images.key_of(f"https://refiner.test/images/{KEY}?exp=1&sig=x") == KEY
    assert images.key_of(f"https://storage.googleapis.com/old/{KEY}?X-Goog-Date=x") == KEY
    assert images.key_of(f"https://storage.googleapis.com/older/{KEY}") is None
