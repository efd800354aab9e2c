"""What comes out of the child process; light to import, for the parent edits nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from service.engines.contract import Report

NAME = "embedded/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a refinement. `image` is None when nothing could be applied."""

    image: bytes | None
    content_type: str
    width: int
    height: int
    report: Report
