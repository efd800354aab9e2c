"""Run the emulator of Google Cloud Storage as a program of its own."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests.emulators import _die_with_parent, free_port

BUCKET = "refiner-images"
START_LIMIT_S = 20.0


@dataclass(frozen=True, slots=True)
class GcsEmulator:
    """A running emulator with one bucket; its objects are in memory."""

    port: int
    bucket: str = BUCKET

    @property
    def url(self) -> str:
        """`http://host:port`, as `STORAGE_EMULATOR_HOST` takes it."""
        return f"http://127.0.0.1:{self.port}"

    def put(self, name: str, body: bytes) -> None:
        """Store an object as somebody else would."""
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/{self.bucket}/{name}", body, method="PUT"),
            timeout=START_LIMIT_S,
        ):
            pass


@contextmanager
def gcs_emulator() -> Iterator[GcsEmulator]:
    """An emulator that answers, ended on leaving."""
    emulator = GcsEmulator(free_port())
    program = [sys.executable, "-m", "gcp_storage_emulator", "start", "--quiet", "--in-memory"]
    where = ["--host=127.0.0.1", f"--port={emulator.port}", f"--default-bucket={emulator.bucket}"]
    with subprocess.Popen(
        [*program, *where],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C is for the tests; they end it in their order
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    ) as process:
        try:
            _wait_for(emulator, process)
            yield emulator
        finally:
            process.kill()


def _wait_for(emulator: GcsEmulator, process: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < give_up_at:
        with suppress(OSError), urllib.request.urlopen(emulator.url, timeout=1):
            return
        time.sleep(0.05)  # it says nowhere else that it is ready
    raise RuntimeError("the storage emulator did not start")
