"""Who agreed that a partner may write to them: once in force, given out as a list, ended with the partner."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEntry, User
from campaigns.models import Ask, Partner
from letters import agreed, consents, erasures, forgetting, holdings, writing
from letters.models import Letter, Supporter
from letters.rights import Consent
from targets import suppressions
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
LINE = "The Port Workers' Union may write to me about strikes (about one e-mail a month)."
DANA = suppressions.address_hash(cast.DANA["email"])


@pytest.fixture
def now() -> datetime:
    """Return the real present: supporters are dated by it."""
    return timezone.now()


@pytest.fixture
def ports(ask: Ask) -> Partner:
    """Return the Port Workers' Union, which asks for something of its own."""
    return Partner.objects.create(campaign=ask.campaign, slug="ports", name="Port Workers", consent_line=LINE)


@pytest.fixture
def letter(ask: Ask, now: datetime) -> Letter:
    """Return Dana's confirmed letter."""
    return deeds.a_confirmed_letter(ask, now=now)


@pytest.fixture
def dana(letter: Letter) -> Supporter:
    """Return Dana, whose address is proved."""
    assert letter.supporter is not None
    return letter.supporter


def test_the_words_the_partner_and_its_name_are_kept_as_proof(dana: Supporter, ports: Partner, now: datetime) -> None:
    assert agreed.agree(dana, ports, words=LINE, now=now)
    assert not agreed.agree(dana, ports, words=LINE, now=now), "in force"
    kept = Consent.objects.get()
    assert (kept.purpose, kept.words, kept.language, kept.partner, kept.partner_name, kept.given_at) == (
        "partner", LINE, "en", ports, "Port Workers", now,
    )  # fmt: skip
    assert dana.wants_news_at is None, "the organisers may tell nothing by it"


def test_words_that_are_no_longer_the_partners_are_agreed_to_by_nobody(
    dana: Supporter, ports: Partner, now: datetime
) -> None:
    assert not agreed.agree(dana, ports, words="Other words.", now=now)
    Partner.objects.update(consent_line="")
    assert not agreed.agree(dana, ports, words="", now=now)
    Partner.objects.filter(pk=ports.pk).delete()
    assert not agreed.agree(dana, ports, words=LINE, now=now)
    assert not Consent.objects.exists()


def test_one_is_in_force_for_each_partner_beside_the_organisers_own(
    dana: Supporter, ports: Partner, now: datetime
) -> None:
    mines = Partner.objects.create(campaign=ports.campaign, slug="mines", name="Miners", consent_line="Miners may.")
    consents.give(dana, "news", words="Tell me what happens.", language="en", now=now)
    assert agreed.agree(dana, ports, words=LINE, now=now)
    assert agreed.agree(dana, mines, words="Miners may.", now=now)
    assert [one.partner_name for one in agreed.in_force(Supporter.objects.all())] == ["Miners", "Port Workers"]
    again = {"supporter": dana, "purpose": "partner", "partner": ports, "given_at": now}
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(**again)
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(**{**again, "purpose": "once"})


def test_a_consent_is_withdrawn_by_its_owner_alone_and_kept(dana: Supporter, ports: Partner, now: datetime) -> None:
    agreed.agree(dana, ports, words=LINE, now=now)
    number, mine = str(Consent.objects.get().pk), Supporter.objects.filter(pk=dana.pk)
    for rows, wrong in ((Supporter.objects.none(), number), (mine, "x"), (mine, ""), (mine, "²"), (mine, "9" * 18)):
        assert not agreed.withdraw(rows, wrong, now=now)
    assert agreed.withdraw(mine, number, now=now)
    assert not agreed.withdraw(mine, number, now=now), "twice is harmless"
    assert Consent.objects.get().withdrawn_at == now
    assert agreed.agree(dana, ports, words=LINE, now=now), "and may be given again"


