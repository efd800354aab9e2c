"""An empty image store for each test, of each backend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.images.contract import Images
from tests.storage.images.backends import Backend, files_backend, gcs_backend
from tests.storage.images.gcs_emulator import GcsEmulator, gcs_emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[GcsEmulator]:
    """The storage emulator of this run."""
    with gcs_emulator() as emulator:
        yield emulator


@pytest.fixture(params=["files", "gcs"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """Each backend in its turn."""
    if request.param == "files":
        opening = files_backend(tmp_path)
    else:
        opening = gcs_backend(request.getfixturevalue("emulator"))
    async with opening as backend:
        yield backend


@pytest.fixture
def images(backend: Backend) -> Images:
    """The store of `backend`."""
    return backend.images
