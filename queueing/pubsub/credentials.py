"""Get Google's access tokens for a queue; how and where from is the library's affair."""

from __future__ import annotations

import asyncio
import io

import aiohttp
from gcloud.aio.auth import Token

from queueing.contract import QueueMisconfigured, QueueUnavailable

SCOPE = "https://www.googleapis.com/auth/pubsub"


class SharedToken(Token):
    """One token for all calls of a queue, fetched when needed and kept until it expires.

    The library lets every caller wait on one fetch, and the cancellation of one would be the
    cancellation of all: hence the shield.
    """

    async def get(self) -> str | None:
        """The token. `QueueMisconfigured` when Google refuses what this process has to show."""
        try:
            return await asyncio.shield(super().get())
        except aiohttp.ClientResponseError as error:
            if error.status in {400, 401, 403}:
                raise QueueMisconfigured(
                    "Google refuses the credentials of this process"
                ) from error
            raise QueueUnavailable(f"no access token from Google: {error.status}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise QueueUnavailable(f"no access token from Google: {error!r}") from error
        except Exception as error:
            raise QueueMisconfigured("the Google credentials cannot be used") from error

    def renew(self) -> None:
        """Forget the token that Google has just refused, whatever its stated life was."""
        self.access_token = None

    async def close(self) -> None:
        """End a fetch under way, and its connections."""
        if self.acquiring is not None:
            self.acquiring.cancel()
        await super().close()


def application_token() -> SharedToken:
    """The application's default credentials, looked up as Google's own libraries do."""
    try:
        return SharedToken(scopes=[SCOPE])
    except Exception as error:
        raise QueueMisconfigured("the Google credentials cannot be read") from error


def no_token() -> SharedToken:
    """For an emulator, which asks for none: reads no file and no environment."""
    return SharedToken(service_file=io.StringIO("{}"))
