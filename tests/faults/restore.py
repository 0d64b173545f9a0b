"""F28: a backup is restored, or a copy is started. Nothing is sent before a person has decided; then what they decided.

Real workers, a real mail server that remembers what it took, SQLite restored by file and PostgreSQL by pg_restore. Each
backup is made while letters leave, and letters go on leaving after it.
"""

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial

from tests.faults.installations import (
    LEASE,
    Installation,
    Postgresql,
    Sqlite,
    mail_server,
    never,
    on_postgresql,
    on_sqlite,
    place,
)
from tests.faults.rig import Figures
from tests.worker.processes import wait_until

TARGETS = 3
LETTERS = {"gate": 70, "nightly": 150, "weekly": 150}
# Seconds without a letter, in which the leases of the backup run out.
WATCHED_FOR = {"gate": LEASE + 2.0, "nightly": 4.0 * LEASE, "weekly": 20.0 * LEASE}
PATIENCE = 60.0
FORGOTTEN_FOR = 1.5  # seconds from the backup to the last letter; the epoch rises each second
Kind = Callable[[], AbstractContextManager[Installation]]


def restored(kind: Kind, seed: int, size: str, *, as_snapshot: bool = False) -> Figures:
    """A backup replaces the database, workers start: 0 sent, all held, pages work; released, each at most once more.

    `as_snapshot`: PostgreSQL as a copy of its disks comes back, with the numbers it had; the epoch alone tells.
    """
    drawn = random.Random(seed)  # noqa: S311  any numbers do, if they are the same each time
    with kind() as here:
        at_backup = _send_back_up_send(here, drawn, size)
        here.database.restore(here.data / "backup")
        if as_snapshot:
            here.database.execute(_BODY_AS_IT_IS)
        here.write(1)  # the pages are back before the workers
        waiting = here.count("state IN ('queued', 'sending')")
        taken = dict(here.copies())
        with here.worker(), here.worker():
            wait_until(lambda: here.count("state IN ('queued', 'sending')") == 0, seconds=PATIENCE)
            here.write(1)
            here.ask_for_confirmation()
            wait_until(lambda: here.confirmations() == 1, seconds=PATIENCE)
            never(lambda: here.copies() != taken, seconds=WATCHED_FOR[size])
            assert here.count("state = 'held' AND reason = 'restored'") == waiting
            assert here.count("state = 'queued'") == TARGETS, "confirmed during the hold: they wait, nobody doubts them"
            said = here.manage("adopt")
            assert "a backup was restored" in said
            assert f"Held: {waiting} deliveries. Others that wait: {TARGETS}." in said
            assert f"{waiting} deliveries released" in here.manage("adopt", "--release")
            _until_all_sent(here)
        return _judge(here, seed, sent_at_backup=at_backup)


def put_back(seed: int, size: str) -> Figures:
    """The whole data directory comes back, state file and all, on a host whose settings name the installation."""
    drawn = random.Random(seed)  # noqa: S311  any numbers do, if they are the same each time
    with on_sqlite() as here, place() as elsewhere:
        kept = elsewhere / "kept"

        def back_up() -> None:
            shutil.copytree(here.data, kept)
            here.database.dump(kept / "postbag.sqlite3.new")
            for end in ("-wal", "-shm"):
                (kept / f"postbag.sqlite3{end}").unlink(missing_ok=True)
            (kept / "postbag.sqlite3.new").replace(kept / "postbag.sqlite3")

        at_backup = _send_back_up_send(here, drawn, size, back_up=back_up)
        here.settings["INSTANCE_ID"] = here.database.all("SELECT identity FROM letters_instance")[0]
        if drawn.random() < 0.5:
            shutil.rmtree(here.data)
            shutil.copytree(kept, here.data)
        else:
            shutil.copytree(kept, here.data, dirs_exist_ok=True)
            for end in ("-wal", "-shm"):
                (here.data / f"postbag.sqlite3{end}").unlink(missing_ok=True)
        taken = dict(here.copies())
        with here.worker(), here.worker():
            wait_until(lambda: here.count("state IN ('queued', 'sending')") == 0, seconds=PATIENCE)
            never(lambda: here.copies() != taken, seconds=WATCHED_FOR[size])
            here.manage("adopt", "--release")
            _until_all_sent(here)
        return _judge(here, seed, sent_at_backup=at_backup)


def copied(kind: Kind, seed: int, size: str) -> Figures:
    """A copy of the database is started elsewhere, beside the original: it sends nothing, the original everything."""
    drawn = random.Random(seed)  # noqa: S311  any numbers do, if they are the same each time
    with kind() as here, place() as elsewhere, mail_server() as other_server, ExitStack() as at_the_end:
        here.write(LETTERS[size])
        at_the_end.enter_context(here.worker())
        wait_until(lambda: len(here.copies()) > drawn.randint(5, 20), seconds=PATIENCE)
        here.database.dump(here.data / "backup")
        (elsewhere / "data").mkdir()
        database: Sqlite | Postgresql
        if isinstance(here.database, Postgresql):
            database = Postgresql(here.database.cluster, f"{here.database.name}_copy")
        else:
            database = Sqlite(elsewhere / "data" / "postbag.sqlite3")
        database.restore(here.data / "backup")
        there = Installation(elsewhere / "data", database, other_server)
        with there.worker():
            wait_until(lambda: there.count("state IN ('queued', 'sending')") == 0, seconds=PATIENCE)
            there.ask_for_confirmation()
            never(lambda: other_server.taken, seconds=WATCHED_FOR[size])
            wait_until(lambda: len(here.copies()) == LETTERS[size] * TARGETS, seconds=PATIENCE)
            held = there.count("state = 'held'")
            assert 0 < held < LETTERS[size] * TARGETS
            assert "was copied" in there.manage("adopt")
            assert f"{held} deliveries cancelled" in there.manage("adopt", "--cancel")
            there.write(2)
            _until(there, lambda: len(there.copies()) == 2 * TARGETS)
        assert set(there.copies()).isdisjoint(here.copies()), "a name is used once, whoever gives it"
        assert set(here.copies().values()) == {1}
        return {"seed": seed, "held": held, "sent by the copy": 0}


