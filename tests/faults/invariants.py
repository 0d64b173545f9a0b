"""The invariants I1 to I14, checked over the ledger, the mail server's log and the workers' journal.

Each check is a function from these to sentences; none means that it holds. I13 (feedback) has a scenario of its own.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.faults import population
from tests.faults.journal import Note
from tests.faults.ledger import ENDED, Ledger, Snapshot, seconds_past
from tests.faults.oracle import Oracle, grouped

MOST_COPIES = 3  # ever
LONGEST_OVERDUE = 15.0  # seconds past its lease; RELIABILITY allows 60 where a lease is 120
FENCE_AFTER_STOP = timedelta(seconds=1)
SECRETS = re.compile(
    "|".join(map(re.escape, [population.NAME, population.SENTENCE, f"@{population.SUPPORTERS}", population.TARGETS_AT]))
)
_SHOWN = 5  # offenders named in a sentence


@dataclass(frozen=True)
class Evidence:
    """All that a run left behind, and what was done to it."""

    ledger: Ledger
    oracle: Oracle
    notes: Sequence[Note] = ()
    created: int = 0  # deliveries that must be there
    lines: int = 4  # connections of a worker: C
    processes: int = 4
    crashes: int = 0  # workers killed
    pauses: int = 0  # … or stopped past their lease
    restarts: int = 0  # of the database
    cuts: int = 0  # … and its connections cut, one by one
    is_drained: bool = True
    confirmed: Mapping[int, int] = field(default_factory=dict)  # letters that a page called confirmed: deliveries
    texts: Sequence[tuple[str, str]] = ()  # logs and the broker's heap: name and content


Check = Callable[[Evidence], Iterator[str]]


def violations(evidence: Evidence) -> list[str]:
    """Return every sentence of every check, each led by its invariant."""
    return [f"{name}: {said}" for name, check in CHECKS.items() for said in check(evidence)]


def of_snapshot(seen: Snapshot, *, created: int | None, judges_leases: bool = True) -> list[str]:
    """Return what is wrong with a look at a database that is being worked on (I1, I7)."""
    found = []
    if seen.rows != seen.tallies:
        found.append(f"I1: rows {_differing(seen.rows, seen.tallies)} are counted differently by the tallies")
    if created is not None and seen.rows.total() != created:
        found.append(f"I1: {created} deliveries were created, {seen.rows.total()} are there")
    if judges_leases and seconds_past(seen.oldest_lease) > LONGEST_OVERDUE:
        found.append(f"I7: a delivery is held {seconds_past(seen.oldest_lease):.0f} s past its lease")
    return found


def _ledger_adds_up(it: Evidence) -> Iterator[str]:
    rows = Counter((line.campaign, line.state) for line in it.ledger.lines.values())
    if rows != it.ledger.tallies:
        yield f"rows {_differing(rows, it.ledger.tallies)} are counted differently by the tallies"
    if it.created and rows.total() != it.created:
        yield f"{it.created} deliveries were created, {rows.total()} are there"


def _letters_have_deliveries(it: Evidence) -> Iterator[str]:
    without = [pk for pk, count in it.ledger.letters.items() if not count]
    if without:
        yield f"confirmed letters without deliveries: {_named(without)}"
    lost = {pk: it.ledger.letters.get(pk) for pk, count in it.confirmed.items() if it.ledger.letters.get(pk) != count}
    if lost:
        yield f"a page said confirmed, and their deliveries are not all there: {_named(lost)}"


def _sent_was_taken(it: Evidence) -> Iterator[str]:
    copies = it.oracle.copies()
    proved = {move.delivery for move in it.ledger.moves if move.to_state == "sent" and move.from_state != "sending"}
    sent = [pk for pk, line in it.ledger.lines.items() if line.state == "sent"]
    untaken = [pk for pk in sent if not copies[pk] and pk not in proved]
    if untaken:
        yield f"sent, but never taken: {_named(untaken)}"
    # Stronger than 1 + A: of a delivery that is not sent, every copy must be among the unclear endings.
    many = {
        pk: f"{copies[pk]} copies, A {line.ambiguous}, {line.state}" for pk, line in it.ledger.lines.items()
        if copies[pk] > line.ambiguous + (line.state in {"sent", "sending"})
    }  # fmt: skip
    if many:
        yield f"more copies than are accounted for: {_named(many)}"
    if most := {pk: count for pk, count in copies.items() if count > MOST_COPIES}:
        yield f"more than {MOST_COPIES} copies: {_named(most)}"
    if strangers := copies.keys() - it.ledger.lines.keys():
        yield f"taken, but not in the ledger: {_named(strangers)}"


def _extra_copies_are_bounded(it: Evidence) -> Iterator[str]:
    total, extra = it.ledger.ambiguous(), it.oracle.extra()
    most = it.lines * (it.crashes + it.pauses) + it.lines * it.processes * it.restarts + it.oracle.unclear()
    if extra > total:
        yield f"{extra} extra copies, but only {total} unclear endings"
    if total > most:
        yield f"{total} unclear endings, but at most {most} can be explained"


def _copies_are_alike(it: Evidence) -> Iterator[str]:
    names: dict[str, set[int]] = {}
    for pk, entries in it.oracle.taken().items():
        digests = {entry.digest for entry in entries}
        line = it.ledger.lines.get(pk)
        if len(digests) > 1 or (line is not None and digests != {line.digest}):
            yield f"delivery {pk} left with other bytes than its digest says: {digests}"
        for entry in entries:
            names.setdefault(entry.message_id, set()).add(pk)
    if shared := {name: sorted(ids) for name, ids in names.items() if len(ids) > 1}:
        yield f"deliveries share a Message-ID: {_named(shared)}"


def _failed_was_refused(it: Evidence) -> Iterator[str]:
    copies = it.oracle.copies()
    last = {move.delivery: move for move in it.ledger.moves if move.to_state == "failed"}
    for pk, line in it.ledger.lines.items():
        if line.state != "failed":
            continue
        move = last.get(pk)
        if move is None or not ((move.code or 0) >= 500 or move.reason == "gave_up" or move.by):
            yield f"delivery {pk} failed without a refusal: {move}"
        if copies[pk] and not line.ambiguous:
            yield f"delivery {pk} failed, but was taken"


def _nothing_is_stuck(it: Evidence) -> Iterator[str]:
    stuck = [pk for pk, line in it.ledger.lines.items() if line.state == "sending"]
    if it.is_drained and stuck:
        yield f"held by nobody: {_named(stuck)}"


def _tokens_are_used_once(it: Evidence) -> Iterator[str]:
    claims = Counter(note.token for note in it.notes if note.deed == "claim")
    if twice := [token for token, count in claims.items() if count > 1]:
        yield f"claims share a token: {_named(twice)}"
    ends = Counter((move.delivery, move.token) for move in it.ledger.moves if move.from_state == "sending")
    if twice_ended := [pair for pair, count in ends.items() if count > 1]:
        yield f"an attempt has two ends: {_named(twice_ended)}"
    if tokenless := [pk for pk, token in ends if not token]:
        yield f"a result bears no token: {_named(tokenless)}"
    if it.notes:
        claimed = {(pk, note.token) for note in it.notes if note.deed == "claim" for pk in note.ids}
        unknown = {token for pk, token in ends if (pk, token) not in claimed}
        # Who is killed, or loses the database, right after a commit writes no note.
        if len(unknown) > it.crashes + it.cuts + it.processes * it.restarts:
            yield f"results bear tokens under which nobody claimed that delivery: {_named(unknown)}"
    yield from _fences_wait_for_results(it)


def _fences_wait_for_results(it: Evidence) -> Iterator[str]:
    """Look for a connection with two fences and no result (else a crash could cost 2C copies).

    A letter that was given to another line, since the dot before it was not answered, began on both within one attempt.
    """
    began = grouped(it.oracle.of("began"))
    fenced: dict[int, dict[int, set[int]]] = {}  # by process and connection
    ended: dict[tuple[int, int], float] = {}  # when the last attempt at a delivery ended, by process
    for note in it.notes:
        lines = fenced.setdefault(note.pid, {})
        for pk in note.ids:
            if note.deed in {"record", "late"}:
                ended[note.pid, pk] = note.at
                for open_ones in lines.values():
                    open_ones.discard(pk)
            elif note.deed == "fence":
                since = ended.get((note.pid, pk), 0.0)
                on = [e.connection for e in began.get(pk, ()) if e.pid == note.pid and since < e.at <= note.at]
                free = [line for line in on if not lines.get(line, set()) - {pk}]
                if on and not free:
                    yield f"connection {on[-1]} had fences for {sorted(lines[on[-1]] | {pk})} at once"
                for line in (free or on)[-1:]:
                    lines.setdefault(line, set()).add(pk)


def _stops_are_obeyed(it: Evidence) -> Iterator[str]:
    late = [stop for stop in it.ledger.stops if stop.dot_at > stop.stopped_at + FENCE_AFTER_STOP]
    if late:
        yield f"fences after a stop: {_named(late)}"


def _caps_hold(it: Evidence) -> Iterator[str]:
    attempts: dict[str, list[float]] = {}
    for entry in it.oracle.of("began"):
        if entry.to in it.ledger.caps:
            attempts.setdefault(entry.to, []).append(entry.at)
    for address, times in attempts.items():
        cap = it.ledger.caps[address]
        for first, start in enumerate(times):
            within = sum(at < start + 3600 for at in times[first:])
            if within > cap:
                yield f"a mailbox was tried {within} times in an hour, its cap is {cap}"
                break


def _what_is_due_leaves(it: Evidence) -> Iterator[str]:
    late = [
        pk for pk, line in it.ledger.lines.items()
        if line.state == "queued" and line.due_at is not None and line.due_at <= it.ledger.read_at
        and line.address not in it.ledger.caps  # … with a pace, it may have become due since the workers ended
    ]  # fmt: skip
    if it.is_drained and late:
        yield f"due, and nobody takes it: {_named(late)}"


def _logs_are_silent(it: Evidence) -> Iterator[str]:
    for name, text in it.texts:
        if found := SECRETS.search(text):
            line = text[text.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0]
            yield f"{name} holds personal data: {line[:300]}"


def _addresses_are_the_targets(it: Evidence) -> Iterator[str]:
    wrong = {
        entry.delivery: entry.to for entry in it.oracle.of("began", "accepted")
        if entry.delivery and (line := it.ledger.lines.get(entry.delivery)) is not None and line.address != entry.to
    }  # fmt: skip
    if wrong:
        yield f"letters to somebody else: {_named(wrong)}"
    to_people = [entry.to for entry in it.oracle.of("accepted") if not entry.delivery]
    others = [to for to in to_people if not to.endswith(f"@{population.SUPPORTERS}")]
    if others:
        yield f"mail to people who are no supporters: {_named(others)}"


CHECKS: dict[str, Check] = {
    "I1": _ledger_adds_up,
    "I2": _letters_have_deliveries,
    "I3": _sent_was_taken,
    "I4": _extra_copies_are_bounded,
    "I5": _copies_are_alike,
    "I6": _failed_was_refused,
    "I7": _nothing_is_stuck,
    "I8": _tokens_are_used_once,
    "I9": _stops_are_obeyed,
    "I10": _caps_hold,
    "I11": _what_is_due_leaves,
    "I12": _logs_are_silent,
    "I14": _addresses_are_the_targets,
}


def texts(paths: Collection[Path]) -> list[tuple[str, str]]:
    """Return the content of logs."""
    return [(path.name, path.read_text(errors="replace")) for path in paths if path.exists()]


def is_drained(ledger: Ledger) -> bool:
    """Return whether every delivery has come to an end."""
    return all(line.state in ENDED for line in ledger.lines.values())


def _named(what: Collection[object]) -> str:
    shown = list(what.items() if isinstance(what, dict) else what)[:_SHOWN]
    return f"{len(what)} ({', '.join(map(str, shown))}{', …' if len(what) > _SHOWN else ''})"


def _differing(rows: Counter[tuple[int, str]], tallies: Counter[tuple[int, str]]) -> str:
    keys = [key for key in rows.keys() | tallies.keys() if rows[key] != tallies[key]]
    return ", ".join(f"{key}: {rows[key]} and {tallies[key]}" for key in sorted(keys))
