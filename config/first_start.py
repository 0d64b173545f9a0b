"""What the first start makes: the demonstration campaign and somebody who can sign in."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import Member, Organisation, Role, User
from campaigns.demonstration import loading
from letters import privacy

EMAIL = "organiser@postbag.example"
ORGANISATION, HELP_AT = "Oil Workers' Aid", "help@postbag.example"


@dataclass(frozen=True)
class FirstSignIn:
    """How the first organiser signs in; the password is shown once and kept nowhere in clear."""

    email: str
    password: str


@transaction.atomic
def prepare(progress: Callable[[str], None]) -> FirstSignIn | None:
    """Make the first organiser and the demonstration campaign; None where somebody is there already."""
    if User.objects.exists():
        return None
    progress("making the first organiser")
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    organiser = User.objects.create_superuser(EMAIL, password)
    organisation = Organisation.objects.create(name=ORGANISATION, help_at=HELP_AT)
    Member.objects.create(organisation=organisation, user=organiser, role=Role.OWNER)
    progress("loading the demonstration campaign")
    loading.load(
        organisation=organisation, by=organiser, wrapped_key=privacy.new_wrapped_key(), now=timezone.now(),
        progress=progress,
    )  # fmt: skip
    return FirstSignIn(EMAIL, password)