def underfoot(kind: Kind, seed: int, size: str) -> Figures:
    """A backup is restored while a worker runs: it notices by itself, whatever it was doing."""
    drawn = random.Random(seed)  # noqa: S311  any numbers do, if they are the same each time
    with kind() as here:
        here.write(LETTERS[size])
        with here.worker() as worker:
            wait_until(lambda: len(here.copies()) > drawn.randint(5, 20), seconds=PATIENCE)
            here.database.dump(here.data / "backup")
            _go_on(here, drawn)
            here.database.restore_underfoot(here.data / "backup")
            wait_until(lambda: here.count("state IN ('queued', 'sending')") == 0, seconds=10)
            wait_until(lambda: here.server.in_data == 0, seconds=10)
            taken = dict(here.copies())
            never(lambda: here.copies() != taken, seconds=WATCHED_FOR[size])
            assert worker.poll() is None, here.log.read_text()
            assert here.count("state = 'held' AND reason = 'restored'") > 0
            here.manage("adopt", "--release")
            _until_all_sent(here)
        return _judge(here, seed, sent_at_backup=set())


def _send_back_up_send(
    here: Installation, drawn: random.Random, size: str, *, back_up: Callable[[], None] | None = None
) -> set[int]:
    """Send, make a backup, go on sending, end; return deliveries that the backup knows to have been sent."""
    here.write(LETTERS[size])
    with here.worker() as worker:
        wait_until(lambda: len(here.copies()) > drawn.randint(5, 20), seconds=PATIENCE)
        sent_at_backup = set(here.database.all("SELECT id FROM letters_delivery WHERE state = 'sent'"))
        (back_up or (lambda: here.database.dump(here.data / "backup")))()
        _go_on(here, drawn)
        assert worker.poll() is None, here.log.read_text()
        if drawn.random() < 0.5:
            worker.kill()
        else:
            worker.terminate()
        worker.wait(20)
    here.server.cut()
    wait_until(lambda: here.server.in_data == 0, seconds=10)
    return sent_at_backup


def _go_on(here: Installation, drawn: random.Random) -> None:
    """Wait until letters have left that the backup knows nothing of, and some have not."""
    known = set(here.copies())
    time.sleep(drawn.uniform(FORGOTTEN_FOR, FORGOTTEN_FOR + 0.5))
    assert set(here.copies()) - known, "nothing was sent after the backup: this tests nothing"
    assert here.count("state IN ('queued', 'sending')") > 0, "nothing is left: this tests nothing"


def _until_all_sent(here: Installation) -> None:
    _until(here, lambda: here.count("state NOT IN ('sent', 'uncertain')") == 0)


def _until(here: Installation, holds: Callable[[], bool]) -> None:
    """Wait until something holds, without the minute that a worker may take to give new letters their time."""

    def hurried() -> bool:
        here.hurry()
        return holds()

    wait_until(hurried, seconds=PATIENCE)


def _judge(here: Installation, seed: int, *, sent_at_backup: set[int]) -> Figures:
    """Compare the ledger with what the mail server took: nothing lost, each second copy explained."""
    ledger = {line.reference: line for line in here.ledger()}
    copies = here.copies()
    assert set(ledger) <= set(copies), "nothing that the backup had is lost"
    assert {reference: n for reference, n in copies.items() if n > 2} == {}
    assert {reference: n for reference, n in copies.items() if n > 1 + ledger[reference].ambiguous} == {}
    known = [line.reference for line in ledger.values() if line.pk in sent_at_backup]
    assert {copies[reference] for reference in known} <= {1}, "what the backup knew as sent came once"
    here.manage("recount")
    assert "Traceback" not in here.log.read_text()
    states = Counter(line.state for line in ledger.values())
    return {"seed": seed, **states, "extra": sum(copies.values()) - len(copies), "sent unasked": 0}


_BODY_AS_IT_IS = """
UPDATE letters_instance SET body = concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid FROM pg_database WHERE datname = current_database()), 'letters_instance'::regclass::oid)
"""
SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F28 restored on SQLite": partial(restored, on_sqlite),
    "F28 restored on PostgreSQL": partial(restored, on_postgresql),
    "F28 snapshot of PostgreSQL": partial(restored, on_postgresql, as_snapshot=True),
    "F28 directory put back": put_back,
    "F28 copied on SQLite": partial(copied, on_sqlite),
    "F28 copied on PostgreSQL": partial(copied, on_postgresql),
    "F28 restored underfoot on SQLite": partial(underfoot, on_sqlite),
    "F28 restored underfoot on PostgreSQL": partial(underfoot, on_postgresql),
}
SIZES = dict.fromkeys(SCENARIOS, ("nightly", "weekly"))
