"""Every fault at its smallest size, several at once: what must hold before a change is taken."""

import pytest

from tests.faults import catalogue, databases
from tests.faults.__main__ import SEED, Outcome, run_all

# One worker process runs them all: side by side as they like it, and nobody else's database between them.
pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.xdist_group("faults")]
SCENARIOS = [scenario for scenario in catalogue.scenarios() if "gate" in scenario.sizes]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """Return how each scenario ended; they are run once."""
    try:
        return {outcome.name: outcome for outcome in run_all(SCENARIOS, size="gate", seed=SEED)}
    finally:
        databases.clear()


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_it_holds(outcomes: dict[str, Outcome], name: str) -> None:
    assert not outcomes[name].violation, outcomes[name].violation
