"""F25: the disk is full, under the data or under the logs: a small file system in memory, which a file fills."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import servers
from tests.faults import databases
from tests.faults.conduct import Conduct, Rule
from tests.faults.pages import Pages, Supporters
from tests.faults.population import Population
from tests.faults.rig import LEASE, LINES, PROCESSES, Figures, Rig
from tests.faults.workers import wait_until

POPULATIONS = {
    "gate": Population(letters=25, targets=10, awaiting=30),
    "nightly": Population(letters=100, targets=20, awaiting=150),
}
FULL_FOR = 2.5 * LEASE
TIMES = {"gate": 1, "nightly": 1, "weekly": 5}
_SLOWLY = Rule("dot", after=0.2, spread=0.4)
_LEFT = 64 * 1024  # bytes that are free on a full disk: not enough for a group of results


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a file system of this size until the end of `with`. Raises ServerMissing where we may not."""
    with TemporaryDirectory(prefix="pb-faults-disk-", ignore_cleanup_errors=True) as place:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", place]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise servers.ServerMissing(f"No small disk can be mounted (as root only): {done.stderr.strip()}")
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "--lazy", place], check=False)


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """Fill a disk until the end of `with`."""
    filler = disk / "filler"
    block = b"\0" * 4096
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(block)
    with filler.open("r+b") as file:
        file.truncate(max(filler.stat().st_size - _LEFT, 0))
    try:
        yield
    finally:
        filler.unlink()


def under_data(seed: int, size: str) -> Figures:
    """F25: no room for the database: pages say 503, whole letters or none, no letter leaves; then it goes on."""
    population = POPULATIONS["gate" if size == "gate" else "nightly"]
    with (
        small_disk(48) as disk,
        Rig("sqlite", population, Conduct(seed, (_SLOWLY,)), seed=seed, disk=disk) as rig,
        Pages(rig.place, rig.env) as pages,
    ):
        rig.expected_errors = databases.AWAY
        rig.workers.start(2)
        supporters = Supporters(pages, population.targets)
        confirming = threading.Thread(
            target=supporters.confirm_all, args=(rig.found.links,), kwargs={"pause": 0.3}, daemon=True
        )
        confirming.start()
        try:
            for _ in range(TIMES[size]):
                time.sleep(1.0)
                with full(disk):
                    wait_until(lambda: supporters.statuses[503], seconds=30, what="a page that cannot keep anything")
                    time.sleep(FULL_FOR)
                rig.restarts += 1  # which costs as much: what was past its fence anywhere
            wait_until(lambda: len(supporters.confirmed) == len(rig.found.links), seconds=120, what="confirming")
            rig.mail.obey(Conduct(seed))
            rig.drain(seconds=120, hurries=True)
        finally:
            supporters.over.set()
        rig.workers.end()
        evidence = rig.judge(supporters.confirmed)
        supporters.judge()
        assert set(evidence.ledger.states()) <= {"sent", "uncertain"}
        assert evidence.oracle.extra() <= LINES * 2 * TIMES[size]
        said = dict(sorted(supporters.statuses.items()))
        return rig.figures(evidence, confirmed=len(supporters.confirmed), pages=said)


def under_logs(seed: int, size: str) -> Figures:
    """F25: no room for the workers' log: letters leave all the same, and nobody dies of a line that cannot be said."""
    population = Population(letters=25, targets=20)
    with (
        small_disk(48) as disk,
        Rig("postgresql", population, Conduct(seed, (_SLOWLY,)), seed=seed, disk=disk,
            settings={"LOG_LEVEL": "DEBUG"}) as rig,
        full(disk),
    ):  # fmt: skip
        _use_up(disk)
        rig.workers.start(PROCESSES)
        rig.drain(seconds=120, hurries=True)
        rig.workers.end()
        assert not rig.workers.log.stat().st_size, "the disk was not full: this tested nothing"
        evidence = rig.judge()
        assert set(evidence.ledger.states()) == {"sent"}
        assert evidence.oracle.extra() == evidence.ledger.ambiguous() == 0
        return rig.figures(evidence)


def _use_up(disk: Path) -> None:
    with (disk / "rest").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {"F25 data": under_data, "F25 logs": under_logs}
SIZES = {"F25 data": ("nightly", "weekly"), "F25 logs": ("nightly", "weekly")}
