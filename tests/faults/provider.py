"""F19: a provider's API takes a letter and does not say so, says "not now", says half of it, or does not know us.

Real workers in processes of their own, a real HTTP server on this machine that writes down what it takes before it
answers: the judge. Each delivery has a plan of its own, drawn by the seed: how many of its attempts go wrong.
"""

import functools
import hashlib
import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults import databases
from tests.faults.rig import Figures
from tests.worker.fake_provider import KEY, Act, FakeProvider, Request, address, says
from tests.worker.fake_provider import read as read_mail
from tests.worker.processes import environment, python

LETTERS = {"gate": 2, "nightly": 100}
TARGETS = 3
PATIENCE_PERCENT = 1  # of the two minutes that an answer may take
ESPS = ("mailgun", "postmark", "brevo")  # none of these folds what it took before; Resend would

_WRITE = """
from tests import cast
from tests.letters import deeds
from unittest import mock
with mock.patch("worker.doorbell.ring"):
    ask = cast.the_ask(cast.an_open_campaign(cast.a_member(cast.an_organisation(), "Alice")))
    for number in range({letters}):
        deeds.a_confirmed_letter(ask, email=f"dana.{{number}}@mail.example")
from letters.models import Notice
Notice.objects.all().delete()
"""
_TURN = """
import json
from campaigns.models import Campaign
from django.core.management import call_command
from django.utils import timezone
from letters import statistics, tokens
from letters.models import Delivery
for _ in range({turns}):
    Delivery.objects.filter(state="queued").update(due_at=timezone.now())
    call_command("deliver", "--once")
rows = Delivery.objects.values_list("pk", "state", "ambiguous", "attempts")
print("ledger", json.dumps({{tokens.reference(pk): list(row) for pk, *row in rows}}))
print("tallies", sum(statistics.recount(campaign) for campaign in Campaign.objects.all()))
"""
_LET_GO = """
from accounts.models import User
from campaigns.models import Campaign
from django.utils import timezone
from letters import steering
from letters.models import Delivery
from unittest import mock
alice = User.objects.get()
with mock.patch("worker.doorbell.ring"):
    for campaign in Campaign.objects.exclude(paused_at=None):
        steering.resume(campaign=campaign, by=alice, now=timezone.now())
    for delivery in Delivery.objects.filter(state="held"):
        steering.let_go(delivery=delivery, by=alice, now=timezone.now())
"""


@dataclass(frozen=True)
class Line:
    """One delivery as the ledger has it."""

    state: str
    ambiguous: int
    attempts: int


class Installation:
    """A database of its own, letters that wait in it, and a provider that takes them."""

    def __init__(self, directory: Path, provider: FakeProvider, esp: str, letters: int) -> None:
        data = directory / "data"
        with databases.making("sqlite"):  # made once, though several begin at the same moment
            shutil.copytree(_written(letters).name, data)
        self.env = environment(
            data, EMAIL_URL=address(esp, provider.url(esp)), LEASE_SECONDS="30", BACKOFF_PERCENT="1", HOOKS="none",
            CONNECTIONS="16", CONNECTIONS_PER_DOMAIN="16", WORKERS="1", MAIL_PATIENCE_PERCENT=str(PATIENCE_PERCENT),
        )  # fmt: skip

    def turn(self, turns: int, *, first: str = "") -> dict[str, Line]:
        """Let a worker try all that waits so many times, due or not; return every delivery by its reference."""
        said = dict(line.split(" ", 1) for line in python(first + _TURN.format(turns=turns), env=self.env).splitlines())
        assert said["tallies"] == "0", "the tallies agree with the rows"
        return {reference: Line(*row) for reference, row in json.loads(said["ledger"]).items()}


@functools.cache
def _written(letters: int) -> tempfile.TemporaryDirectory[str]:
    """Return the files of an installation in which so many letters wait; made once, gone with this process."""
    made = tempfile.TemporaryDirectory(prefix="pb-provider-")
    databases.empty_sqlite(Path(made.name))
    python(_WRITE.format(letters=letters), env=environment(Path(made.name)))
    return made


class _Plan:
    """How many attempts of each delivery go wrong, drawn when it is first seen."""

    def __init__(self, seed: int, act: Act) -> None:
        self._drawn = random.Random(seed)  # noqa: S311  the same each time
        self._act = act
        self._left: dict[str, int] = {}
        self.wrong: dict[str, int] = {}

    def __call__(self, request: Request) -> Act | None:
        """Return what goes wrong with this attempt, None where nothing does."""
        reference = read_mail(request).delivery
        if reference not in self._left:
            # The first two are drawn for us: else a small run might see no fault, or none twice.
            count = (1, 2)[len(self._left)] if len(self._left) < 2 else self._drawn.randint(0, 2)
            self._left[reference] = self.wrong[reference] = count
        if not self._left[reference]:
            return None
        self._left[reference] -= 1
        return self._act


