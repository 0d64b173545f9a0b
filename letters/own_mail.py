"""Letters from the supporter's own mail app: one mail for each target, opened by a link, sent without us."""

from dataclasses import dataclass, replace
from urllib.parse import quote

from django.utils.translation import gettext as _

MOST_OCTETS = 1800  # of a link: browsers on Windows hand over some 2,000 characters and cut, or do nothing
SUBJECT_CUT = 80  # signs, where a subject alone would be too long


@dataclass(frozen=True)
class OwnMail:
    """One mail as its links carry it. `is_pasted`: the links hold a note in place of the text, which is too long."""

    mailto: str
    gmail: str
    outlook: str
    is_pasted: bool = False

    @property
    def octets(self) -> int:
        """Return the length of the longest link; links are plain ASCII."""
        return max(len(self.mailto), len(self.gmail), len(self.outlook))


def compose(*, address: str, subject: str, text: str) -> OwnMail:
    """Return the links that open a mail app or a webmail page with this mail, to this one address."""
    mail = _links(address, subject, text)
    if mail.octets <= MOST_OCTETS:
        return mail
    pasted = _("(paste your letter here)")
    short = _links(address, subject, pasted)
    if short.octets > MOST_OCTETS:  # in some scripts each sign takes nine octets
        short = _links(address, subject[:SUBJECT_CUT], pasted)
    return replace(short, is_pasted=True)


def _links(address: str, subject: str, text: str) -> OwnMail:
    """Return the links with everything percent-encoded: RFC 6068 §2 and §5, where a line ends with %0D%0A."""
    to = quote(address, safe="@")
    about, body = quote(subject, safe=""), quote(text.replace("\r\n", "\n").replace("\n", "\r\n"), safe="")
    return OwnMail(
        mailto=f"mailto:{to}?subject={about}&body={body}",
        gmail=f"https://mail.google.com/mail/?view=cm&fs=1&to={quote(address, safe='')}&su={about}&body={body}",
        outlook="https://outlook.live.com/mail/0/deeplink/compose"
        f"?to={quote(address, safe='')}&subject={about}&body={body}",
    )
