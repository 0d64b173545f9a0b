"""Which settings are the peers' best? `python -m bench.tuning [ROUNDS]` tries those that matter, side by side.

The best of them stand in bench/peers; try again when a peer's version changes.
"""

import random
import sys
from collections.abc import Iterator

from bench import programs
from bench.others import Peer
from bench.rounds import Entry, Plan, play, sizes, table
from bench.stage import Stage, stage

SECONDS = 5.0


def field(here: Stage) -> Iterator[Entry]:
    """Yield the peers with each combination of settings that is tried."""
    for batch in (500, 1000, 5000, 20_000):
        for threads in (1, 2, 5):
            name = f"django-post_office, batch {batch}, {threads} thread{'s' * (threads > 1)} a process"
            yield Entry(Peer(here, name, "post_office", {"batch": batch, "threads": threads}), 1200)
    for level in (0, 2):
        yield Entry(Peer(here, f"django-post_office, log level {level}", "post_office", {"log_level": level}), 1200)
    for prefetch in (1, 4, 64, 256):
        options = {"prefetch": prefetch}
        yield Entry(Peer(here, f"Celery, prefetch {prefetch}", "celery", options, needs_broker=True), 500)


def main(rounds: int) -> None:
    """Measure all of them and print the table."""
    programs.install()
    programs.peers_python()
    plan = Plan(rounds, SECONDS, pilot=False, seed=random.randrange(2**31))
    with stage() as here:
        entries = {entry.contender.name: entry for entry in field(here)}
        samples = play(entries, sizes(entries, plan, print), plan, print)
    print(f"\nSeed {plan.seed}", *table(samples), sep="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