def _unclear(act: Act, seed: int, size: str) -> Figures:
    """A letter was taken and we cannot know it: A counts it, at most two copies, nothing fails, nothing is lost."""
    esp, letters = ESPS[seed % len(ESPS)], LETTERS[size]
    plan = _Plan(seed, act)
    with tempfile.TemporaryDirectory(prefix="pb-provider-") as directory, FakeProvider(plan) as provider:
        here = Installation(Path(directory), provider, esp, letters)
        ledger = here.turn(3)
        assert len(ledger) == letters * TARGETS
        assert set(plan.wrong) == set(ledger), "each delivery was tried, and no other"
        for reference, line in ledger.items():
            wrong = plan.wrong[reference]
            assert line == Line("uncertain" if wrong == 2 else "sent", wrong, min(wrong + 1, 2)), (reference, line)
        assert len(provider.requests) == sum(line.attempts for line in ledger.values()), "a person decides on a third"
        copies = provider.copies()
        assert copies == {reference: 1 + (wrong > 0) for reference, wrong in plan.wrong.items()}
        assert all(count <= 1 + ledger[reference].ambiguous for reference, count in copies.items())
        _same_bytes(provider)
        return _figures(seed, esp, ledger, provider)


def _too_much(seed: int, size: str) -> Figures:
    """429: nothing was taken, nothing counts as unclear, everything arrives once."""
    esp, letters = ESPS[seed % len(ESPS)], LETTERS[size]
    plan = _Plan(seed, says(429, {"message": "Slow down"}, headers={"Retry-After": "0"}))
    with tempfile.TemporaryDirectory(prefix="pb-provider-") as directory, FakeProvider(plan) as provider:
        here = Installation(Path(directory), provider, esp, letters)
        ledger = here.turn(3)
        assert ledger == {reference: Line("sent", 0, 1 + wrong) for reference, wrong in plan.wrong.items()}
        assert len(ledger) == letters * TARGETS
        assert set(provider.copies().values()) == {1}
        assert provider.copies().keys() == ledger.keys()
        _same_bytes(provider)
        return _figures(seed, esp, ledger, provider)


def _unknown_key(seed: int, size: str) -> Figures:
    """401 from some request on: what was tried is held, nothing fails, nothing is lost when a person has mended it."""
    esp, letters = ESPS[seed % len(ESPS)], LETTERS[size]
    good = random.Random(seed).randint(0, letters)  # noqa: S311

    def script(request: Request) -> Act | None:
        return says(401, {"message": f"Forbidden: {KEY}", "Message": "no"}) if request.number > good else None

    with tempfile.TemporaryDirectory(prefix="pb-provider-") as directory, FakeProvider(script) as provider:
        here = Installation(Path(directory), provider, esp, letters)
        ledger = here.turn(1)
        states = {line.state for line in ledger.values()}
        assert states <= {"sent", "held", "queued"}, states
        assert "held" in states
        assert sum(line.state == "sent" for line in ledger.values()) == good
        assert all(line.ambiguous == 0 for line in ledger.values())
        assert len(ledger) == letters * TARGETS
        provider.script = lambda _request: None
        ledger = here.turn(2, first=_LET_GO)
        assert {line.state for line in ledger.values()} == {"sent"}, ledger
        assert provider.copies() == dict.fromkeys(ledger, 1)
        return _figures(seed, esp, ledger, provider)


def _figures(seed: int, esp: str, ledger: Mapping[str, Line], provider: FakeProvider) -> Figures:
    copies = provider.copies()
    return {
        "seed": seed, "provider": esp, **Counter(line.state for line in ledger.values()),
        "extra": sum(copies.values()) - len(copies), "A": sum(line.ambiguous for line in ledger.values()),
    }  # fmt: skip


def _same_bytes(provider: FakeProvider) -> None:
    """All requests for one delivery are the same, byte for byte (I5)."""
    digests: dict[str, set[str]] = {}
    for request in provider.requests:
        digests.setdefault(read_mail(request).delivery, set()).add(hashlib.sha256(request.body).hexdigest())
    assert {reference: len(seen) for reference, seen in digests.items() if len(seen) > 1} == {}


def _answer(document: Any) -> bytes:
    return json.dumps(document).encode()


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F19 time-out after taking it": partial(_unclear, Act(waits_for=20.0, hangs_up=True)),
    "F19 500 after taking it": partial(_unclear, says(500, {"message": "oops"}, takes=True)),
    "F19 half JSON": partial(_unclear, says(200, _answer({"id": "n", "message": "Queued"})[:-4], takes=True)),
    "F19 429": _too_much,
    "F19 401": _unknown_key,
}
