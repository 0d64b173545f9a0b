"""A campaign that closes by itself: what supporters read before, and what becomes of their letters at the moment."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from django.utils import timezone

from campaigns import closing
from campaigns.models import Campaign, Partner
from letters import notices
from letters.models import Delivery, Letter, Notice
from tests.web.supporters.conftest import DANA, SENTENCE, Dana, one_h1, page
from worker import supporter_mail

WINTER, SUMMER = datetime(2099, 12, 16, 17, tzinfo=UTC), datetime(2099, 7, 16, 17, tzinfo=UTC)
BY = "this campaign closes then"


def _ends(at: datetime, time_zone: str = "UTC") -> None:
    Campaign.objects.update(closes_at=at, time_zone=time_zone)


def _ends_in(**given: float) -> None:
    _ends(timezone.now() + timedelta(**given))


@pytest.mark.parametrize(
    ("at", "time_zone", "lang", "said"),
    [
        (WINTER, "Europe/Berlin", "en", "You can write until 16 December 2099 at 18:00 CET."),
        (SUMMER, "Europe/Berlin", "en", "You can write until 16 July 2099 at 19:00 CEST."),
        (WINTER, "Asia/Almaty", "en", "You can write until 16 December 2099 at 22:00 GMT+05:00."),
        (WINTER, "UTC", "en", "You can write until 16 December 2099 at 17:00 UTC."),
        (WINTER, "Europe/Berlin", "de", "16. Dezember 2099 um 18:00 MEZ"),
        (SUMMER, "Europe/Berlin", "de", "16. Juli 2099 um 19:00 MESZ"),
        (WINTER, "Europe/Berlin", "ru", "16 декабря 2099"),
        (WINTER, "Asia/Almaty", "ru", "22:00 GMT+05:00"),
        (WINTER, "Europe/Berlin", "ar", "غرينتش+01:00"),
    ],
)
def test_the_page_says_the_end_as_date_time_and_zone_in_its_language(
    dana: Dana, at: datetime, time_zone: str, lang: str, said: str
) -> None:
    _ends(at, time_zone)
    for address in (f"/{lang}/{dana.campaign.slug}/", f"/{lang}/{dana.campaign.slug}/{dana.ask(1).slug}/"):
        assert said in page(dana.get(address))


def test_without_an_end_nothing_is_said_of_one(dana: Dana) -> None:
    assert "You can write until" not in page(dana.get(dana.home))


def test_a_partners_frame_says_the_end_too_and_shows_it_once_it_has_come(dana: Dana) -> None:
    Partner.objects.create(campaign=dana.campaign, slug="ports", name="Ports", origins=["https://ports.example"])
    frame = f"/embed/{dana.campaign.slug}/?partner=ports&lang=en"
    _ends(WINTER, "Europe/Berlin")
    assert "until 16 December 2099 at 18:00 CET" in page(dana.get(frame))
    _ends_in(seconds=-1)
    assert "This campaign ended on" in page(dana.get(frame))
    assert Campaign.objects.get().ending == "ended"


def test_a_page_closes_the_campaign_at_its_end_and_not_before(dana: Dana) -> None:
    _ends_in(minutes=1)
    assert "You can write until" in page(dana.get(dana.home))
    assert Campaign.objects.get().stage == "open"
    _ends_in(seconds=-1)
    answer = dana.get(dana.home)
    assert answer.status_code == 200
    assert "This campaign ended on" in one_h1(answer)
    assert Campaign.objects.get().stage == "closed"


def test_the_day_it_ended_is_the_one_that_was_told(dana: Dana) -> None:
    _ends(datetime(2020, 12, 15, 23, 30, tzinfo=UTC), "Europe/Berlin")
    assert "This campaign ended on 16 December 2020." in one_h1(dana.get(dana.home))


def test_the_front_door_no_longer_shows_it(dana: Dana) -> None:
    assert dana.get("/").status_code == 302
    _ends_in(seconds=-1)
    assert dana.get("/").status_code == 200


@pytest.mark.parametrize("step", ["begin", "write", "check"])
def test_what_comes_a_second_late_is_given_back_whole(dana: Dana, step: str) -> None:
    addresses = {"begin": f"{dana.home}{dana.ask().slug}/", "write": dana.begin(), "check": dana.write()}
    before = Letter.objects.count()
    _ends_in(seconds=-1)
    answer = dana.post(addresses[step], {"sentence": SENTENCE, **DANA})
    assert answer.status_code == 200
    assert "This campaign ended on" in one_h1(answer)
    assert SENTENCE in page(answer)
    assert Letter.objects.count() == before
    assert not Letter.objects.exclude(stage="draft").exists()


@pytest.mark.parametrize("way", ["code", "link"])
def test_a_letter_is_confirmed_up_to_the_end_and_given_back_after_it(dana: Dana, way: str) -> None:
    def confirm(address: str) -> str:
        answer = dana.press(dana.link()) if way == "link" else dana.post(address, {"code": dana.code()})
        return page(answer)

    first = dana.send(0)
    _ends_in(minutes=1)
    confirm(first)
    assert dana.letter().stage == Letter.Stage.CONFIRMED
    second = dana.send(1)
    _ends_in(seconds=-1)
    html = confirm(second)
    assert dana.letter().stage == Letter.Stage.AWAITING
    assert SENTENCE in html
    assert "This campaign ended on" in html


def test_what_was_confirmed_before_the_end_still_leaves(dana: Dana) -> None:
    dana.confirm()
    waiting = Delivery.objects.filter(state=Delivery.State.QUEUED).count()
    assert waiting
    _ends_in(seconds=-1)
    assert closing.close_due(now=timezone.now()) == 1
    assert Delivery.objects.filter(state=Delivery.State.QUEUED).count() == waiting
    assert "still leave, unless the organisers stop them" in page(dana.get(dana.home))


def test_every_step_says_an_end_that_comes_before_the_letters_own(dana: Dana) -> None:
    _ends_in(days=30)
    write = dana.begin()
    check = dana.post(write, DANA)["Location"]
    confirm = dana.post(check)["Location"]
    for address in (write, check, confirm):
        assert "You can write until" not in page(dana.get(address))
        assert BY not in page(dana.get(address))
    assert BY not in _mail(dana)
    _ends_in(hours=2)
    assert "You can write until" in page(dana.get(dana.begin(1)))
    check = dana.write(1, email="two@mail.example")
    assert BY in page(dana.get(check))
    confirm = dana.post(check)["Location"]
    assert BY in page(dana.get(confirm))
    assert BY in _mail(dana)


def test_nobody_is_promised_a_reminder_after_the_end(dana: Dana) -> None:
    confirm = dana.send()
    letter, now = dana.letter(), timezone.now()
    assert "we remind you on" in page(dana.get(confirm))
    letter.campaign.closes_at = now + timedelta(hours=20)
    assert notices.next_reminder_at(letter, now=now) is None
    letter.campaign.closes_at = now + timedelta(hours=30)
    assert notices.next_reminder_at(letter, now=now) is not None


def _mail(dana: Dana) -> str:
    notice = Notice.objects.filter(kind="confirmation").latest("id")
    data = supporter_mail.compose(notice, DANA["email"]).data
    return str(message_from_bytes(data, policy=policy.default).get_content())
