"""What is sealed opens in its place, with its key, unchanged: otherwise not at all."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import User
from campaigns.models import Campaign
from letters import privacy
from tests import cast

pytestmark = pytest.mark.django_db
VALUES = {"name": "Dana", "body": "Қазақстан — “text”\n"}
ROW = b"r" * 16


def _sealed(campaign: Campaign) -> bytes:
    return privacy.seal(campaign, table="letter", row=ROW, values=VALUES)


def test_what_is_sealed_opens_and_shows_nothing_before(campaign: Campaign) -> None:
    sealed = _sealed(campaign)
    assert b"Dana" not in sealed
    assert privacy.unseal(campaign, table="letter", row=ROW, sealed=sealed) == VALUES
    assert privacy.unseal(campaign, table="letter", row=ROW, sealed=memoryview(sealed)) == VALUES  # type: ignore[arg-type]
    assert _sealed(campaign) != sealed  # a fresh nonce each time


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_bit_makes_it_unreadable(campaign: Campaign, data: st.DataObject) -> None:
    sealed = bytearray(_sealed(campaign))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(privacy.Unreadable):
        privacy.unseal(campaign, table="letter", row=ROW, sealed=bytes(sealed))


@pytest.mark.parametrize("cut", [0, 1, 11, 12, 27])
def test_cut_bytes_are_unreadable(campaign: Campaign, cut: int) -> None:
    with pytest.raises(privacy.Unreadable):
        privacy.unseal(campaign, table="letter", row=ROW, sealed=_sealed(campaign)[:cut])


def test_bytes_that_were_moved_are_unreadable(campaign: Campaign, alice: User) -> None:
    sealed = _sealed(campaign)
    other = cast.a_draft_campaign(alice, slug="another")
    same_key = Campaign.objects.get(pk=other.pk)
    same_key.wrapped_key = campaign.wrapped_key
    for where, table, row in (
        (campaign, "supporter", ROW), (campaign, "letter", b"s" * 16), (other, "letter", ROW),
        (same_key, "letter", ROW),
    ):  # fmt: skip
        with pytest.raises(privacy.Unreadable):
            privacy.unseal(where, table=table, row=row, sealed=sealed)


def test_another_master_key_reads_nothing(campaign: Campaign, settings: Settings) -> None:
    sealed = _sealed(campaign)
    settings.MASTER_KEY = bytes(32)
    privacy._cipher.cache_clear()
    try:
        with pytest.raises(privacy.Unreadable):
            privacy.unseal(campaign, table="letter", row=ROW, sealed=sealed)
    finally:
        privacy._cipher.cache_clear()


def test_every_campaign_has_a_key_of_its_own() -> None:
    assert len({privacy.new_wrapped_key() for _ in range(20)}) == 20
    assert len(privacy.new_wrapped_key()) == 12 + 32 + 16
