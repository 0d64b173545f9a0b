"""What an organisation says of itself: its name, and how supporters who need help reach it."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import transaction

from accounts import audit
from accounts.models import Organisation, User


class OrganisationRefused(ValueError):
    """Something about an organisation that cannot be kept: a sentence for each field."""

    code = "organisation_refused"

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        self.sentence = " ".join(self.errors.values())
        super().__init__(self.sentence)


@transaction.atomic
def change(*, organisation: Organisation, by: User, name: str, help_at: str) -> None:
    """Change what supporters read of an organisation; raises OrganisationRefused.

    `help_at` is an e-mail address, the address of a web page, or empty. Letters that are confirmed keep the name that
    they were written under.
    """
    name, help_at = " ".join(name.split()), help_at.strip()
    errors: dict[str, str] = {}
    if not name:
        errors["name"] = "Give the name that supporters read at the top of your pages."
    elif len(name) > 120:
        errors["name"] = "The name has more than 120 characters. Shorten it."
    if help_at and not _reaches_somebody(help_at):
        errors["help_at"] = "Write an e-mail address, or a whole web address such as https://campaign.example/help."
    if errors:
        raise OrganisationRefused(errors)
    organisation.name, organisation.help_at = name, help_at
    organisation.save(update_fields=["name", "help_at"])
    audit.record(organisation=organisation, by=by, deed="changed organisation", subject=name)


def _reaches_somebody(help_at: str) -> bool:
    try:
        if help_at.startswith(("https://", "http://")):
            URLValidator(schemes=["https", "http"])(help_at)
        else:
            validate_email(help_at)
    except ValidationError:
        return False
    return len(help_at) <= 200
