"""A long list: 720 members of a parliament in 27 countries, some without an e-mail address, and asks to them."""

from django.utils import timezone

from accounts.models import Organisation, User
from campaigns import publishing
from campaigns.models import Ask, Campaign
from letters import privacy
from targets import lists
from targets.models import Address, ListEntry, Target, TargetList, TargetVersion
from targets.suppressions import address_hash
from tests import cast

SEATS = {
    "DE": 96, "FR": 81, "IT": 76, "ES": 61, "PL": 53, "RO": 33, "NL": 31, "BE": 22, "GR": 21, "CZ": 21, "SE": 21,
    "PT": 21, "HU": 21, "AT": 20, "BG": 17, "DK": 15, "FI": 15, "SK": 15, "IE": 14, "HR": 12, "LT": 11, "SI": 9,
    "LV": 9, "EE": 7, "CY": 6, "LU": 6, "MT": 6,
}  # fmt: skip
BY_POST_ALONE = 25  # every 25th has no e-mail address
_GIVEN = ("Anna", "Björn", "Chloé", "Dmytro", "Eleni", "Fatma", "Grzegorz", "Hana", "Íris", "Jürgen", "Łukasz")
_FAMILY = (
    "Lund", "Åkesson", "Côté", "D'Arcy", "Erdoğan", "Fernández", "Grün", "Højgaard", "Iván-Kiss", "Jóhannsdóttir",
    "Orbán", "Wolfeschlegelsteinhausenbergerdorff", "Şahin",
)  # fmt: skip
_GROUPS = ("Greens", "Left", "Renew", "Socialists", "People's Party")


def members(organisation: Organisation, *, kind: str = "leaders", seats: dict[str, int] | None = None) -> TargetList:
    """Return the list. It is written row by row into the tables: importing 720 people takes minutes of tests."""
    made = lists.create_list(organisation=organisation, name=f"Parliament ({kind})", kind=kind)
    countries = [country for country, n in (seats or SEATS).items() for _ in range(n)]
    people, addresses = [], []
    for n, country in enumerate(countries):
        given, family = _GIVEN[n % len(_GIVEN)], _FAMILY[n % len(_FAMILY)]
        by_email = n % BY_POST_ALONE != BY_POST_ALONE - 1
        kind_of, value = ("email", f"member.{n}@{kind}.example") if by_email else ("postal", f"{n} Square\n1000 Town")
        hashed = address_hash(value) if by_email else b""
        addresses.append(Address(kind=kind_of, value=value, address_hash=hashed))
        people.append(
            Target(
                organisation=organisation, name=f"{given} {family}", given_name=given, family_name=family,
                role="Member of Parliament", institution=_GROUPS[n % len(_GROUPS)], country=country,
                salutation=f"Dear {given} {family}",
            )
        )  # fmt: skip
    for address, person in zip(Address.objects.bulk_create(addresses), people, strict=True):
        setattr(person, "email" if address.kind == "email" else "post", address)
    Target.objects.bulk_create(people)
    for person in people:
        person.version = TargetVersion(target=person, values=person.values())
    TargetVersion.objects.bulk_create([person.version for person in people if person.version])
    Target.objects.bulk_update(people, ["version"], batch_size=200)
    ListEntry.objects.bulk_create(
        ListEntry(target_list=made, target=person, position=place) for place, person in enumerate(people)
    )
    return made


def a_parliament_campaign(by: User, *, seats: dict[str, int] | None = None) -> Campaign:
    """Return an open campaign with one ask to the same parliament in each mode: suggested, by-country, up-to, fixed."""
    organisation = cast.organisation_of(by)
    campaign = publishing.create(
        organisation=organisation, by=by, wrapped_key=privacy.new_wrapped_key(), slug="parliament", language="en",
        text={
            "title": "Ask your parliament to speak up for the oil workers",
            "summary": "Thousands of oil workers are on strike. A letter shows that they are seen.",
        },
    )  # fmt: skip
    target_list = members(organisation, seats=seats)
    for mode in (Ask.Mode.SUGGESTED, Ask.Mode.BY_COUNTRY, Ask.Mode.UP_TO, Ask.Mode.FIXED):
        an_ask(campaign, by, target_list, mode)
    publishing.publish(campaign=campaign, by=by, now=timezone.now())
    return campaign


def an_ask(campaign: Campaign, by: User, target_list: TargetList, mode: str, *, most: int = 5) -> Ask:
    """Return an ask of a campaign, named after its mode."""
    ask = publishing.save_ask(
        campaign=campaign, by=by, target_list=target_list, slug=mode.replace("_", "-"), title=f"A letter, {mode}",
        short="They can put a question to the Council.", mode=mode, most_targets=most,
        shows_town=True, shows_email=True,
    )  # fmt: skip
    template, findings = publishing.save_template(ask=ask, by=by, language="en", passages=cast.WORDING)
    assert template is not None, findings
    return ask
