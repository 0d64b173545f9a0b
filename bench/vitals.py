"""`python -m bench.vitals`: how soon supporters' pages are there on a slow phone, and whether the goals hold.

The phone is chromium at 360 px with a processor four times slower; the line is slow 4G as Lighthouse applies it to a
browser: 562 ms before each answer, 1,475 kbit/s down, 675 up. Each page is opened afresh, and medians count. That the
button of the first page can be used is measured at 400 kbit/s with 400 ms, on the same phone.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from playwright.sync_api import Browser

from bench import machine, report
from tests.journeys import way
from tests.journeys.installation import visited

LCP, TBT, CLS, USABLE = 1500.0, 50.0, 0.02, 3000.0  # ms, but for CLS, which has no unit
LANGUAGES = ("en", "ar")
ROUNDS = 5
SLOWER = 4  # times, than this machine's processor
SETTLED = 1500  # ms after a page has loaded, in which it may still shift or be busy


@dataclass(frozen=True)
class Line:
    """How far away the server is (ms before each answer), and how much passes (bits a second)."""

    away: float
    down: float
    up: float


SLOW_4G, VERY_SLOW = Line(562.5, 1_474_560, 675_000), Line(400, 400_000, 400_000)

WATCH = """() => {
    window.vitals = {lcp: 0, cls: 0, fcp: 0, tasks: []};
    const watch = (type, deed) => new PerformanceObserver(found => found.getEntries().forEach(deed))
        .observe({type, buffered: true});
    watch("paint", one => { if (one.name === "first-contentful-paint") vitals.fcp = one.startTime; });
    watch("largest-contentful-paint", one => { vitals.lcp = one.startTime; });
    watch("layout-shift", one => { if (!one.hadRecentInput) vitals.cls += one.value; });
    watch("longtask", one => { vitals.tasks.push([one.startTime, one.startTime + one.duration]); });
}"""
# A thread is blocked by what a task takes beyond 50 ms, once there is something to tap on: from the first paint on.
TOLD = """() => ({
    ...vitals, interactive: performance.getEntriesByType("navigation")[0].domInteractive,
    tbt: vitals.tasks.reduce((sum, [from, to]) => sum + Math.max(0, to - Math.max(from, vitals.fcp) - 50), 0),
})"""


class Vitals(NamedTuple):
    """What one page came to: ms from the click to its largest part and of a blocked thread, and how far parts moved."""

    lcp: float
    tbt: float
    cls: float
    usable: float  # ms until it is painted and its buttons work, which need no script

    @property
    def holds(self) -> bool:
        """Return whether it is within the goals."""
        return self.lcp <= LCP and self.tbt <= TBT and self.cls <= CLS


def opened(browser: Browser, url: str, line: Line) -> Vitals:
    """Open a page afresh on the slow phone, with nothing kept from before."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, device_scale_factor=2, is_mobile=True)
    page = context.new_page()
    page.add_init_script(f"({WATCH})()")
    phone = context.new_cdp_session(page)
    phone.send("Network.enable")
    phone.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": line.away, "downloadThroughput": line.down / 8, "uploadThroughput": line.up / 8},
    )
    phone.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(url, wait_until="load")
    page.wait_for_timeout(SETTLED)
    told = page.evaluate(TOLD)
    context.close()
    return Vitals(told["lcp"], told["tbt"], told["cls"], max(told["fcp"], told["interactive"]))


def middle(measure: Callable[[], Vitals], rounds: int) -> Vitals:
    """Return the medians of so many rounds."""
    found = [measure() for _ in range(rounds)]
    return Vitals(*map(statistics.median, zip(*found, strict=True)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 0 where every page is within the goals."""
    parser = argparse.ArgumentParser(prog="python -m bench.vitals", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of which the middle one counts")
    parser.add_argument("--write", action="store_true", help="put the figures into bench/README.md")
    chosen = parser.parse_args(arguments)
    load = machine.load()
    found, usable = _measured(chosen.rounds)
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, medians of {chosen.rounds}, load {load:.1f} before"
    lines = [*_table(found, usable), "", f"{when}: {os.cpu_count()} cores, chromium {SLOWER} times slower."]
    print("\n".join(lines))
    if chosen.write:
        report.put("vitals", "\n".join(lines))
    return 0 if all(one.holds for one in found.values()) and max(usable.values()) <= USABLE else 1


def _measured(rounds: int) -> tuple[dict[tuple[str, str], Vitals], dict[str, float]]:
    """Return the vitals by page and language, and after how many ms the first button can be used, by language."""
    found, usable = {}, {}
    with visited() as (postbag, browser):
        for language in LANGUAGES:
            page = browser.new_context(base_url=postbag.url).new_page()  # on a fast line
            email = f"vitals.{language}@mail.example"
            for name in way.of_a_letter(page, postbag.mailbox, language=language, email=email):
                found[name, language] = middle(partial(opened, browser, page.url, SLOW_4G), rounds)
                if name == "campaign":
                    usable[language] = middle(partial(opened, browser, page.url, VERY_SLOW), rounds).usable
    return found, usable


def _table(found: Mapping[tuple[str, str], Vitals], usable: Mapping[str, float]) -> Iterator[str]:
    yield "| page | language | LCP, ms | TBT, ms | CLS | |"
    yield "|---|---|---|---|---|---|"
    for (name, language), one in found.items():
        yield f"| {name} | {language} | {one.lcp:.0f} | {one.tbt:.0f} | {one.cls:.3f} | {_word(one.holds)} |"
    for language, ms in usable.items():
        yield f"| campaign at 400 kbit/s, its button usable | {language} | {ms:.0f} | | | {_word(ms <= USABLE)} |"


def _word(holds: bool) -> str:  # noqa: FBT001  a verdict is a yes or a no
    return "holds" if holds else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
