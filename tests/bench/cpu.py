"""What processes have used of the processors and hold of the memory, which others on the machine
disturb little."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_s(pid: int) -> float:
    """The processor time of a process with all that descend from it and live."""
    spent: dict[int, float] = {}
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name in brackets may contain anything.
            # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended since
        number = int(folder.name)
        spent[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        children.setdefault(int(fields[1]), []).append(number)
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return sum(spent.get(one, 0.0) for one in found)


def resident_mb(pid: int) -> float:
    """The memory of a process that is really there."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
