"""Become a program that is not root and that ends when its parent does.

Run as a script, by path and without site packages: it has to work with nothing but Python, and
between `fork` and `exec` in a process with threads nothing may run at all.
"""

import ctypes
import os
import signal
import sys

# https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
PR_SET_PDEATHSIG = 1
# nothing else: PGPORT, PGDATA and others would be settings, and secrets are not its business
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}


def main(parent: int, uid: int, gid: int, program: str, *arguments: str) -> None:
    """Replace this process by the program, as that user, tied to the life of `parent`."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    if sys.platform == "linux":
        # after the change of user, which would clear it; `exec` keeps it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            sys.exit("the parent is gone")
    os.execve(program, [program, *arguments], ENVIRONMENT)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
