"""Becomes another program that the kernel ends when its parent ends (Linux; elsewhere the guardian does it).

Run by path, without the project or site packages, so that it costs milliseconds:
`python -I -S launch.py PARENT SIGNAL COMMAND …`.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def wrapped(
    command: Sequence[str], parent: int | None = None, ending: signal.Signals = signal.SIGTERM
) -> list[str]:
    """Return `command` so that it gets `ending` when the *thread* that starts it ends (`parent`: ours)."""
    return [sys.executable, "-I", "-S", __file__, str(parent or os.getpid()), str(int(ending)), *command]


def become(parent: int, ending: int, command: Sequence[str]) -> None:
    """Replace this process by `command`; never returns. Ends at once where the parent has already ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, ending, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    try:
        os.execv(command[0], list(command))  # noqa: S606  becoming another program is the point
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}.")


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
