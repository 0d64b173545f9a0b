"""The end of a campaign: typed as clocks show it, come at one moment, closed once."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import AuditEntry, User
from campaigns import closing, publishing
from campaigns.closing import End
from campaigns.models import Campaign
from campaigns.publishing import CampaignRefused
from letters import upkeep
from targets import time_zones

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def _read(day: str, clock: str = "", time_zone: str = "Europe/Berlin", before: End = End()) -> End:  # noqa: B008  frozen
    return closing.read(day=day, clock=clock, time_zone=time_zone, before=before, now=NOW)


def _ends(campaign: Campaign, at: datetime, time_zone: str = "UTC") -> Campaign:
    Campaign.objects.filter(pk=campaign.pk).update(closes_at=at, time_zone=time_zone)
    campaign.refresh_from_db()
    return campaign


@pytest.mark.parametrize(
    ("day", "clock", "time_zone", "moment"),
    [
        ("2026-12-16", "18:00", "Europe/Berlin", (2026, 12, 16, 17, 0)),
        ("2027-07-16", "18:00", "Europe/Berlin", (2027, 7, 16, 16, 0)),  # summer time
        ("2026-12-16", "18:00", "Asia/Almaty", (2026, 12, 16, 13, 0)),
        ("2026-12-16", "00:00", "Asia/Kolkata", (2026, 12, 15, 18, 30)),
        ("2026-12-16", "", "America/New_York", (2026, 12, 17, 4, 59)),
        ("2026-12-16", "18:00", "UTC", (2026, 12, 16, 18, 0)),
        ("2027-10-31", "02:30", "Europe/Berlin", (2027, 10, 31, 1, 30)),  # the second of two
    ],
)
def test_an_end_is_typed_as_the_clocks_of_its_zone_show_it(
    day: str, clock: str, time_zone: str, moment: tuple[int, ...]
) -> None:
    end = _read(day, clock, time_zone)
    assert end == End(datetime(*moment, tzinfo=UTC), time_zone)  # type: ignore[arg-type, misc]
    assert f"{end.local:%Y-%m-%d %H:%M}" == f"{day} {clock or '23:59'}"


@pytest.mark.parametrize(
    ("day", "clock", "time_zone", "fields"),
    [
        ("16 December", "18:00", "Europe/Berlin", {"closes_on"}),
        ("2026-02-30", "", "Europe/Berlin", {"closes_on"}),
        ("0001-01-01", "00:00", "Asia/Almaty", {"closes_on"}),
        ("9999-12-31", "23:59", "America/New_York", {"closes_on"}),
        ("2026-12-16", "24:00", "Europe/Berlin", {"closes_at"}),
        ("2026-12-16", "6 pm", "Europe/Berlin", {"closes_at"}),
        ("", "18:00", "Europe/Berlin", {"closes_on"}),
        ("2026-12-16", "18:00", "", {"time_zone"}),
        ("2026-12-16", "18:00", "Europe/Zhanaozen", {"time_zone"}),
        ("", "", "../../etc/passwd", {"time_zone"}),
        ("soon", "late", "here", {"closes_on", "closes_at", "time_zone"}),
        ("2027-03-28", "02:30", "Europe/Berlin", {"closes_at"}),  # left out when summer time begins
        ("2026-11-29", "13:00", "Europe/Berlin", {"closes_on"}),  # this very moment
        ("2011-12-16", "18:00", "Europe/Berlin", {"closes_on"}),
    ],
)
def test_what_is_no_end_is_refused_at_its_fields(day: str, clock: str, time_zone: str, fields: set[str]) -> None:
    with pytest.raises(CampaignRefused) as refused:
        _read(day, clock, time_zone)
    assert set(refused.value.errors) == fields


def test_the_next_minute_is_an_end_and_one_that_has_passed_may_stay() -> None:
    assert _read("2026-11-29", "13:01").at == NOW + timedelta(minutes=1)
    old = End(datetime(2026, 11, 1, 17, tzinfo=UTC), "Europe/Berlin")
    assert _read("2026-11-01", "18:00", before=old) == old
    assert _read("", "", "") == End()


def test_setting_an_end_is_written_down_and_setting_it_again_is_not(alice: User, campaign: Campaign) -> None:
    end = End(NOW + timedelta(days=17), "Europe/Berlin")
    assert closing.plan(campaign=campaign, by=alice, may_close=True, end=end)
    assert not closing.plan(campaign=campaign, by=alice, may_close=True, end=end)
    assert closing.of(Campaign.objects.get()) == end
    assert closing.plan(campaign=campaign, by=alice, may_close=True, end=End())
    assert not closing.plan(campaign=campaign, by=alice, may_close=True, end=End(None, "Asia/Almaty"))
    entries = AuditEntry.objects.filter(deed="set the end of campaign").order_by("pk")
    assert [entry.details for entry in entries] == [
        {"before": "", "after": "2026-12-16 13:00 Europe/Berlin"},
        {"before": "2026-12-16 13:00 Europe/Berlin", "after": ""},
    ]


def test_who_may_not_close_a_campaign_sets_no_end_once_supporters_see_it(alice: User, campaign: Campaign) -> None:
    end = End(NOW + timedelta(minutes=1))
    with pytest.raises(CampaignRefused) as refused:
        closing.plan(campaign=campaign, by=alice, may_close=False, end=end)
    assert set(refused.value.errors) == {"closes_on"}
    assert Campaign.objects.get().closes_at is None
    campaign.stage = Campaign.Stage.DRAFT
    assert closing.plan(campaign=campaign, by=alice, may_close=False, end=end)


def test_a_campaign_is_open_up_to_its_end_and_not_at_it(campaign: Campaign) -> None:
    _ends(campaign, NOW)
    assert campaign.is_open_at(NOW - SECOND)
    assert not campaign.is_open_at(NOW)
    assert list(closing.open_campaigns(now=NOW - SECOND)) == [campaign]
    assert not closing.open_campaigns(now=NOW).exists()


def test_it_closes_when_its_end_comes_once_and_at_the_time_that_was_told(campaign: Campaign) -> None:
    _ends(campaign, NOW)
    assert closing.close_due(now=NOW - SECOND) == 0
    assert Campaign.objects.get().stage == "open"
    late = NOW + timedelta(days=2)
    assert [closing.close_due(now=late) for _ in range(2)] == [1, 0]
    closed = Campaign.objects.get()
    assert (closed.stage, closed.ending, closed.closed_at) == ("closed", "ended", NOW)
    entry = AuditEntry.objects.get(deed="closed at its end")
    assert (entry.by, entry.organisation, entry.subject) == (None, campaign.organisation, campaign.slug)


def test_two_who_notice_at_once_close_it_once(campaign: Campaign) -> None:
    _ends(campaign, NOW)
    other = Campaign.objects.get()
    closing.settle(campaign, now=NOW)
    closing.settle(other, now=NOW)
    assert campaign.stage == other.stage == "closed"
    assert (other.ending, other.closed_at) == ("ended", NOW)
    assert AuditEntry.objects.filter(deed="closed at its end").count() == 1


def test_an_end_that_was_put_off_meanwhile_closes_nothing(campaign: Campaign) -> None:
    stale = _ends(campaign, NOW)
    Campaign.objects.update(closes_at=NOW + timedelta(hours=1))
    closing.settle(stale, now=NOW)
    assert Campaign.objects.get().stage == "open"
    assert stale.is_open_at(NOW), "as it stands in the database"


def test_what_a_person_closed_keeps_its_ending(alice: User, campaign: Campaign) -> None:
    stale = _ends(campaign, NOW)
    publishing.close(campaign=Campaign.objects.get(), by=alice, ending="won", words="They are free.", now=NOW - SECOND)
    assert closing.close_due(now=NOW) == 0
    closing.settle(stale, now=NOW)
    closed = Campaign.objects.get()
    for one in (closed, stale):
        assert (one.ending, one.ending_words, one.closed_at) == ("won", "They are free.", NOW - SECOND)


def test_drafts_and_campaigns_without_an_end_are_left_alone(campaign: Campaign) -> None:
    assert closing.close_due(now=NOW) == 0
    Campaign.objects.update(stage=Campaign.Stage.DRAFT, closes_at=NOW)
    assert closing.close_due(now=NOW) == 0
    assert Campaign.objects.get().stage == "draft"


def test_a_worker_closes_it_though_nobody_visits_a_page(campaign: Campaign) -> None:
    _ends(campaign, NOW)
    upkeep.sweep(now=NOW)
    assert Campaign.objects.get().stage == "closed"


def test_it_opens_again_only_with_another_end(alice: User, campaign: Campaign) -> None:
    _ends(campaign, NOW)
    closing.close_due(now=NOW)
    campaign.refresh_from_db()
    with pytest.raises(CampaignRefused) as refused:
        publishing.publish(campaign=campaign, by=alice, now=NOW)
    assert set(refused.value.errors) == {"end_has_passed"}
    _ends(campaign, NOW + SECOND)
    assert publishing.publish(campaign=campaign, by=alice, now=NOW)
    assert Campaign.objects.get().is_open_at(NOW)


def test_the_zone_told_last_is_offered_first(alice: User, campaign: Campaign) -> None:
    organisation = campaign.organisation
    assert closing.usual_time_zone(organisation) == "UTC"
    _ends(campaign, NOW, "Asia/Almaty")
    assert closing.usual_time_zone(organisation) == "Asia/Almaty"
    assert {"UTC", "Europe/Berlin", "Asia/Almaty"} <= set(time_zones.names())
