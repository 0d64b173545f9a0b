"""`python -m bench.paper`: how long letters on paper take, from the database to the PDF, and whether the goal holds."""

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported within, after the settings
    from accounts.models import User
    from targets.models import Target

GOAL = 3.0  # seconds for a thousand letters to one target
LETTERS = 1000
FEW = 3  # sheets of one supporter


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill an installation of its own, print the pile and a supporter's set; return 0 where the goal holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=LETTERS, help="in the pile (at most a thousand go in one PDF)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the middle one counts")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as data:
        os.environ |= {"POSTBAG_DATA": data, "DATABASE_URL": "", "REDIS_URL": "", "EMAIL_URL": "",
                       "DJANGO_SETTINGS_MODULE": "config.settings"}  # fmt: skip
        import django  # noqa: PLC0415  the settings above come first

        django.setup()
        return _measure(chosen.letters, chosen.rounds)


def _measure(letters: int, rounds: int) -> int:
    from django.utils import timezone  # noqa: PLC0415

    from letters import envelopes, handing_over, paper  # noqa: PLC0415
    from letters.models import Letter  # noqa: PLC0415

    target, by = _filled(letters)
    (pile,) = handing_over.piles(target)

    def whole() -> bytes:
        made = handing_over.print_pile(target=target, ask=pile.ask, by=by, layout=envelopes.DEFAULT)
        assert made is not None
        return made

    letter = Letter.objects.select_related("campaign", "template").first()
    assert letter is not None

    def few() -> bytes:
        return paper.supporters_set(
            letter, [target] * FEW, layout=envelopes.DEFAULT, language="en", on=timezone.localdate()
        )

    few()  # the typefaces are found once
    _say(f"a supporter's {FEW} sheets", *_middle(few, rounds))
    seconds, work, octets = _middle(whole, rounds)
    _say(f"{letters} letters in one PDF", seconds, work, octets)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    goal = GOAL * letters / LETTERS
    print(f"{memory} MiB in the typesetter; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"goal: {goal:g} s, {'holds' if seconds <= goal else 'DOES NOT HOLD'}")
    return 0 if seconds <= goal else 1


def _say(what: str, seconds: float, work: float, octets: int) -> None:
    print(f"{what:<28} {seconds:6.2f} s ({work:.2f} s of processor time) {octets / 1024:7.0f} KiB")


def _filled(letters: int) -> tuple["Target", "User"]:
    """Return a target of the demonstration to whom so many people have written, and somebody who may print that."""
    from django.core.management import call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from accounts.models import Organisation, User  # noqa: PLC0415
    from campaigns.demonstration.loading import load  # noqa: PLC0415
    from letters import lifecycle, supporters, writing  # noqa: PLC0415
    from letters.models import Letter  # noqa: PLC0415
    from letters.privacy import new_wrapped_key  # noqa: PLC0415
    from targets import lists  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    now = timezone.now()
    organisation = Organisation.objects.create(name="Oil Workers' Aid")
    by = User.objects.create_user("owner@mail.example")
    campaign = load(organisation=organisation, by=by, wrapped_key=new_wrapped_key(), now=now)
    ask = campaign.asks.select_related("campaign", "target_list").get(slug="embassies")
    target, *others = lists.active_targets(ask.target_list)
    for other in others:
        lists.retire(target_list=ask.target_list, target=other, now=now)
    for number in range(letters):
        sentence = f"My grandfather, one of {number + 2}, worked on the oil fields: I know a strike in winter."
        letter = writing.begin(ask=ask, language="en", now=now, sentence=sentence)
        given = {"name": f"Dana Writer {number}", "email": f"dana{number}@mail.example"}
        content = writing.revise(letter, posted=given, now=now)
        supporter = supporters.of(letter, content)
        moved = lifecycle.move_letter(letter, Letter.Stage.AWAITING, now=now, supporter=supporter)
        assert moved
        moved = lifecycle.move_letter(letter, Letter.Stage.CONFIRMED, now=now, supporter=supporter)
        assert moved
        lifecycle.create_deliveries(letter, now=now, paced=False)
    return target, by


def _middle(deed: Callable[[], bytes], rounds: int) -> tuple[float, float, int]:
    """Return the middle of so many times and of the processor time with its children, and the size of what was made."""
    taken, worked, made = [], [], b""
    for _round in range(rounds):
        began, before = time.perf_counter(), os.times()
        made = deed()
        taken.append(time.perf_counter() - began)
        worked.append(sum(os.times()[:4]) - sum(before[:4]))
    return statistics.median(taken), statistics.median(worked), len(made)


if __name__ == "__main__":
    sys.exit(main())
