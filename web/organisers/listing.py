"""The rows of one target list as a page shows them: filtered, sorted, fifty at a time. The URL says which."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.utils import timezone

from targets import exclusions
from targets.models import ListEntry, TargetList

ROWS = 50
SHOWN = {"active": "On the list", "excluded": "Not offered now", "retired": "Retired", "all": "All"}
ORDERS: dict[str, tuple[str, ...]] = {
    "order": ("position", "id"),
    "name": ("target__name", "id"),
    "institution": ("target__institution", "target__name", "id"),
    "country": ("target__country", "target__name", "id"),
    "email": ("target__email__value", "id"),
    "pace": ("target__email__cap_per_hour", "target__name", "id"),
}


@dataclass(frozen=True)
class Listing:
    """What the URL asks for: text to look for, which entries, in which order. Nonsense counts as the usual."""

    text: str = ""
    show: str = "active"
    sort: str = "order"
    descending: bool = False

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> "Listing":
        """Return what a query string (q, show, sort) asks for."""
        sort = asked.get("sort", "")
        return cls(
            text=" ".join(asked.get("q", "").replace("\0", "").split())[:100],
            show=asked.get("show", "") if asked.get("show", "") in SHOWN else "active",
            sort=sort.lstrip("-") if sort.lstrip("-") in ORDERS else "order",
            descending=sort.startswith("-"),
        )

    @property
    def is_filtered(self) -> bool:
        """Return whether rows of the list may be missing from this view."""
        return bool(self.text) or self.show != "active"

    def entries(self, target_list: TargetList) -> QuerySet[ListEntry]:
        """Return the entries of exactly this view, all pages of it."""
        rows = target_list.entries.select_related("target__email", "target__post")
        if self.show != "all":
            rows = rows.filter(retired_at__isnull=self.show != "retired")
        if self.show == "excluded":
            rows = rows.exclude(exclusions.is_offered(timezone.now()))
        for word in self.text.split():
            rows = rows.filter(
                Q(target__name__icontains=word)
                | Q(target__role__icontains=word)
                | Q(target__institution__icontains=word)
                | Q(target__country__iexact=word)
                | Q(target__email__value__icontains=word)
            )
        order = ORDERS[self.sort]
        return rows.order_by(*(f"-{column}" for column in order) if self.descending else order)

    def page(self, target_list: TargetList, number: str) -> Page[ListEntry]:
        """Return one page of at most fifty rows; the nearest one there is."""
        return Paginator(self.entries(target_list), ROWS).get_page(number)

    def query(self, **changed: str | int) -> str:
        """Return the query string of this view, with some of it changed; starts with "?"."""
        usual = {"q": "", "show": "active", "sort": "order", "page": ""}
        mine = {"q": self.text, "show": self.show, "sort": f"{'-' if self.descending else ''}{self.sort}"}
        asked = {name: str(value) for name, value in {**mine, **changed}.items()}
        return "?" + urlencode({name: value for name, value in asked.items() if value != usual[name]})

    def toggled(self, sort: str) -> str:
        """Return the query string that sorts by a column, the other way round where it already does."""
        return self.query(sort=f"-{sort}" if self.sort == sort and not self.descending else sort)

    def direction(self, sort: str) -> str:
        """Return "ascending" or "descending" for the column that orders this view, else nothing (aria-sort)."""
        if self.sort != sort:
            return ""
        return "descending" if self.descending else "ascending"
