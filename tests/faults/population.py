"""Fills a new installation with confirmed letters: `python -m tests.faults.population JSON`, in its environment."""

import json
import os
import sys
from dataclasses import asdict, dataclass

NAME, TOWN, SENTENCE = "Dana Writer", "Leipzig", "My grandfather worked on the oil fields"  # what no log may hold (I12)
SUPPORTERS = "supporters.example"
TARGETS_AT = "offices.example"


@dataclass(frozen=True)
class Population:
    """How many letters, to how many targets each, and what else is there."""

    letters: int = 0
    targets: int = 10
    awaiting: int = 0  # letters more, whose confirmation was asked for
    caps: int = 0  # so many of the targets have a pace, …
    cap_per_hour: int = 60  # … this one
    words: int = 0  # added to each letter's text
    never_twice: bool = False

    def as_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))


GATE = Population(letters=25, targets=20)  # which most small scenarios share, because it is made once


@dataclass(frozen=True)
class Found:
    """What is there now."""

    deliveries: int
    links: tuple[str, ...]  # paths of the pages that confirm the letters that wait
    campaign: str  # its page


def domain(number: int) -> str:
    """Return the domain of the n-th target, which is its alone; the first is 0."""
    return f"d{number}.{TARGETS_AT}"


def _fill(wanted: Population) -> Found:
    # Here, because they need Django set up, and the rig's own process must not be an installation.
    from unittest import mock  # noqa: PLC0415

    from django.utils import timezone  # noqa: PLC0415

    from campaigns.models import Campaign  # noqa: PLC0415
    from letters import tokens  # noqa: PLC0415
    from letters.models import Delivery, Notice  # noqa: PLC0415
    from tests import cast  # noqa: PLC0415
    from tests.letters import deeds  # noqa: PLC0415

    now = timezone.now()
    cast.TARGETS = tuple(_target(number, wanted) for number in range(wanted.targets))
    more = {"name": NAME, "town": TOWN}
    if wanted.words:
        more["body"] = "\n\n".join(["Words enough for a long letter. " * 20] * (wanted.words // 120 + 1))
    with mock.patch("worker.doorbell.ring"), mock.patch.dict(cast.a_list.__kwdefaults__, targets=None):
        campaign = cast.an_open_campaign(cast.a_member(cast.an_organisation(), "Alice"), now=now)
        ask = cast.the_ask(campaign)
        for number in range(wanted.letters):
            deeds.a_confirmed_letter(ask, email=f"s{number}@{SUPPORTERS}", now=now, sentence=SENTENCE, **more)
        Notice.objects.all().delete()  # their mail has long been read
        links = []
        for number in range(wanted.awaiting):
            letter = deeds.an_awaiting_letter(ask, email=f"a{number}@{SUPPORTERS}", now=now, sentence=SENTENCE, **more)
            token = tokens.make(tokens.CONFIRM, bytes(deeds.the_notice(letter).key))
            links.append(f"/en/{campaign.slug}/confirm/{token}/")
        Notice.objects.update(state=Notice.State.SENT, ended_at=now)
    if wanted.never_twice:
        Campaign.objects.update(never_twice=True)
    return Found(Delivery.objects.count(), tuple(links), f"/en/{campaign.slug}/")


def _target(number: int, wanted: Population) -> dict[str, str]:
    values = {
        "name": f"Office {number}", "institution": f"Institution {number}", "country": "DE", "language": "en",
        "email": f"office@{domain(number)}",
    }  # fmt: skip
    if number >= wanted.targets - wanted.caps:
        values["cap_per_hour"] = str(wanted.cap_per_hour)
    return values


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    found = _fill(Population(**json.loads(sys.argv[1])))
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
