"""F29: the same button is pressed fifty times at once: one effect, and everybody sees the same page."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.faults.pages import Answer, Pages
from tests.faults.population import Population
from tests.faults.rig import Figures, Rig

AT_ONCE = 50
TARGETS = 10
PRESSED = {"gate": 2, "nightly": 100}
_NONCE = re.compile(r'nonce="[^"]*"')  # anew on each page, as it must be
_SHOWN = re.compile(r'name="(shown-(\d+))" value="(\w+)"')


def at_once(kind: str, seed: int, size: str) -> Figures:
    """F29: fifty posts of one confirmation, then of the next: each letter is confirmed once, with its deliveries."""
    confirmed: dict[int, int] = {}
    statuses: Counter[int] = Counter()
    with (
        Rig(kind, Population(targets=TARGETS, awaiting=PRESSED[size]), seed=seed) as rig,
        Pages(rig.place, rig.env) as pages,
        ThreadPoolExecutor(AT_ONCE) as people,
    ):
        for link in rig.found.links:
            found = _SHOWN.search(pages.get(link).text)
            assert found, "the page shows no letter"
            press = partial(pages.post, link, {found[1]: found[3]})
            answers = [one.result() for one in [people.submit(press) for _ in range(AT_ONCE)]]
            confirmed[int(found[2])] = TARGETS
            statuses.update(answer.status for answer in answers)
            assert rig.count(f"letter_id = {found[2]}") == TARGETS
            _all_see_the_same(pages, link, answers)
        rig.workers.start(2)
        rig.drain(seconds=60)
        rig.workers.end()
        evidence = rig.judge(confirmed)
        assert set(statuses) <= {200, 303}, statuses
        assert set(evidence.ledger.states()) == {"sent"}
        assert evidence.oracle.extra() == 0
        said = dict(sorted(statuses.items()))
        return rig.figures(evidence, letters=len(confirmed), posts=statuses.total(), pages=said)


def _all_see_the_same(pages: Pages, link: str, answers: list[Answer]) -> None:
    """The first is led on to the page of the letter that was sent; who comes later is told that it is sent already."""
    led_on = {answer.location for answer in answers if answer.status == 303}
    ends = {location for location in led_on if "/sent/" in location}
    assert len(ends) == 1, f"{len(ends)} letters for one link"
    assert led_on - ends <= {link}, led_on
    later = [pages.get(link), *(answer for answer in answers if answer.status == 200)]
    assert len({_NONCE.sub("", answer.text) for answer in later}) == 1, "who came later saw different pages"


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F29 on SQLite": partial(at_once, "sqlite"),
    "F29 on PostgreSQL": partial(at_once, "postgresql"),
}
SIZES = {"F29 on PostgreSQL": ("nightly",)}
