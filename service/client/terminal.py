"""Say to a person what is going on and what came of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TextIO

from .records import Report, Task

BAR_CELLS = 24
ERASE_LINE = "\r\x1b[2K"


class Progress:
    """One line that is written over and over; nothing at all where nobody sits at a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_shown = stream.isatty()

    def show(self, task: Task) -> None:
        """Show how far a task is, and at what."""
        done = round(BAR_CELLS * task.progress)
        bar = "█" * done + "░" * (BAR_CELLS - done)
        self.say(f"{bar} {task.progress:4.0%}  {task.message}")

    def say(self, text: str) -> None:
        """Show a line in place of the last one."""
        if self._is_shown:
            columns = shutil.get_terminal_size().columns
            self._stream.write(ERASE_LINE + text[: columns - 1])
            self._stream.flush()

    def clear(self) -> None:
        """Leave no line behind."""
        self.say("")


def in_words(report: Report) -> Iterator[str]:
    """The lines of a report."""
    for done in report.applied:
        yield f"  ✓ {done.summary} (“{done.span}”)"
    for left in report.not_applied:
        yield f"  ✗ {left.message} (“{left.span}”)"
    for assumption in report.assumptions:
        yield f"  · {assumption}"
    for wrong, right in report.corrections:
        yield f"  · Read “{wrong}” as “{right}”."
    for warning in report.warnings:
        yield f"  ! {warning}"


def in_a_line(task: Task) -> str:
    """A task in a list."""
    state = task.error_code if task.status == "failed" else task.status
    return f"{task.id}  {task.created_at:%Y-%m-%d %H:%M}  {state:<16}  {task.prompt[:60]!r}"
