"""Try again what a store over the network failed at, while the fault may pass."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from aiohttp import ClientError, ClientResponseError

from storage.images.contract import ImageStoreUnavailable

TRIES = 4
RETRY_BASE_S = 0.2
RETRY_MOST_S = 3.0
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


async def tried[T](work: Callable[[], Awaitable[T]], *, try_s: float, tries: int = TRIES) -> T:
    """What the work gives, each try within `try_s`, waiting with full jitter between them.

    Raises `ImageStoreUnavailable` after the last one, or at once when the store refuses.
    """
    for waits in range(tries):
        try:
            async with asyncio.timeout(try_s):
                return await work()
        # ValueError and LookupError: an answer that is not what the store would say
        except (ClientError, OSError, ValueError, LookupError) as error:
            if waits + 1 == tries or not _may_pass(error):
                raise ImageStoreUnavailable(ImageStoreUnavailable.__doc__) from error
        await asyncio.sleep(random.uniform(0, min(RETRY_MOST_S, RETRY_BASE_S * 2**waits)))
    raise AssertionError("the last try returns or raises")


def _may_pass(error: Exception) -> bool:
    return not isinstance(error, ClientResponseError) or error.status in _PASSING
