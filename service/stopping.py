"""Hear from outside, or from inside, that the process is to stop."""

from __future__ import annotations

import asyncio
import signal


class Stopping:
    """The first SIGINT or SIGTERM asks to stop, a second one to hurry."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()
        self.deaths: list[BaseException] = []

    def listen(self) -> None:
        """Take over the two signals from the running event loop's process."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._ask)

    def die(self, error: BaseException) -> None:
        """Stop because a part that should live as long as the process has ended."""
        self.deaths.append(error)
        self.asked.set()

    @property
    def exit_code(self) -> int:
        """0 when asked to stop, 1 when something died."""
        return 1 if self.deaths else 0

    def _ask(self) -> None:
        if self.asked.is_set():
            self.hurry.set()
        self.asked.set()
