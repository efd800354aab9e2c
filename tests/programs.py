"""Name the programs that tests would miss on this machine: `python -m tests.programs`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

from tests.emulators import EmulatorMissing, PubSubEmulator
from tests.studio.browser import NAMES


def missing() -> Iterator[str]:
    """A line for each, with what to do about it."""
    if not any(map(shutil.which, NAMES)):
        yield "no Chromium, so browser tests are skipped: apt-get install chromium"
    try:
        PubSubEmulator()
    except EmulatorMissing as error:
        yield f"no Pub/Sub emulator, so its tests run on a stand-in alone: {error}"


def main() -> int:
    """Print them; 1 where something is missing that must not be, which is in CI."""
    lines = list(missing())
    for line in lines:
        print(line, file=sys.stderr)
    return int(bool(lines) and os.environ.get("CI") == "true")


if __name__ == "__main__":
    sys.exit(main())
