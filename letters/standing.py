"""How a database stands to the host that looks at it: its own, a restored backup, a copy, or one it does not know.

The database holds an id and an epoch that rises while anything is sent (letters.instance); each worker host keeps both
outside (letters.state_file). An epoch behind the host's is a restored backup, another id another installation's
database. And PostgreSQL tells by itself that its tables were made anew from a dump.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.db import NotSupportedError, ProgrammingError, connection, transaction

from letters import holding, state_file, stops
from letters.models import Delivery, Instance, Notice
from letters.state_file import Memory

log = logging.getLogger(__name__)
REFUSAL_LASTS = timedelta(minutes=3)  # on the organisers' pages, after it was last told


class Verdict(Enum):
    """What the facts say."""

    OURS = "ours"
    ON_HOLD = "on hold"
    BEHIND = "behind what this host has seen"
    MOVED = "made anew from a dump"
    FOREIGN = "another installation's"
    UNKNOWN = "not known to this host"
    COPIED = "known from a copied state file"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a verdict rests on. `setting` is INSTANCE_ID; `is_fresh`: no worker has ever sent from this database."""

    identity: str
    epoch: int
    recorded_body: str
    actual_body: str
    is_on_hold: bool
    memory: Memory | None
    setting: str
    is_shared: bool  # PostgreSQL: other hosts may rightly be sending from it
    is_fresh: bool = False


def judge(facts: Facts) -> Verdict:
    """Return what the facts say, the safest reading first."""
    memory = facts.memory
    if memory is not None and memory.is_copy:
        return Verdict.COPIED
    expected = facts.setting or (memory.identity if memory else "")
    if not expected and not facts.is_fresh:
        return Verdict.UNKNOWN
    if expected and expected != facts.identity:
        return Verdict.FOREIGN
    if facts.is_on_hold:
        return Verdict.ON_HOLD
    own = memory if memory is not None and memory.identity == facts.identity else None
    if own is not None and facts.epoch < own.epoch:
        return Verdict.BEHIND
    if _have_parted(facts.recorded_body, facts.actual_body):
        return Verdict.MOVED
    if own is None and not facts.is_shared and not facts.is_fresh:
        # A SQLite database has one host, and that host has a state file, or the database came from elsewhere.
        return Verdict.UNKNOWN
    return Verdict.OURS


def inspect() -> tuple[Instance, Memory | None, Verdict]:
    """Return the database's row, what this host remembers, and what that says together."""
    row = the_row()
    memory = _memory(row)
    return row, memory, judge(facts_of(row, memory))


def facts_of(row: Instance, memory: Memory | None) -> Facts:
    """Return what a verdict rests on."""
    return Facts(
        identity=row.identity, epoch=row.epoch, recorded_body=row.body, actual_body=body(),
        is_on_hold=row.on_hold_since is not None, memory=memory, setting=settings.INSTANCE_ID,
        is_shared=connection.vendor == "postgresql", is_fresh=_is_fresh(row),
    )  # fmt: skip


def the_row() -> Instance:
    """Return the database's one row, made where it is missing."""
    row = Instance.objects.first()
    if row is None:
        made = Instance(identity=settings.INSTANCE_ID or secrets.token_hex(16))
        Instance.objects.bulk_create([made], ignore_conflicts=True)
        row = Instance.objects.get()
    return row


def body() -> str:
    """Return what tells this very database from one that was loaded from its dump; "" on SQLite, which has nothing.

    PostgreSQL numbers clusters, databases and tables: a dump loaded anew has another number of at least one of them.
    They stay through restarts, failover to a physical replica and changes of tables; not through pg_upgrade.
    """
    if connection.vendor != "postgresql":
        return ""
    numbers = "d.oid, 'letters_instance'::regclass::oid FROM pg_database d WHERE d.datname = current_database()"
    for cluster in ("(SELECT system_identifier FROM pg_control_system())", "0"):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SELECT {cluster}, {numbers}")
                found = cursor.fetchone()
        except (ProgrammingError, NotSupportedError):  # not allowed, or a service that only speaks the protocol
            continue
        return "/".join(str(part) for part in found or ())
    return ""


