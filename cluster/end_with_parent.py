"""Becomes a command that gets SIGTERM where the thread that started it ends before it, by kill -9 too.

    python cluster/end_with_parent.py COMMAND ...

On Linux; elsewhere it only becomes the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>; an exec does not end it


def ending_with_parent(command: list[str]) -> list[str]:
    """The command, so that it ends with who starts it."""
    return [sys.executable, os.path.abspath(__file__), *command]


if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.execvp(sys.argv[1], sys.argv[1:])
