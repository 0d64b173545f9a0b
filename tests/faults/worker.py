"""A warm parent whose forks are workers: `python -m tests.faults.worker LOG`, in the environment of an installation.

It takes orders from its standard input, one JSON object a line, and answers each with one line: a killed worker is
replaced in milliseconds, as by a supervisor that has one in reserve.
"""

import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

_PR_SET_PDEATHSIG = 1


def obey(log: str) -> None:
    """Take orders until the input ends: {"run": [command, …], "tricks": […]} and {"ended": true}."""
    import django  # noqa: PLC0415

    django.setup()
    # Whatever a worker needs is loaded here, once.
    from django.core.management import load_command_class  # noqa: PLC0415

    for name in ("deliver", "work"):
        load_command_class("worker", name)
    from tests.faults import tricks  # noqa: F401, PLC0415

    _answer({"ready": os.getpid()})
    for line in sys.stdin:
        order = json.loads(line)
        if "run" in order:
            pid = os.fork()
            if not pid:
                _become_worker(order["run"], order["tricks"], log)
            _answer({"pid": pid})
        else:
            _answer({"ended": _ended()})


def _answer(values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _ended() -> list[tuple[int, int]]:
    """Return the workers that have ended since the last time, and how: a status, or minus a signal."""
    found: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if not pid:
            return found
        found.append((pid, os.waitstatus_to_exitcode(status)))


def _become_worker(command: Sequence[str], names: Sequence[str], log: str) -> NoReturn:
    status = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        nothing = os.open(os.devnull, os.O_RDWR)
        said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for old, new in ((0, nothing), (1, said), (2, said)):
            os.dup2(new, old)
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115  the parent's holds orders that were read ahead
        from django.core.management import call_command  # noqa: PLC0415

        from tests.faults import tricks  # noqa: PLC0415

        tricks.play(names)
        call_command(*command)
        status = 0
    except BaseException:  # noqa: BLE001  whatever it was, it must not become a second parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    obey(sys.argv[1])
