"""What offices see that sort alike letters together: the letters to each that read like an earlier one."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign
from letters import likeness
from letters.likeness import Likeness
from web.organisers.campaign_frame import number


@dataclass(frozen=True)
class Sorted:
    """The answer as a sentence, what it rests on, and a table of all offices (heading first)."""

    title: str
    basis: str
    table: list[list[str]]


def sorted_together(campaign: Campaign) -> Sorted:
    """Return how alike the letters to each office read: of a campaign's newest letters whose text is still kept."""
    found = [each for ask in campaign.asks.select_related("target_list") for each in likeness.by_name(ask)]
    found.sort(key=lambda one: -one[1].share)
    all_of_them = likeness.together(each for _name, each in found)
    head = [_("Office"), _("Letters compared"), _("Like an earlier one")]
    table = [head, *([name, str(one.letters), str(one.alike)] for name, one in found)]
    return Sorted(_title(all_of_them), _basis(all_of_them), table if found else [head])


def _title(found: Likeness) -> str:
    if not found.letters:
        return _("Offices sort alike letters together: nothing to compare yet")
    return ngettext(
        "Offices sort alike letters together: %(n)s of %(all)s letter reads like an earlier one",
        "Offices sort alike letters together: %(n)s of %(all)s letters read like an earlier one",
        found.letters,
    ) % {"n": number(found.alike), "all": number(found.letters)}


def _basis(found: Likeness) -> str:
    if not found.letters:
        return _("Texts are compared from the first letter on, and forgotten 28 days after delivery.")
    return _(
        "Letters to the same office of which more than nine tenths are the same, salutation and closing left out. "
        "Reckoned from the %(most)s newest letters of each ask at most: texts are forgotten 28 days after delivery."
    ) % {"most": number(likeness.LETTERS_COMPARED)}
