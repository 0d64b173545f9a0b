"""The rehearsal itself: start everything, let the supporters write, wait until all is delivered, judge."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count

from campaigns.models import Campaign
from config.rehearsal import verdict as verdicts
from config.rehearsal.supporters import Crowd
from config.rehearsal.verdict import Verdict
from config.supervisor.running import Supervisor
from letters.models import Delivery
from postbox.store import Store

SAY_EVERY = 2.0
STUCK_AFTER = 240.0  # seconds without any delivery moving
OPEN = (Delivery.State.QUEUED, Delivery.State.SENDING)


@dataclass(frozen=True)
class Plan:
    """What to rehearse."""

    supporters: int
    own_words: float
    port: int
    elsewhere: bool  # letters go to another mail server of this machine
    stay: bool  # keep everything running afterwards


def play(plan: Plan, supervisor: Supervisor, store: Store, say: Callable[[str], None]) -> int:
    """Run the rehearsal under a started supervisor; return the exit code: 0 where all came out right."""
    logging.getLogger("worker.doorbell").setLevel(logging.ERROR)
    begun = time.monotonic()
    campaign = Campaign.objects.select_related("organisation").get()
    supervisor.wait_ready(90)
    say(f"Everything runs. {plan.supporters:,} supporters write to {_targets(campaign):,} targets …")
    crowd = Crowd(campaign, store, plan.own_words, plan.port)
    said_at = time.monotonic()
    for number in range(plan.supporters):
        if supervisor.stopping:
            return 130
        crowd.write(number)
        if time.monotonic() - said_at >= SAY_EVERY:
            said_at = time.monotonic()
            say(f"  {number + 1:,} of {plan.supporters:,} supporters have written; {_progress(campaign)}")
    say(f"All have written and confirmed ({crowd.through_pages:,} of them through the pages). Delivering …")
    if not _wait(campaign, supervisor, say):
        say("Nothing has moved for a long time; judging what is there.")
    seconds = time.monotonic() - begun
    verdict = verdicts.judge(campaign, crowd.written, store, elsewhere=plan.elsewhere)
    _report(verdict, supervisor, seconds, say)
    if plan.stay and not supervisor.stopping:
        say(f"Look around: http://localhost:{plan.port}/ and http://localhost:{plan.port}/postbox/ – Ctrl-C ends it.")
        supervisor.run_forever()
    supervisor.stop()  # whatever the programs still say comes before the last line, which other programs read
    print(json.dumps(verdict.as_json(seconds)), flush=True)
    return 0 if verdict.adds_up and not verdict.problems else 1


def _wait(campaign: Campaign, supervisor: Supervisor, say: Callable[[str], None]) -> bool:
    moved_at, before, said_at = time.monotonic(), "", time.monotonic()
    while not supervisor.stopping:
        states = _states(campaign)
        if not any(states.get(state) for state in OPEN):
            return True
        now = time.monotonic()
        if str(states) != before:
            before, moved_at = str(states), now
        elif now - moved_at > STUCK_AFTER and not _paced(campaign):
            return False
        if now - said_at >= SAY_EVERY:
            said_at = now
            say(f"  {_progress(campaign)}")
        time.sleep(0.25)
    return False


def _states(campaign: Campaign) -> dict[str, int]:
    connection.close_if_unusable_or_obsolete()
    return dict(Delivery.objects.filter(letter__campaign=campaign).values_list("state").annotate(n=Count("pk")))


def _paced(campaign: Campaign) -> bool:
    return Delivery.objects.filter(letter__campaign=campaign, state=Delivery.State.QUEUED, due_at=None).exists()


def _progress(campaign: Campaign) -> str:
    states = _states(campaign)
    return f"{states.get(Delivery.State.SENT, 0):,} of {sum(states.values()):,} deliveries accepted"


def _targets(campaign: Campaign) -> int:
    return sum(ask.target_list.entries.filter(retired_at=None).count() for ask in campaign.asks.all())


def _report(verdict: Verdict, supervisor: Supervisor, seconds: float, say: Callable[[str], None]) -> None:
    say("")
    for line in verdicts.ledger_lines(verdict):
        say(line)
    where = "arrived and were compared" if verdict.checked_at_receiver else "were accepted by the other mail server"
    say(f"{verdict.received:,} letters {where}, {verdict.distinct_message_ids:,} different ones, in {seconds:.1f} s.")
    died = {name: starts - 1 for name, starts in supervisor.starts().items() if starts > 1}
    if died:
        say("Started again: " + ", ".join(f"{name} ({n} ×)" for name, n in died.items()))
    for problem in verdict.problems[:20]:
        say(f"✗ {problem}")
