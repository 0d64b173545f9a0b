"""The people of the tests: Alice organises, Bob is her colleague, Charlie belongs elsewhere, Dana writes."""

from datetime import UTC, datetime

from django.utils.text import slugify

from accounts.models import Member, Organisation, Role, User
from campaigns import publishing
from campaigns.models import Ask, Campaign
from letters import privacy
from targets import lists
from targets.models import TargetList

NOW = datetime(2011, 11, 23, 10, 0, tzinfo=UTC)
PASSWORD = "a strike since May"

DANA = {
    "name": "Dana Writer",
    "email": "dana@mail.example",
    "town": "Leipzig",
    "sentence": "My grandfather worked on the oil fields, and I know what a strike in winter means.",
}
TARGETS: tuple[dict[str, str], ...] = (
    {
        "name": "Anna Lund", "title": "Dr", "given_name": "Anna", "family_name": "Lund", "role": "Prime Minister",
        "institution": "Government of Northland", "country": "DE", "language": "en",
        "salutation": "Dear Prime Minister", "email": "office@northland.example",
        "postal_address": "Castle Square 1\n10115 Berlin",
    },
    {
        "name": "Bruno Keller", "given_name": "Bruno", "family_name": "Keller", "role": "Foreign Minister",
        "institution": "Government of Northland", "country": "DE", "language": "en",
        "email": "minister@foreign.example",
    },
    {
        "name": "Office of the President", "institution": "Republic of Southland", "country": "FR",
        "email": "president@southland.example",
    },
)  # fmt: skip
WORDING = {
    "subject": "The oil workers of Zhanaozen",
    "salutation": "{% if target.salutation %}{{ target.salutation }}{% else %}Dear Sir or Madam{% endif %},",
    "body": "the oil workers have been on strike since May.\n\n"
    "{% variant %}Please speak up for them before 16 December.{% or %}"
    "Please say before 16 December that they are not forgotten.{% endvariant %}",
    "closing": "Yours sincerely",
}


def an_organisation(name: str = "Oil Workers' Aid") -> Organisation:
    """Return a new organisation."""
    return Organisation.objects.create(name=name)


def a_member(organisation: Organisation, first_name: str, role: str = Role.OWNER) -> User:
    """Return a new person with PASSWORD and a role in the organisation."""
    email = f"{first_name.lower()}@{slugify(organisation.name)}.example"
    user = User.objects.create_user(email, PASSWORD, first_name=first_name)
    Member.objects.create(organisation=organisation, user=user, role=role)
    return user


def organisation_of(user: User) -> Organisation:
    """Return the organisation a person of the cast belongs to."""
    return user.memberships.get().organisation


def a_list(
    organisation: Organisation, name: str = "EU leaders", *, targets: int = 3, kind: str = "leaders"
) -> TargetList:
    """Return a list with the first so many of TARGETS, without a pace."""
    made = lists.create_list(organisation=organisation, name=name, kind=kind)
    for values in TARGETS[:targets]:
        lists.save_target(target_list=made, values=values, uncapped=True)
    return made


def a_draft_campaign(by: User, *, slug: str = "oil-workers", now: datetime = NOW) -> Campaign:
    """Return a campaign that needs nothing more but publishing: one ask, three targets, one wording."""
    organisation = organisation_of(by)
    campaign = publishing.create(
        organisation=organisation,
        by=by,
        wrapped_key=privacy.new_wrapped_key(),
        slug=slug,
        language="en",
        deadline="before 16 December",
        text={
            "title": "Ask EU leaders to speak up for the oil workers",
            "summary": "Thousands of oil workers are on strike. A letter shows that they are seen.",
            "question": "Why does this matter to you?",
        },
    )
    ask = publishing.save_ask(
        campaign=campaign,
        by=by,
        target_list=a_list(organisation, f"EU leaders of {slug}"),
        title="A letter to EU leaders",
        slug="eu-leaders",
        short="They congratulate the president on 16 December.",
        shows_town=True,
        shows_email=True,
    )
    template, findings = publishing.save_template(ask=ask, by=by, language="en", passages=WORDING)
    assert template is not None, findings
    return campaign


def an_open_campaign(by: User, *, slug: str = "oil-workers", now: datetime = NOW) -> Campaign:
    """Return a published campaign with one ask."""
    campaign = a_draft_campaign(by, slug=slug, now=now)
    assert publishing.publish(campaign=campaign, by=by, now=now)
    return campaign


def the_ask(campaign: Campaign) -> Ask:
    """Return the campaign's first ask."""
    return campaign.asks.select_related("campaign", "target_list").first() or _none()


def _none() -> Ask:
    raise AssertionError("this campaign has no ask")
