"""The whole service on a bucket: the API and the worker as processes that share no disk."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from PIL import Image

from tests.api.harness import User
from tests.emulators import EmulatorMissing, PubSubEmulator, pubsub_emulator
from tests.processes import Process, Start, service_process
from tests.storage.images.gcs_emulator import GcsEmulator, gcs_emulator

SAMPLE = Path(__file__).parents[1] / "service" / "studio" / "samples" / "coffee.png"
SECRET = "a secret for processes under test"


@pytest.fixture(scope="module")
def broker() -> Iterator[PubSubEmulator]:
    """Google's Pub/Sub emulator."""
    try:
        with pubsub_emulator() as running:
            yield running
    except EmulatorMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def bucket() -> Iterator[GcsEmulator]:
    """The storage emulator."""
    with gcs_emulator() as running:
        yield running


@pytest.fixture
async def api(
    tmp_path: Path, database_url: str, broker: PubSubEmulator, bucket: GcsEmulator, fork: Start
) -> AsyncIterator[Process]:
    """An API process, beside which a worker process runs."""
    name = uuid4().hex[:12]
    settings = {
        "DATABASE_URL": database_url,
        "QUEUE_URL": f"pubsub://test/t{name}/s{name}",
        "PUBSUB_EMULATOR_HOST": broker.host,
        "STORAGE_URL": f"gs://{bucket.bucket}/{name}",
        "STORAGE_EMULATOR_HOST": bucket.url,
        "AUTH_JWT_SECRET": SECRET,
        "GUEST_SIGN_IN": "true",
        "PUBLIC_URL": "http://refiner.test",
        "TASK_LEASE_SECONDS": "5",
    }
    async with AsyncExitStack() as stack:
        processes = []
        for module in ("service", "service.worker"):
            port = unused_port()
            folder = tmp_path / module
            folder.mkdir()
            processes.append(
                await stack.enter_async_context(
                    service_process(
                        folder,
                        {**settings, "WORKER_PORT": str(port)},
                        module=module,
                        port=port,
                        start=fork,
                    )
                )
            )
        await asyncio.gather(*(process.ready() for process in processes))
        yield processes[0]
        for process in reversed(processes):
            assert await process.stop() == 0


async def test_a_refinement_goes_through_the_bucket(api: Process, bucket: GcsEmulator) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{api.base}/api/auth/guest") as response:
            signed_in = await response.json()
        user = User(session, api.base, signed_in["access_token"], signed_in["user_id"])
        concept = await user.upload(SAMPLE.read_bytes())
        assert concept["image_url"].startswith(f"{bucket.url}/{bucket.bucket}/")
        source = Image.open(io.BytesIO(await load(session, concept["image_url"])))

        response = await user.refine(
            concept["image_url"], refinement_prompt="Use lighter shades of brown"
        )
        assert response.status == 202, await response.text()
        task = await user.ended((await response.json())["task_id"])
        assert task["status"] == "completed", task
        result = Image.open(io.BytesIO(await load(session, task["image_url"])))
        assert result.size == source.size
        assert result.convert("RGB").tobytes() != source.convert("RGB").tobytes()

        refined = await user.refine(task["image_url"])
        assert (await refined.json())["concept_id"] == task["result_id"]

        assert (
            await user.request("DELETE", f"/api/concepts/{concept['concept_id']}")
        ).status == 204
        async with session.get(concept["image_url"]) as gone:
            assert gone.status == 404


async def load(session: aiohttp.ClientSession, url: str) -> bytes:
    """The image at an address, as a browser gets it."""
    async with session.get(url) as response:
        assert response.status == 200
        assert response.content_type == "image/png"
        return await response.read()
