"""Programs beside us: started, watched, ended. What a killed benchmark left running is ended by a guardian."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENDING_FOR = 15.0  # seconds
_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK_EVERY = 0.1  # seconds
_COUNT_EVERY = 5  # looks: which processes there are
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "SSL_CERT_FILE")


class Failed(Exception):
    """A program did not do what it was started for; the words say which and how."""


def environment(**more: str) -> dict[str, str]:
    """Return what a program of the benchmark needs of the environment; nothing of an installation's settings."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | more


class Guardian:
    """Ends the process groups it was told of when this process ends, whatever the reason."""

    def __init__(self) -> None:
        program = ROOT / "config" / "supervisor" / "guardian.py"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(program), "3"], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def tell(self, sign: str, pid: int) -> None:
        """Say that a process group runs (`+`) or has ended (`-`)."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{sign}{pid}\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Let it end what is left, and itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextlib.contextmanager
def started(
    command: Sequence[str], *, env: Mapping[str, str], log: Path, guardian: Guardian, cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a process group of its own; at the end it is asked to stop, then the whole group is killed.

    Its process is reaped only then, so that what it took can be read after it has ended.
    """
    with log.open("ab") as file:
        process = subprocess.Popen(
            list(command), env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            start_new_session=True,
        )  # fmt: skip
    guardian.tell("+", process.pid)
    try:
        yield process
    finally:
        _end(process)
        guardian.tell("-", process.pid)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Return whether a program has ended, without reaping it."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def wait_until_ended(
    processes: Sequence[subprocess.Popen[bytes]], *, seconds: float, log: Path
) -> None:
    """Wait for programs that end by themselves; raises Failed where they do not, or not well."""
    until = time.monotonic() + seconds
    while not all(has_ended(process) for process in processes):
        if time.monotonic() > until:
            raise Failed(f"A program had not ended after {seconds:.0f} s. {_last_words(log)}")
        time.sleep(0.05)
    for process in processes:
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None or ended.si_code != os.CLD_EXITED or ended.si_status:
            raise Failed(f"A program ended with {ended and ended.si_status}. {_last_words(log)}")


def said(command: Sequence[str], *, env: Mapping[str, str], cwd: Path = ROOT) -> str:
    """Run a program to its end and return what it printed. Raises Failed with what it complained of."""
    done = subprocess.run(
        list(command), env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{' '.join(command[:6])} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def _end(process: subprocess.Popen[bytes]) -> None:
    if not has_ended(process):
        os.kill(process.pid, signal.SIGTERM)
    until = time.monotonic() + ENDING_FOR
    while not has_ended(process) and time.monotonic() < until:
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # not reaped yet: the group is still its own
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_words(log: Path) -> str:
    return f"It said:\n{log.read_text('utf-8', 'replace')[-3000:] or '(nothing)'}"


class Watch:
    """Looks ten times a second at what processes, and all that come from them, take: CPU time and peak memory.

    Processes are named by role, such as "worker" and "database".
    """

    def __init__(self, roles: Mapping[str, Iterable[int]]) -> None:
        self._roles = {role: tuple(pids) for role, pids in roles.items()}
        self._times: list[float] = []
        self._cpu: dict[str, list[float]] = {role: [] for role in self._roles}
        self._peaks: dict[str, dict[int, float]] = {role: {} for role in self._roles}
        self._together: dict[str, float] = dict.fromkeys(self._roles, 0.0)
        self._pids: dict[str, list[int]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="watch", daemon=True)

    def __enter__(self) -> "Watch":
        """Begin to look."""
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look a last time."""
        self._ended.set()
        self._thread.join()
        self._look()

    def cpu(self, *, began: float, ended: float) -> dict[str, float]:
        """Return the CPU seconds that each role took between two moments (time.time())."""
        return {role: self._at(cpu, ended) - self._at(cpu, began) for role, cpu in self._cpu.items()}

    def peaks(self, role: str) -> tuple[float, ...]:
        """Return the peak memory of each process of a role in MiB, the largest first."""
        return tuple(sorted(self._peaks[role].values(), reverse=True))

    def together(self, role: str) -> float:
        """Return the sum of the peaks of a role's processes that ran at the same time, at its most, in MiB."""
        return self._together[role]

    def _at(self, cpu: Sequence[float], moment: float) -> float:
        """Return what had been taken at a moment: between two looks, in proportion."""
        after = bisect_left(self._times, moment)
        if after == 0 or after == len(cpu):
            return cpu[min(after, len(cpu) - 1)]
        before = self._times[after - 1]
        share = (moment - before) / (self._times[after] - before)
        return cpu[after - 1] + share * (cpu[after] - cpu[after - 1])

    def _look_on(self) -> None:
        while not self._ended.wait(_LOOK_EVERY):
            self._look()

    def _look(self) -> None:
        now = time.time()
        if len(self._times) % _COUNT_EVERY == 0:
            self._pids = {role: _with_children(roots) for role, roots in self._roles.items()}
        for role, pids in self._pids.items():
            total, known = 0.0, self._cpu[role]
            peaks = {pid: peak for pid in pids if (peak := peak_of(pid))}
            self._peaks[role] |= peaks
            self._together[role] = max(self._together[role], sum(peaks.values()))
            for pid in pids:
                total += cpu_of(pid)
            # A child that has just ended is counted by its parent a moment later.
            known.append(max(total, known[-1] if known else 0.0))
        self._times.append(now)


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended; 0 where there is none."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in told[11:15]) / _TICKS


def peak_of(pid: int) -> float:
    """Return the peak resident memory of a running process in MiB; 0 where there is none."""
    try:
        told = Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
    except OSError:
        return 0.0
    for line in told.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _with_children(roots: Iterable[int]) -> list[int]:
    """Return processes and all that come from them. Not every kernel lists a process's children, so all are asked."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                told = Path(entry.path, "stat").read_text("ascii", "replace").rpartition(")")[2].split()
                children.setdefault(int(told[1]), []).append(int(entry.name))
    found = list(roots)
    for pid in found:
        found += children.get(pid, ())
    return found
