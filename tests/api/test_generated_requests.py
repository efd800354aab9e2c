"""Schemathesis reads the description, thinks of requests, and holds the answers against it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.sandbox import Sandbox
from tests.api.harness import Service, running_service
from tests.scripted import ScriptedEngine

LIMIT_S = 180
OPTIONS = (
    *("--no-color", "--continue-on-failure", "--warnings=off", "--suppress-health-check=all"),
    *("--generation-deterministic", "--max-examples=3"),
    "--checks=all",
    # a cursor, an address and an image can be wrong in ways that no schema tells: those get a 422
    "--exclude-checks=positive_data_acceptance",
)


@pytest.fixture
async def generous(database_url: str, tmp_path: Path, sandbox: Sandbox) -> AsyncIterator[Service]:
    """A service whose quota is not soon used up."""
    async with running_service(
        database_url, tmp_path, ScriptedEngine(), sandbox, monthly_refinements=1_000_000
    ) as service:
        yield service


async def test_nothing_that_it_thinks_of_is_answered_in_an_undescribed_way(
    generous: Service, tmp_path: Path
) -> None:
    user = await generous.guest()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{generous.base}/openapi.json"),
        *("--header", f"Authorization: Bearer {user.token}", *OPTIONS),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(LIMIT_S):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-8_000:]
    assert b"Tested: 27" in output, output.decode()[-2_000:]
