"""Becomes a program that dies with the process that started it: `launcher.py PARENT UID SIGNAL COMMAND…`.

A program of its own, as code that runs between fork and exec is unsafe once the parent has threads. The order counts:
the kernel forgets the parent-death signal when a process changes its user, so the user comes first; and a parent that
died before the signal was asked for has to be noticed by hand.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(parent: int, uid: int, signal: int, command: list[str]) -> None:
    """Change to the user, tie this process to its parent, and become the command."""
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0 or os.getppid() != parent:
        sys.exit("launcher: this process cannot be tied to its parent")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
