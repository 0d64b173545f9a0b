"""The experiments: each fills a part of the figures that the goals are judged by."""

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench import delay, processes, provider
from bench.figures import Sample, short
from bench.goals import PROVIDER_LATENCY, SMALL, Figures
from bench.installation import POSTGRESQL, SQLITE, Installations, Postbag
from bench.others import Peer, Source
from bench.processes import Failed
from bench.rounds import Entry, Plan, line, play, sizes
from bench.stage import Stage, wait_until_listening
from config.supervisor.ports import free_port

ROUND_TRIP = 0.02  # seconds, of the mail server far away
NEAR, USUAL, FAR = 32, 16, 64  # open lines of a worker: our best beside the peers' best, as it comes, far away
GROWTH = (2_400, 24_000, 240_000)
QUICK_GROWTH = (1_200, 12_000)
_BYTES_KEPT_EACH = 3_600  # on the disk, for each letter of the headline
_BYTES_IN_DATABASE = 3_000


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    plan: Plan
    contenders: Sequence[str]  # side by side
    quick: bool = False
    headline: int = 0  # deliveries; 0: no headline


@dataclass
class Lab:
    """The stage, what stands on it, and what has been measured so far."""

    stage: Stage
    installations: Installations
    options: Options
    say: Callable[[str], None]


def side_by_side(lab: Lab, figures: Figures) -> None:
    """Postbag, the peers and smtp-source, in turn."""
    field = {key: entry for key, entry in everybody(lab).items() if key in lab.options.contenders}
    figures.side_by_side = play(field, sizes(field, lab.options.plan, lab.say), lab.options.plan, lab.say)


def everybody(lab: Lab) -> dict[str, Entry]:
    """Return the whole field, Postbag first. The usual rates are those of two cores."""
    here, full = lab.stage, lab.installations
    size = full.bytes_each()

    def postbag(workers: int, kind: str, name: str, lines: int = NEAR) -> Postbag:
        words = f"Postbag, {name}, {workers} worker{'s' * (workers > 1)}, {lines} lines each"
        return Postbag(full, workers=workers, kind=kind, connections=lines, name=words)

    return {
        "postbag-2": Entry(postbag(2, POSTGRESQL, "PostgreSQL"), 4_000),
        "postbag-1": Entry(postbag(1, POSTGRESQL, "PostgreSQL"), 4_000, "postbag-2"),
        "sqlite-2": Entry(postbag(2, SQLITE, "SQLite"), 4_000, "postbag-2"),
        "sqlite-1": Entry(postbag(1, SQLITE, "SQLite"), 4_000, "postbag-2"),
        "usual": Entry(postbag(2, POSTGRESQL, "PostgreSQL", USUAL), 4_000, "postbag-2"),
        "post-office": Entry(Peer(here, "django-post_office, 2 processes", "post_office"), 1200),
        "mailer": Entry(Peer(here, "django-mailer, 2 processes", "mailer"), 350),
        "celery": Entry(Peer(here, "Celery, prefork 2, a task per letter", "celery", needs_broker=True), 500),
        "rq": Entry(Peer(here, "django-rq, a job per letter, SimpleWorker × 2", "rq", needs_broker=True), 140),
        "source-1": Entry(Source(here, "smtp-source -d -s 1", 1, size), 3_000),
        "source-4": Entry(Source(here, "smtp-source -d -s 4", 4, size), 12_000),
        "source-16": Entry(Source(here, "smtp-source -d -s 16", 16, size), 15_000),
    }


def far(lab: Lab, figures: Figures) -> None:
    """A mail server with a round trip of 20 ms: one worker process, and Django's own backend."""
    place = lab.stage.place("far")
    with delay.far_away(
        lab.stage.sink_port, round_trip=ROUND_TRIP, directory=place, guardian=lab.stage.guardian
    ) as port:
        field = {
            "backend": Entry(Peer(lab.stage, "Django's SMTP backend, one connection", "backend", port=port), 12),
            f"postbag-{USUAL}": Entry(_far_postbag(lab, USUAL, port), 350),
            f"postbag-{FAR}": Entry(_far_postbag(lab, FAR, port), 1000),
        }
        plan = lab.options.plan
        # No pilot: the round trip sets the pace, not the machine.
        wanted = {key: max(round(entry.usual * plan.seconds), plan.least) for key, entry in field.items()}
        wanted["backend"] = max(round(12 * plan.seconds), 12)
        figures.far = play(field, wanted, plan, lab.say)


