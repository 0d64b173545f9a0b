"""What keeps the rig honest: without fence, token or deadline scenarios must fail, each for its own reason."""

import re
from collections.abc import Callable, Mapping

from tests.faults import pauses
from tests.faults.rig import Figures

MOST_TRIES = 3  # seeds: a pause does not always meet the one moment that matters


def _must_fail(run: Callable[[int], object], seed: int, *, for_reason: str) -> Figures:
    """Run a scenario that must fail with a sentence like this; with another seed where the fault was not met."""
    told = []
    for tried in range(seed, seed + MOST_TRIES):
        try:
            run(tried)
        except AssertionError as failure:
            if found := re.search(for_reason, str(failure)):
                return {"seed": tried, "seen": found[0]}
            told.append(str(failure))
        else:
            told.append("it held")
    raise AssertionError(f"The rig does not see it: {told}")


def without_fence(seed: int, size: str) -> Figures:
    """F4 without stamp, lease condition and deadline: there are copies that A does not explain."""
    reason = r"I3: more copies than are accounted for: \d+|I4: \d+ extra copies, but only \d+ unclear endings"
    return _must_fail(
        lambda tried: pauses.past_the_lease("postgresql", tried, "gate", mutation=("no fence",)), seed,
        for_reason=reason,
    )  # fmt: skip


def without_token(seed: int, size: str) -> Figures:
    """F4 without the token in the result's guard: results of one claim are written over another's."""
    return _must_fail(
        lambda tried: pauses.past_the_lease("postgresql", tried, "gate", mutation=("no token",)), seed,
        for_reason=r"I8: (an attempt has two ends|results bear tokens)[^(]*",
    )  # fmt: skip


def without_deadline(seed: int, size: str) -> Figures:
    """F34 without the local deadline: a dot is written after the lease."""
    return _must_fail(
        lambda tried: pauses.before_the_dot("postgresql", tried, "gate", mutation=("no deadline",)), seed,
        for_reason=r"a dot was written after the lease|I[34]: [^\n]*",
    )  # fmt: skip


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "mutation: no fence": without_fence,
    "mutation: no token": without_token,
    "mutation: no deadline": without_deadline,
}
SIZES = dict.fromkeys(SCENARIOS, ("nightly",))