def test_stopping_mail_withdraws_it_too(dana: Supporter, ports: Partner, now: datetime) -> None:
    agreed.agree(dana, ports, words=LINE, now=now)
    consents.stop_mail(dana, now=now)
    assert not agreed.in_force(Supporter.objects.all()).exists()


def test_the_list_names_those_who_agree_and_who_took_it(
    dana: Supporter, ports: Partner, alice: User, now: datetime
) -> None:
    assert agreed.hand_out(ports, by=alice, now=now) == [agreed.HEADING]
    agreed.agree(dana, ports, words=LINE, now=now)
    Partner.objects.update(name="Port and Dock Workers")  # the list says which name was read
    assert agreed.hand_out(ports, by=alice, now=now)[1:] == [
        ("Dana Writer", "dana@mail.example", "Port Workers", LINE, "en", now.isoformat())
    ]
    taken = AuditEntry.objects.filter(deed="took a partner's list").order_by("pk")
    assert [(one.by, one.subject, one.details) for one in taken] == [
        (alice, "oil-workers/ports", {"people": 0}), (alice, "oil-workers/ports", {"people": 1}),
    ]  # fmt: skip


def test_whoever_withdrew_or_is_erased_or_must_not_be_written_to_is_not_on_the_list(
    ask: Ask, ports: Partner, now: datetime
) -> None:
    people: dict[str, Letter] = {}
    who: dict[str, int] = {}
    for name in ("ada", "bell", "cleo", "dora", "edna", "faye"):
        written = deeds.a_confirmed_letter(ask, now=now, email=f"{name}@mail.example")
        assert written.supporter is not None
        assert agreed.agree(written.supporter, ports, words=LINE, now=now)
        people[name], who[name] = written, written.supporter.pk
    consents.withdraw(Supporter.objects.filter(pk=who["bell"]), "partner", now=now)
    erasures.erase(suppressions.address_hash("cleo@mail.example"), now=now + timedelta(minutes=1))
    deeds.suppress("dora@mail.example")
    writing.withdraw(people["edna"], now=now)
    over = suppressions.address_hash("faye@mail.example")
    suppressions.add(over, reason="bounced", until=now - timedelta(days=1))
    mine = [one.supporter_id for one in agreed.people(ports, now=now)]
    assert mine == [who["ada"], who["faye"]]
    other = Partner.objects.create(campaign=ask.campaign, slug="mines", name="Miners", consent_line=LINE)
    assert not agreed.people(other, now=now).exists()


def test_erasing_deletes_it_and_the_file_of_ones_data_shows_it(
    dana: Supporter, ports: Partner, now: datetime
) -> None:
    agreed.agree(dana, ports, words=LINE, now=now)
    exported = holdings.export(holdings.of(DANA), now=now)["campaigns"][0]["consents"]
    assert exported == [
        {
            "purpose": "partner", "partner": "Port Workers", "words": LINE, "language": "en",
            "given_at": now.isoformat(), "withdrawn_at": None,
        }
    ]  # fmt: skip
    erasures.erase(DANA, now=now + timedelta(minutes=1))
    assert not Consent.objects.exists()


def test_with_the_partner_goes_what_people_agreed_to_and_their_addresses_on_time(
    letter: Letter, dana: Supporter, ports: Partner, alice: User, now: datetime
) -> None:
    agreed.agree(dana, ports, words=LINE, now=now)
    Letter.objects.update(sealed=b"")
    assert forgetting.supporters_without_letters(now=now) == 0, "whoever agreed is known until they withdraw"
    agreed.remove_partner(partner=ports, by=alice, now=now)
    assert not Partner.objects.exists()
    kept = Consent.objects.get()
    assert (kept.partner, kept.partner_name, kept.words, kept.withdrawn_at) == (None, "Port Workers", LINE, now)
    deeds_done = list(AuditEntry.objects.values_list("deed", flat=True))
    assert "removed partner" in deeds_done
    assert forgetting.supporters_without_letters(now=now + timedelta(days=30)) == 1
