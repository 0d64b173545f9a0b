"""The only signal of the product, connected: a letter waits → the worker's doorbell."""

from typing import Any

from letters.signals import something_waits
from worker import doorbell


def connect() -> None:
    """Connect the letters to the queue; called once, when Django is ready."""
    something_waits.connect(_ring, dispatch_uid="doorbell")


def _ring(**_facts: Any) -> None:
    doorbell.ring()
