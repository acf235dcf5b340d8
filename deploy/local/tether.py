"""Runs a command that receives SIGTERM when its parent dies; run as a file, it imports nothing of ours."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def run(command: list[str]) -> None:
    """Replace this process by the command, tied to the parent; only on Linux."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("the process that started this one is gone")
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    run(sys.argv[1:])