def _far_postbag(lab: Lab, connections: int, port: int) -> Postbag:
    return Postbag(
        lab.installations, workers=1, connections=connections, port=port, name=f"Postbag, 1 worker, {connections} lines"
    )


def growth(lab: Lab, figures: Figures) -> None:
    """How cost and memory grow: at n, 10 n and 100 n deliveries. With a headline, up to its size."""
    if lab.options.headline:
        n = max(lab.options.headline // 100, 60)
        wanted: tuple[int, ...] = tuple(sorted({n, min(SMALL, 10 * n), 10 * n}))
    else:
        wanted = QUICK_GROWTH if lab.options.quick else GROWTH
    contender = Postbag(lab.installations, connections=NEAR, name=f"Postbag, 2 workers, {NEAR} lines each")
    found: dict[int, list[Sample]] = {}
    for size in wanted:
        exact = contender.prepare(size)
        sample = contender.run(exact)
        lab.say(f"  {line(sample)}")
        found[exact] = [sample]
        lab.installations.forget(POSTGRESQL, exact)
    if figures.headline is not None:
        found[figures.headline.deliveries] = [figures.headline]
    figures.growth = found


def headline(lab: Lab, figures: Figures) -> None:
    """All in one run, into a receiver that keeps every letter; then every letter is read. Raises Failed."""
    if not lab.options.headline:
        return
    contender = Postbag(lab.installations, connections=NEAR, name=f"Postbag, 2 workers, {NEAR} lines each")
    place = lab.stage.place("headline")
    _require_room(lab.options.headline)
    lab.say(f"  filling an installation with {lab.options.headline:,} deliveries …")
    exact = contender.prepare(lab.options.headline)
    kept, log, port = place / "kept", place / "keeper.log", free_port()
    with lab.installations.copy(POSTGRESQL, exact) as (data, url):
        lab.installations.forget(POSTGRESQL, exact)
        command = [sys.executable, "-m", "bench.keeper", str(port), str(kept)]
        with processes.started(command, env=processes.environment(), log=log, guardian=lab.stage.guardian):
            wait_until_listening(port, log)
            figures.headline = contender.drain(data, url, exact, port=port)
        lab.say(f"  {line(figures.headline)}; reading what was received …")
        env = lab.installations.environment(data, url, port=port)
        told: dict[str, Any] = json.loads(processes.said([sys.executable, "-m", "bench.content", str(kept)], env=env))
        figures.content = told
    kept.unlink()
    lab.say(
        f"  {told['received']:,} received: {told['missing']} missing, {told['doubled']} doubled, "
        f"{told['changed']} changed, {told['strange']} strange"
    )
    for problem in told["problems"]:
        lab.say(f"    {problem}")


def providers(lab: Lab, figures: Figures) -> None:
    """A provider's API that answers after 100 ms."""
    seconds = 3.0 if lab.options.quick else 6.0
    found: dict[int, float] = {}
    for connections in (32,) if lab.options.quick else (1, 8, 32):
        with _named("DATABASE_URL", lab.stage.cluster):
            found[connections] = provider.measure(connections, seconds, PROVIDER_LATENCY)
        lab.say(f"  {connections} connections: {short(found[connections])} deliveries a second")
    figures.provider = found


EXPERIMENTS: Mapping[str, tuple[str, Callable[[Lab, Figures], None]]] = {
    "side_by_side": ("Side by side", side_by_side),
    "far": ("A mail server 20 ms away", far),
    "headline": ("The headline", headline),
    "growth": ("How cost grows", growth),
    "provider": ("A provider with 100 ms latency", providers),
}


def _require_room(deliveries: int) -> None:
    needed = deliveries * (_BYTES_KEPT_EACH + 2 * _BYTES_IN_DATABASE)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < needed:
        raise Failed(f"The headline needs {needed / 1e9:.0f} GB on the disk, {free / 1e9:.0f} GB are free.")


@contextlib.contextmanager
def _named(name: str, value: str) -> Iterator[None]:
    """Put a value into the environment for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
