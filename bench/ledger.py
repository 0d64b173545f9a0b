"""What an installation's rows say of a run: `python -m bench.ledger`, in the environment of its settings."""

import json

import django

django.setup()

from django.db.models import Count, Max, Min  # noqa: E402  Django has to be set up before

from letters.models import Delivery  # noqa: E402


def told() -> dict[str, object]:
    """Return the deliveries by state, and when the first was claimed and the last recorded (seconds since 1970)."""
    times = Delivery.objects.aggregate(began=Min("first_tried_at"), ended=Max("ended_at"))
    return {
        "states": dict(Delivery.objects.values_list("state").annotate(n=Count("pk"))),
        "tries": Delivery.objects.exclude(attempts=1).count(),  # more or less than one
        "began": times["began"].timestamp() if times["began"] else 0.0,
        "ended": times["ended"].timestamp() if times["ended"] else 0.0,
    }


if __name__ == "__main__":
    print(json.dumps(told()))
