"""The ledger by ask and by target as tables: filtered, sorted, cut into pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from campaigns import publishing
from campaigns.models import Campaign
from letters import statistics
from letters.page_words import Word
from letters.statistics import Ledger
from targets.models import Target
from web.organisers import posted

PER_PAGE = 50
SORTS = ("name", "total", *Word.values)


@dataclass(frozen=True)
class Line:
    """One line of a ledger table; `key` names the ask (slug) or target (public id) in addresses."""

    key: str
    name: str
    more: str
    ledger: Ledger

    @property
    def stoppable(self) -> int:
        """Return how many of its deliveries have not left and could be stopped."""
        return sum(self.ledger.counts[word] for word in (Word.WAITING, Word.RETRYING, Word.UNCLEAR))


@dataclass(frozen=True)
class View:
    """What a reader asked of the table of targets: words to look for, a column to sort by, a page."""

    wanted: str
    sort: str
    page: int


def view_of(query: QueryDict) -> View:
    """Read what the address asks for; anything unknown is as if it were not there."""
    sort = query.get("sort", "")
    return View(
        wanted=posted.line(query, "q")[:100],
        sort=sort if sort in SORTS else "total",
        page=posted.whole(query, "page", least=1, most=10**6, otherwise=1),
    )


def by_ask(campaign: Campaign) -> list[Line]:
    """Return a line per ask, in the campaign's order, also for those without deliveries."""
    ledgers = statistics.ledger_by_ask(campaign)
    return [
        Line(ask.slug, publishing.title_of(ask), ask.target_list.name, ledgers.get(ask.pk, Ledger()))
        for ask in campaign.asks.all()
    ]


def by_target(campaign: Campaign, view: View) -> list[Line]:
    """Return a line per target that has deliveries and fits the words looked for, in the order asked for."""
    ledgers = statistics.ledger_by_target(campaign)
    lines = [_line(target, ledgers[target.pk]) for target in _targets(ledgers)]
    wanted = view.wanted.casefold()
    found = [line for line in lines if wanted in f"{line.name} {line.more}".casefold()]
    found.sort(key=lambda line: line.name.casefold())
    if view.sort != "name":
        found.sort(key=lambda line: -_count(line.ledger, view.sort))
    return found


def cut(lines: Sequence[Line], page: int) -> tuple[list[Line], int, int]:
    """Return one page of lines, its number and how many pages there are."""
    pages = max(-(-len(lines) // PER_PAGE), 1)
    page = min(page, pages)
    return list(lines[(page - 1) * PER_PAGE : page * PER_PAGE]), page, pages


def table(lines: Sequence[Line]) -> list[list[str]]:
    """Return the numbers of a table as a reader sees them, a heading first."""
    head = ["Name", "About", "Deliveries", *(str(word.label) for word in Word)]
    return [head, *([line.name, line.more, str(line.ledger.total), *_numbers(line.ledger)] for line in lines)]


def _numbers(ledger: Ledger) -> list[str]:
    return [str(ledger.counts[word]) for word in Word]


def _count(ledger: Ledger, sort: str) -> int:
    return ledger.total if sort == "total" else ledger.counts[Word(sort)]


def _targets(ledgers: Mapping[int, Ledger]) -> list[Target]:
    # In portions: SQLite takes only so many values in one statement.
    keys = list(ledgers)
    return [
        target
        for start in range(0, len(keys), 900)
        for target in Target.objects.filter(pk__in=keys[start : start + 900]).select_related("email")
    ]


def _line(target: Target, ledger: Ledger) -> Line:
    about = " · ".join(part for part in (target.role, target.institution, target.country) if part)
    return Line(target.public_id, target.name, about, ledger)
