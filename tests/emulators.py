"""Start the cloud emulators that tests talk to; each is the real program, found on this machine."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

START_LIMIT_S = 30.0
PR_SET_PDEATHSIG = 1


class EmulatorMissing(Exception):
    """The emulator is not installed. Says what to install."""


class PubSubEmulator:
    """Google's Pub/Sub emulator on a port of its own, which it keeps over restarts.

    All its state is in memory: a restart brings it back without topics and messages.
    """

    def __init__(self) -> None:
        self._jar = _pubsub_jar()
        self._java = _java()
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """`host:port`, as `PUBSUB_EMULATOR_HOST` takes it."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers; from a thread that lives as long as it shall."""
        with tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                [
                    *(self._java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"),
                    *("-jar", str(self._jar), "--host=127.0.0.1", f"--port={self._port}"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for the tests; they end it in their order
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
            if not self._answers(START_LIMIT_S):
                self.kill()
                log.seek(0)
                raise RuntimeError(f"the Pub/Sub emulator did not start: {log.read(2000)!r}")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "it has been started"
        self._process.send_signal(number)

    def _answers(self, limit_s: float) -> bool:
        assert self._process is not None, "it has been started"
        give_up_at = time.monotonic() + limit_s
        while self._process.poll() is None and time.monotonic() < give_up_at:
            with suppress(OSError), urllib.request.urlopen(f"http://{self.host}/", timeout=1):
                return True
            time.sleep(0.05)  # it says nowhere else that it is ready
        return False


@contextmanager
def pubsub_emulator() -> Iterator[PubSubEmulator]:
    """A running Pub/Sub emulator; raises `EmulatorMissing` where there is none."""
    emulator = PubSubEmulator()
    emulator.start()
    try:
        yield emulator
    finally:
        emulator.kill()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if java is None:
        raise EmulatorMissing("the Pub/Sub emulator needs Java 11 or newer on the PATH")
    return java


def _pubsub_jar() -> Path:
    for root in _cloud_sdk_roots():
        jars = root.glob("platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar")
        if found := max(jars, default=None):
            return found
    raise EmulatorMissing(
        "the Pub/Sub emulator is part of the Google Cloud SDK and not found: run `gcloud "
        "components install pubsub-emulator`, or `apt-get install google-cloud-cli-pubsub-emulator`"
    )


def _cloud_sdk_roots() -> Iterator[Path]:
    if named := os.environ.get("CLOUDSDK_ROOT_DIR"):
        yield Path(named)
    if gcloud := shutil.which("gcloud"):
        yield Path(gcloud).resolve().parent.parent
    for folder in ("/usr/lib", "/usr/share", "/usr/local", "/opt", "/opt/homebrew/share"):
        yield Path(folder, "google-cloud-sdk")
    yield Path.home() / "google-cloud-sdk"


def _die_with_parent() -> None:
    """Ask Linux to end this child with the thread that starts it, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
