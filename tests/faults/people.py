"""Who decides things, in a process of its own: `python -m tests.faults.people`, in the environment of an installation.

It takes orders from its standard input, one JSON object a line, and answers each with when it was committed and which
deliveries it was about.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def obey() -> None:
    """Take orders until the input ends: {"deed": …, "number": …}."""
    import django  # noqa: PLC0415

    django.setup()
    from unittest import mock  # noqa: PLC0415

    with mock.patch("worker.doorbell.ring"):
        _answer({"ready": True})
        for line in sys.stdin:
            order = json.loads(line)
            ids = DEEDS[order["deed"]](order["number"])
            _answer({"at": time.time(), "ids": ids})


def _answer(values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _now() -> Any:
    from django.utils import timezone  # noqa: PLC0415

    return timezone.now()


def _all() -> Any:
    from letters.models import Delivery  # noqa: PLC0415

    return Delivery.objects.all()


def _ids(rows: Any) -> Sequence[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _one_that_waits(number: int) -> Any:
    """Return one that has not ended; letters leave meanwhile, and a stop holds them."""
    ids = list(_all().filter(state__in=["queued", "sending", "held"]).order_by("pk").values_list("pk", flat=True))
    return _all().select_related("letter", "target", "address").get(pk=ids[number % len(ids)])


def _alice() -> Any:
    from accounts.models import User  # noqa: PLC0415

    return User.objects.get()


def _campaign() -> Any:
    from campaigns.models import Campaign  # noqa: PLC0415

    return Campaign.objects.get()


def _pause(_number: int) -> Sequence[int]:
    from campaigns import publishing  # noqa: PLC0415

    assert publishing.pause(campaign=_campaign(), by=_alice(), now=_now())
    return _ids(_all())


def _resume(_number: int) -> Sequence[int]:
    from letters import steering  # noqa: PLC0415

    assert steering.resume(campaign=_campaign(), by=_alice(), now=_now())
    return []


def _stop_all(_number: int) -> Sequence[int]:
    from letters import stops  # noqa: PLC0415

    assert stops.hold_all(by="the operator", now=_now())
    return _ids(_all())


def _let_all_go(_number: int) -> Sequence[int]:
    from letters import stops  # noqa: PLC0415

    assert stops.let_all_go(by="the operator", now=_now())
    return []


def _stop_target(number: int) -> Sequence[int]:
    from letters import steering  # noqa: PLC0415

    target = _one_that_waits(number).target
    steering.stop_target(campaign=_campaign(), target=target, by=_alice(), now=_now())
    return _ids(_all().filter(target=target))


def _suppress(number: int) -> Sequence[int]:
    from targets import suppressions  # noqa: PLC0415

    address = _one_that_waits(number).address
    suppressions.add(bytes(address.address_hash), reason="asked")
    return _ids(_all().filter(address=address))


def _withdraw(number: int) -> Sequence[int]:
    from letters import writing  # noqa: PLC0415

    letter = _one_that_waits(number).letter
    writing.withdraw(letter, now=_now())
    return _ids(_all().filter(letter=letter))


def _stop_waiting(_number: int) -> Sequence[int]:
    from letters import steering  # noqa: PLC0415

    steering.stop_waiting(campaign=_campaign(), by=_alice(), now=_now())
    return _ids(_all())


DEEDS: Mapping[str, Callable[[int], Sequence[int]]] = {
    "pause": _pause,
    "resume": _resume,
    "stop all": _stop_all,
    "let all go": _let_all_go,
    "stop target": _stop_target,
    "suppress": _suppress,
    "withdraw": _withdraw,
    "stop waiting": _stop_waiting,
}

if __name__ == "__main__":
    obey()
