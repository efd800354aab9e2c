"""Become programs of the service: `python -m tests.fork_server FD` forks one for each request.

It has imported what they import, which takes as much processor time as all the rest of a start.
What it forks is a process like any other that begins where `python -m` would run the module.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from contextlib import ExitStack
from typing import Any, NoReturn

PROGRAMS = (
    "service.__main__",
    "service.worker",
    "tests.chaos.program",
    "tests.webhooks.program",
)
REQUEST_BYTES = 1 << 16


def main(control_fd: int) -> None:
    """Fork until the other end of the socket is closed."""
    for program in PROGRAMS:
        importlib.import_module(program)
    for program in PROGRAMS:
        del sys.modules[program]  # it is run as `__main__`
    # what is there now is in every child, and is not to be copied by a collection
    gc.freeze()
    request = asked_of_a_child(control_fd)
    if request is not None:
        become(**request)


def asked_of_a_child(control_fd: int) -> dict[str, Any] | None:
    """Fork for every request: in each child the request, in the parent None, at the end."""
    ended, wakeup = socket.socketpair()
    with ended, wakeup, socket.socket(fileno=control_fd) as control, ExitStack() as tellers:
        for end in (ended, wakeup):
            end.setblocking(False)
        signal.set_wakeup_fd(wakeup.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        told: dict[int, socket.socket] = {}
        while True:
            ready, _, _ = select.select((control, ended), (), ())
            if ended in ready:
                ended.recv(REQUEST_BYTES)
                reap(told)
            if control in ready:
                request, fds, _, _ = socket.recv_fds(control, REQUEST_BYTES, 2)
                if not request:
                    return None
                output_fd, teller_fd = fds
                teller = tellers.enter_context(socket.socket(fileno=teller_fd))
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    return {"output_fd": output_fd, **json.loads(request)}
                os.close(output_fd)
                teller.sendall(f"{pid}\n".encode())
                told[pid] = teller


def reap(told: dict[int, socket.socket]) -> None:
    """Tell of every child that has ended how it ended: its exit code, negative for a signal."""
    while told:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with told.pop(pid) as teller:
            teller.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become(
    output_fd: int, module: str, arguments: list[str], environment: dict[str, str]
) -> NoReturn:
    """Be `python -m module arguments` from here on, with this environment and nothing else."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for stream in (1, 2):
        os.dup2(output_fd, stream)
    os.close(output_fd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main(int(sys.argv[1]))
