"""A canary, a watch on connections, and a fetcher for whom the canary is the world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from service.fetching import Fetcher
from tests.fetching.outside import (
    HOST,
    OTHER,
    Audit,
    Canary,
    Names,
    a_canary,
    a_fetcher,
    anywhere,
)


@pytest.fixture(scope="session")
def audit_of_all_tests() -> Audit:
    """An audit hook cannot be taken off again: there is one for all."""
    return Audit()


@pytest.fixture
def audit(audit_of_all_tests: Audit) -> Iterator[Audit]:
    """The addresses that the test connects to."""
    audit_of_all_tests.connected = []
    audit_of_all_tests.is_on = True
    yield audit_of_all_tests
    audit_of_all_tests.is_on = False


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    """A server that must not be reached, or one that stands for the world."""
    async with a_canary() as canary:
        yield canary


@pytest.fixture
async def fetcher(canary: Canary) -> AsyncIterator[Fetcher]:
    """Fetches from two hosts of the world, both of which are the canary; one more is nowhere."""
    names = Names(canary.port, {HOST: [["127.0.0.1"]], OTHER: [["127.0.0.1"]]})
    async with a_fetcher(
        f"http://{HOST}", f"http://{OTHER}", "secure.test", resolver=names, may_connect=anywhere
    ) as fetcher:
        yield fetcher
