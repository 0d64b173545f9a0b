"""F26: RQ as operators may run it, forks and all, and what happens to its jobs: nothing that letters would notice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.faults import machines
from tests.faults.conduct import Conduct, Rule
from tests.faults.population import GATE, Population
from tests.faults.rig import PROCESSES, Figures, Rig
from tests.faults.workers import wait_until
from tests.worker.processes import python

TIMES = {"gate": 1, "nightly": 5, "weekly": 20}
PHASES = ("before", "within", "after")  # … the transaction in which a job moves deliveries
_SLOWLY = Rule("dot", after=0.3, spread=0.3)
_RING = """
import django_rq
from worker import jobs
queue = django_rq.get_queue(jobs.QUEUE)
for _ in range({times}):
    queue.enqueue_call(jobs.{job}, job_id={name}, timeout={seconds}, description="{job}", result_ttl=0, failure_ttl=60)
"""


def abused(seed: int, size: str) -> Figures:
    """F26: parents and work-horses killed, forks that fail, time-outs in each phase of a job, one job many times."""
    population = GATE if size == "gate" else Population(letters=75, targets=20)
    done = dict.fromkeys(("parent", "horse", "fork", "time-out", "twice"), 0)
    with Rig("postgresql", population, Conduct(seed, (_SLOWLY,)), seed=seed, broker=True) as rig:
        rig.expected_errors = "JobTimeoutException|sweep failed"
        rig.workers.start(PROCESSES - 1)  # which deliver, and leave the queue to those that are abused
        for _ in range(TIMES[size]):
            with _forking_worker(rig) as parent:
                _ring(rig, "sweep", seconds=30)
                horse = _horse_of(parent)
                parent.send_signal(signal.SIGKILL)
                parent.wait(10)
                done["parent"] += 1
                wait_until(lambda pid=horse: not machines.is_running(pid), seconds=30, what="the orphan's end")  # type: ignore[misc]
            with _forking_worker(rig) as parent:
                _ring(rig, "sweep", seconds=30)
                os.kill(_horse_of(parent), signal.SIGKILL)
                done["horse"] += 1
                _ring(rig, "deliver", times=20, name="'ring'")
                done["twice"] += 1
            with _forking_worker(rig, "no forks") as parent:
                _ring(rig, "sweep", seconds=30)
                time.sleep(1.0)
                done["fork"] += 1
            for phase in PHASES:
                (pid,) = rig.workers.start(tricks=(f"slow sweep:{phase}",), command="work")
                _ring(rig, "sweep", seconds=1)
                time.sleep(2.0)
                rig.workers.end([pid])
                done["time-out"] += 1
        rig.mail.obey(Conduct(seed))
        rig.drain(seconds=120, hurries=True)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) == {"sent"}
        assert evidence.oracle.extra() == evidence.ledger.ambiguous() == 0
        return rig.figures(evidence, **done)


def _ring(rig: Rig, job: str, *, seconds: int = 30, times: int = 1, name: str = "None") -> None:
    python(_RING.format(job=job, seconds=seconds, times=times, name=name), env=rig.env)


@contextmanager
def _forking_worker(rig: Rig, trick: str = "") -> Iterator["subprocess.Popen[bytes]"]:
    """Run RQ's usual worker, which forks for each job; its jobs last a while."""
    given = ["slow sweep:within", *([trick] if trick else [])]
    command = [sys.executable, "-m", "tests.faults.rq_worker", json.dumps(given)]
    process = machines.started(command, log=rig.place / "rq.log", env=rig.env)
    try:
        yield process
    finally:
        machines.ended(process)


def _horse_of(parent: "subprocess.Popen[bytes]") -> int:
    found: list[int] = []

    def has_one() -> bool:
        found[:] = machines.children_of(parent.pid)
        return bool(found)

    wait_until(has_one, seconds=30, what="a work-horse")
    return found[0]


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {"F26": abused}
SIZES = {"F26": ("nightly", "weekly")}
