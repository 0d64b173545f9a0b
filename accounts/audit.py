"""Writing down what members did."""

from typing import Any

from accounts.models import AuditEntry, Organisation, User


def record(*, organisation: Organisation, by: User | None, deed: str, subject: str, **details: Any) -> None:
    """Add one line to the organisation's audit log; `details` must be plain values without personal data."""
    AuditEntry.objects.create(
        organisation=organisation, by=by, deed=deed, subject=subject[:200], details=details
    )
