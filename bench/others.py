"""The others as contenders: the peers from PyPI, Django's own backend, and Postfix's smtp-source as the measure."""

import json
import re
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import processes, programs
from bench.figures import Sample
from bench.processes import Failed, Watch
from bench.stage import Stage

LONGEST_RUN = 600.0  # seconds
_HEADERS = 190  # bytes that smtp-source adds to its payload


@dataclass
class Peer:
    """A product from PyPI (bench/peers), two processes, with its own database in the same cluster."""

    stage: Stage
    name: str
    peer: str  # as bench.peers.filling and .draining know it
    options: Mapping[str, int] = field(default_factory=dict)
    port: int = 0  # of the receiving mail server; 0: the stage's
    needs_broker: bool = False

    def prepare(self, deliveries: int) -> int:
        """Make the database where it is missing."""
        database = self._database
        if database not in _made:
            self.stage.drop(database)
            self.stage.create(database)
            _made.add(database)
        return deliveries

    def run(self, deliveries: int) -> Sample:
        """Fill the queue, then measure how it is emptied. Raises Failed where a letter was not sent."""
        python, place = programs.peers_python(), self.stage.place(self.peer)
        env = self._environment()
        processes.said([python, "-m", "bench.peers.filling", self.peer, str(deliveries)], env=env)
        log = place / "log"
        command = [python, "-m", "bench.peers.draining", self.peer]
        with ExitStack() as stack:
            running = stack.enter_context(
                processes.started(command, env=env, log=log, guardian=self.stage.guardian, cwd=processes.ROOT)
            )
            roles = {"processes": [running.pid], "database": [self.stage.cluster_pid]}
            if self.needs_broker:
                roles["broker"] = [self.stage.broker_pid]
            watch = stack.enter_context(Watch(roles))
            processes.wait_until_ended([running], seconds=LONGEST_RUN, log=log)
        told = last_object(log)
        if told["sent"] != deliveries:
            raise Failed(f"{self.name} sent {told['sent']} of {deliveries}.")
        seconds = told["ended"] - told["began"]
        cpu = watch.cpu(began=told["began"], ended=told["ended"])
        return Sample(self.name, deliveries, seconds, cpu=cpu, peaks=watch.peaks("processes"),
                      together=watch.together("processes"))  # fmt: skip

    @property
    def _database(self) -> str:
        return f"peer_{self.peer}"

    def _environment(self) -> dict[str, str]:
        return processes.environment(
            BENCH_DATABASE=self.stage.database(self._database), BENCH_PORT=str(self.port or self.stage.sink_port),
            BENCH_BROKER=self.stage.broker, BENCH_OPTIONS=json.dumps(dict(self.options)),
        )  # fmt: skip


@dataclass(frozen=True)
class Source:
    """Postfix's smtp-source: letters of the same size out of nowhere, over persistent sessions, written in C."""

    stage: Stage
    name: str
    sessions: int
    bytes_each: int  # of a letter on the wire

    def prepare(self, deliveries: int) -> int:
        """Return the size of the run: any."""
        return deliveries

    def run(self, deliveries: int) -> Sample:
        """Send so many letters."""
        command = [
            programs.path_of("smtp-source"), "-d", "-s", str(self.sessions), "-m", str(deliveries),
            "-l", str(self.bytes_each - _HEADERS), "-f", "letter@letters.postbag.example",
            "-t", "office@ministry-1.example", f"127.0.0.1:{self.stage.sink_port}",
        ]  # fmt: skip
        log = self.stage.place("source") / "log"
        with ExitStack() as stack:
            began = time.time()
            running = stack.enter_context(
                processes.started(command, env=processes.environment(), log=log, guardian=self.stage.guardian)
            )
            watch = stack.enter_context(Watch({"processes": [running.pid]}))
            processes.wait_until_ended([running], seconds=LONGEST_RUN, log=log)
            ended = time.time()
        cpu = watch.cpu(began=began, ended=ended)
        return Sample(self.name, deliveries, ended - began, cpu=cpu, peaks=watch.peaks("processes"),
                      together=watch.together("processes"))  # fmt: skip


def last_object(log: Path) -> dict[str, Any]:
    """Return the last JSON object that a program printed on a line of its own. Raises Failed."""
    text = log.read_text("utf-8", "replace")
    for line in reversed(text.splitlines()):
        if re.fullmatch(r"\{.*\}", line.strip()):
            told: dict[str, Any] = json.loads(line)
            return told
    raise Failed(f"A program said nothing of how it went: {text[-2000:]}")


_made: set[str] = set()
