"""Fixtures for all tests. Which database they use is decided by DATABASE_URL."""

from datetime import datetime

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from accounts.models import Role, User
from campaigns.models import Campaign
from letters import instance, state_file
from targets.models import TargetList
from tests import cast


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs the same on every pair of databases, since it uses none, or brings its own."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        uses_database = item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"}
        if not uses_database and not item.get_closest_marker("either_pair"):
            item.add_marker("alike")


@pytest.fixture(autouse=True)
def _no_counts_of_earlier_tests() -> None:
    """Forget how often somebody tried to sign in: the rate limits count in the cache."""
    cache.clear()


@pytest.fixture(autouse=True)
def _no_memory_of_earlier_databases() -> None:
    """Let this process and its host forget the installation of the test before."""
    instance.forget()
    (settings.DATA / state_file.NAME).unlink(missing_ok=True)


@pytest.fixture
def now() -> datetime:
    """Return the morning of 23 November 2011 (UTC)."""
    return cast.NOW


@pytest.fixture
def alice(db: None) -> User:
    """Return Alice, owner of Oil Workers' Aid."""
    return cast.a_member(cast.an_organisation(), "Alice")


@pytest.fixture
def bob(alice: User) -> User:
    """Return Bob, editor in Alice's organisation."""
    return cast.a_member(cast.organisation_of(alice), "Bob", Role.EDITOR)


@pytest.fixture
def charlie(db: None) -> User:
    """Return Charlie, owner of another organisation."""
    return cast.a_member(cast.an_organisation("Another Cause"), "Charlie")


@pytest.fixture
def campaign(alice: User) -> Campaign:
    """Return Alice's open campaign: one ask, three targets."""
    return cast.an_open_campaign(alice)


@pytest.fixture
def target_list(alice: User) -> TargetList:
    """Return a list of three targets of Alice's organisation."""
    return cast.a_list(cast.organisation_of(alice))


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    """Return a browser in which Alice is signed in."""
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    return client
