"""One attempt in a process of its own: `provider base prompt folder`. It can be killed anywhere."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from service.engines.contract import Attempt, Instruction
from service.engines.metrics import EngineMetrics
from service.engines.select import make_engines
from service.sandbox import Sandbox
from tests.engines.hosted.harness import settings_for
from tests.engines.hosted.stub import Stub


async def main(provider: str, base: str, prompt: str, folder: Path) -> None:
    """Resume what the folder's note tells of, or begin; leave the result beside it."""
    kept = folder / "note.json"

    async def keep(note: Mapping[str, Any]) -> None:
        fresh = folder / "note.new"
        with fresh.open("w") as file:
            json.dump(note, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(kept)

    resume = json.loads(kept.read_text()) if kept.exists() else None
    sandbox = Sandbox(processes=1, memory_bytes=1024 * 1024 * 1024)
    settings = settings_for(Stub(base=base), provider)
    # at its usual pace: there has to be time between the first question and the image
    engines = make_engines(settings, sandbox, EngineMetrics(CollectorRegistry()))
    source = (folder / "source.png").read_bytes()
    refined = await engines.refine(source, Instruction(prompt), Attempt(resume=resume, keep=keep))
    (folder / "result.png").write_bytes(refined.image)
    await engines.close()
    await sandbox.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])))
