"""What comes back, as rows: bounces, complaints, answers, what supporters say of them, and how much came each day."""

from django.db import models
from django.db.models import Q


class Report(models.Model):
    """What a provider or a mail server told us of one delivery: at most one bounce and one complaint each.

    What was delivered, or deferred for a while, leaves no row: the delivery's feedback says it.
    """

    class Kind(models.IntegerChoices):
        """Numbered like `Delivery.Feedback`."""

        BOUNCED = 3, "Bounced"
        COMPLAINED = 4, "Complained"

    delivery = models.ForeignKey("letters.Delivery", on_delete=models.CASCADE, related_name="reports", db_index=False)
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    at = models.DateTimeField()  # as it was told, never later than it was heard
    status = models.CharField(max_length=12, blank=True)  # RFC 3463: 5.1.1
    words = models.CharField(max_length=300, blank=True)  # the server's or the provider's, cut
    source = models.CharField(max_length=20)  # the provider; "mail" where a bounce came by mail

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "kind"], name="report_once_per_delivery_and_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.status}"


class Reply(models.Model):
    """What came back from a target. Its text is encrypted, and forgotten after 28 days; that it came stays."""

    delivery = models.ForeignKey("letters.Delivery", on_delete=models.CASCADE, related_name="replies", db_index=False)
    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.BinaryField(max_length=16)  # random; what its text is bound to
    digest = models.CharField(max_length=64)  # of what was said: the same answer delivered twice is one
    received_at = models.DateTimeField()
    is_automatic = models.BooleanField(default=False)  # a machine wrote it
    sealed = models.BinaryField()  # subject, text, who wrote; b"" once forgotten
    forwarded_at = models.DateTimeField(null=True)  # when its mail to the supporter was queued

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "digest"], name="reply_once")]
        indexes = [
            # the campaign's replies, newest first; how many there are
            models.Index(fields=["campaign", "-id"], condition=Q(is_automatic=False), name="replies_of_campaign"),
            # hourly: texts whose time ran out
            models.Index(fields=["received_at"], condition=~Q(sealed=b""), name="reply_expiry"),
        ]

    def __str__(self) -> str:
        return f"reply {self.pk}"


class ToldReply(models.Model):
    """What a supporter says came back for one delivery: their word, kept apart from the replies that we saw."""

    class Kind(models.TextChoices):
        REAL = "real", "A real answer"
        STANDARD = "standard", "A standard text"
        ACKNOWLEDGEMENT = "acknowledged", "Only that it arrived"
        NONE = "none", "No answer"
        UNEXPECTED = "unexpected", "None is expected"

    delivery = models.OneToOneField("letters.Delivery", on_delete=models.CASCADE, related_name="told_reply")
    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["real", "standard", "acknowledged", "none", "unexpected"]),
                name="told_reply_kind_is_known",
            )
        ]

    def __str__(self) -> str:
        return self.kind


class ArrivalTally(models.Model):
    """How often something came in on one day, from one source, and what we made of it (letters.arrivals)."""

    day = models.DateField()
    source = models.CharField(max_length=20)
    what = models.CharField(max_length=20)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "source", "what"], name="arrival_tally_cell")]

    def __str__(self) -> str:
        return f"{self.day} {self.source} {self.what}: {self.count}"