def put_on_hold(row: Instance, verdict: Verdict, *, now: datetime) -> bool:
    """Put a database on hold for all hosts if it was restored or copied for certain; return whether it was.

    `row` is what the verdict rests on: where it has changed meanwhile, the next look finds what holds now. A SQLite
    database has one host. A PostgreSQL database that this host alone does not know may be in good use.
    """
    certain = {Verdict.BEHIND, Verdict.MOVED}
    if verdict in certain or connection.vendor != "postgresql" or _have_parted(row.body, body()):
        known = verdict in certain or (verdict is Verdict.UNKNOWN and row.identity == settings.INSTANCE_ID)
        if verdict is Verdict.COPIED:  # put back where it was, with its state file; or started somewhere else
            memory = _memory(row)
            known = memory is not None and memory.is_from_here and memory.identity == row.identity
        holding.begin(row, because=Instance.Because.RESTORED if known else Instance.Because.COPIED, now=now)
        return True
    return False


def may_be_taken(verdict: Verdict) -> bool:
    """Return whether a database may be taken for one's own as it is: nothing waits in it that could go out twice.

    Another installation's is not taken from it, unless it is empty.
    """
    if verdict is Verdict.FOREIGN:
        return not Delivery.objects.exists()
    state = Delivery.State
    unfinished = (state.QUEUED, state.SENDING, state.HELD, state.UNCERTAIN)  # one by one: each has its index
    mail = Notice.objects.filter(state__in=[Notice.State.QUEUED, Notice.State.SENDING])
    return not mail.exists() and not any(Delivery.objects.filter(state=one).exists() for one in unfinished)


def lets_nothing_leave() -> bool:
    """Return whether no letter leaves by any host: the database is on hold, or an operator has stopped all sending."""
    return Instance.objects.filter(on_hold_since__isnull=False).exists() or stops.current() is not None


def announcement(*, now: datetime) -> str:
    """Return what organisers are told while nothing leaves, or "" while all is well."""
    row = Instance.objects.first() or Instance()
    if row.on_hold_since is not None:
        return sentence_of(row)
    if stop := stops.current():
        return stop.sentence
    if row.refused_at is not None and timedelta(0) <= now - row.refused_at < REFUSAL_LASTS:
        return row.refused_because
    return ""


def sentence_of(row: Instance) -> str:
    """Say since when and why a database is on hold, and what to do."""
    why = "a backup was restored"
    if row.on_hold_because == Instance.Because.COPIED:
        why = "the database, or its whole directory, was copied"
    return (
        f"Sending is on hold since {why} (noticed on {row.on_hold_since:%d %B %Y at %H:%M} UTC). What waits may have "
        "been sent already. Ask the operator to run “manage.py adopt”: it shows what is held and sends it or stops it."
    )


def refusal(row: Instance, verdict: Verdict) -> str:
    """Say why a host sends nothing from a database that may be well, and what to do."""
    joins = f"set INSTANCE_ID={row.identity} or run “manage.py adopt --join” on it"
    match verdict:
        case Verdict.FOREIGN:
            why = "A worker host sends nothing: it belongs to another installation than this database."
        case Verdict.COPIED:
            why = f"A worker host sends nothing: its {state_file.NAME} was copied from elsewhere."
            joins = "run “manage.py adopt --join” on it"
        case _:
            why = "A worker host sends nothing: it does not know this database, from which others have sent."
    return (
        f"{why} If the host joins this installation, {joins}. If a backup was restored or the database was copied, "
        "run “manage.py adopt” to see what would be sent."
    )


def _is_fresh(row: Instance) -> bool:
    """Return whether no worker has ever sent from this database; before it had its row, some may have."""
    if row.epoch:
        return False
    return bool(settings.INSTANCE_ID) or not Delivery.objects.exclude(first_tried_at=None).exists()


def _have_parted(recorded: str, actual: str) -> bool:
    return bool(recorded and actual and recorded != actual)


def _memory(row: Instance) -> Memory | None:
    """Return what this host remembers; what cannot be read is as little worth as a copy."""
    try:
        return state_file.read(settings.DATA)
    except (state_file.Unreadable, OSError) as error:
        log.warning("%s", error)
        return Memory(row.identity, 0, is_copy=True, is_from_here=False)
