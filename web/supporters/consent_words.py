"""The very words that supporters agree to: what stands at the box is what is kept as proof."""

from django.utils.translation import gettext as _

from campaigns.models import Campaign


def news(campaign: Campaign) -> str:
    """Return the words for hearing what happens."""
    return _("Tell me what happens (%(organisation)s, about 2 e-mails a month).") % {
        "organisation": campaign.organisation.name
    }


def once(campaign: Campaign) -> str:
    """Return the words for being told once."""
    return _("Tell me once how this goes on (%(organisation)s, one e-mail, then you forget my address).") % {
        "organisation": campaign.organisation.name
    }
