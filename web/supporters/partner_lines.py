"""A partner's own consent line: a box for whoever writes in that partner's frame, apart from the organisers' own."""

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from campaigns import partners
from campaigns.models import Partner
from letters import agreed
from letters.models import Letter

BOX = "partner_mail"  # the field's name; its value is the line's mark
MARK = re.compile("[0-9a-f]{12}")


@dataclass(frozen=True)
class Line:
    """What a partner asks to be agreed to, as a page shows it."""

    partner: Partner

    @property
    def words(self) -> str:
        """Return the very words."""
        return self.partner.consent_line

    @property
    def language(self) -> str:
        """Return the language that they are written in."""
        return self.partner.campaign.default_language

    @property
    def mark(self) -> str:
        """Return what a ticked box sends: it fits these words of this partner, and none that replace them."""
        shown = f"{self.partner.pk}\0{self.partner.name}\0{self.words}"
        return hashlib.sha256(shown.encode()).hexdigest()[:12]


def of(letters: Iterable[Letter]) -> list[Line]:
    """Return the lines of the partners in whose frames these letters began, each once."""
    found = (partners.of_source(letter.campaign, letter.source) for letter in letters)
    return [Line(partner) for partner in dict.fromkeys(found) if partner is not None and partner.consent_line]


def agree(letters: Iterable[Letter], marks: Collection[str], *, now: datetime) -> None:
    """Keep what the supporter of these letters, whose address is proved, ticked; a line changed meanwhile is not."""
    for letter in letters:
        for line in of([letter]):
            if letter.supporter is not None and line.mark in marks:
                agreed.agree(letter.supporter, line.partner, words=line.words, now=now)
