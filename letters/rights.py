"""What people may ask of us, as rows: what they agreed to, what is kept about them, and that it be erased."""

from django.db import models
from django.db.models import Q


class Consent(models.Model):
    """What a supporter agreed to, in the very words that they read; kept when it is withdrawn, as proof of both."""

    class Purpose(models.TextChoices):
        NEWS = "news", "Tell me what happens"
        ONCE = "once", "Tell me once"
        PARTNER = "partner", "A partner may write to me"

    supporter = models.ForeignKey("letters.Supporter", on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=7, choices=Purpose.choices)
    partner = models.ForeignKey("campaigns.Partner", on_delete=models.SET_NULL, null=True, related_name="consents")
    partner_name = models.CharField(max_length=120, blank=True, db_default="")  # as shown; stays when the partner goes
    words = models.CharField(max_length=300)  # as shown; "" where it was given before they were kept
    language = models.CharField(max_length=12)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)  # by the supporter, or because it was done

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["supporter", "purpose"], name="one_consent_in_force",
                condition=Q(withdrawn_at__isnull=True, purpose__in=["news", "once"]),
            ),
            models.UniqueConstraint(
                fields=["supporter", "partner"], name="one_consent_in_force_for_a_partner",
                condition=Q(withdrawn_at__isnull=True, purpose="partner"),
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=["news", "once", "partner"]), name="consent_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(purpose="partner") | Q(partner__isnull=True, partner_name=""), name="consent_to_a_partner"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.purpose


class Telling(models.Model):
    """What organisers told, once, those of a campaign who had asked for it."""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="tellings")
    words = models.TextField(max_length=2000)
    by = models.CharField(max_length=120)
    at = models.DateTimeField()
    people = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"told {self.people} on {self.at:%d %B %Y}"


class Inquiry(models.Model):
    """Somebody asked what we hold about an address: sealed, answered by a worker within seconds, then deleted.

    The page writes this row whatever the address, and looks nothing up: neither bytes nor time tell who is known.
    """

    key = models.BinaryField(max_length=16, unique=True)
    sealed = models.BinaryField()  # the address, under the installation's own key
    language = models.CharField(max_length=12)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"inquiry {self.pk}"


class Erasure(models.Model):
    """The tombstone of an address: erased then, so that a restored backup erases it again (letters.erasures)."""

    address_hash = models.BinaryField(max_length=32)
    at = models.DateTimeField(db_index=True)  # forgetting: which are older than any backup

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address_hash", "at"], name="erasure_once")]

    def __str__(self) -> str:
        return f"erased at {self.at}"
