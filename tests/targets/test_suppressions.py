"""Addresses that must not be written to, known by a keyed hash alone."""

from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from targets import suppressions
from targets.models import Suppression

pytestmark = pytest.mark.django_db


def test_an_address_is_covered_however_it_is_written(now: datetime) -> None:
    suppressions.add(suppressions.address_hash("Dana.W+oil@GMAIL.com"), reason="not_me")
    for spelling in ("danaw@gmail.com", "DANAW@googlemail.com", "d.a.n.a.w+x@gmail.com"):
        assert suppressions.covers(suppressions.address_hash(spelling), now=now)
    for other in ("dana.w@mail.example", "danaw2@gmail.com"):
        assert not suppressions.covers(suppressions.address_hash(other), now=now)


def test_a_suppression_ends_at_its_time(now: datetime) -> None:
    hashed = suppressions.address_hash("dana@mail.example")
    suppressions.add(hashed, reason="bounced", until=now + timedelta(days=1))
    assert suppressions.covers(hashed, now=now)
    assert not suppressions.covers(hashed, now=now + timedelta(days=1))
    suppressions.add(hashed, reason="not_me")
    assert suppressions.covers(hashed, now=now + timedelta(days=9999))


def test_only_a_hash_is_kept_and_it_depends_on_the_pepper(settings: Settings) -> None:
    hashed = suppressions.address_hash("dana@mail.example")
    suppressions.add(hashed, reason="not_me")
    assert len(hashed) == 32
    assert "dana" not in repr(list(Suppression.objects.values()))
    settings.PEPPER = b"another"
    assert suppressions.address_hash("dana@mail.example") != hashed
