"""What stands in the way of sending, as rows: an operator's stop, domains in trouble, refusals, members told."""

from django.db import models
from django.db.models import Q

from accounts.models import User
from campaigns.models import Campaign


class SendingStop(models.Model):
    """An operator's stop of the whole installation: while one is open, no letter to a target leaves."""

    since = models.DateTimeField()
    by = models.CharField(max_length=120)  # who decided, as the page or the command line knows them
    because = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=120, blank=True)

    def __str__(self) -> str:
        return f"stop since {self.since:%Y-%m-%d %H:%M}"

    @property
    def sentence(self) -> str:
        """Say since when, by whom and why nothing leaves, and how it ends."""
        why = f": {self.because}" if self.because else ""
        return (
            f"All sending was stopped on {self.since:%d %B %Y at %H:%M} UTC by {self.by}{why}. Letters keep being "
            "confirmed and wait. “manage.py sending --resume” lets them leave again."
        )


class TroubledDomain(models.Model):
    """A receiving domain whose servers have answered no, or not now, since they last accepted anything.

    It rests while `rests_until` is set. When that has passed, one delivery is let through: the probe.
    """

    domain = models.CharField(max_length=255, unique=True)
    strikes = models.PositiveIntegerField(default=0)  # answers in a row that were no yes
    policy = models.PositiveIntegerField(default=0)  # … of which these are about us, not about a mailbox
    since = models.DateTimeField()  # the first of these
    last_at = models.DateTimeField()
    code = models.PositiveSmallIntegerField(default=0)  # the last answer: its code …
    words = models.CharField(max_length=200, blank=True)  # … and the server's words
    rests_until = models.DateTimeField(null=True)
    rests = models.PositiveSmallIntegerField(default=0)  # how often in a row it rested: each rest is longer
    probe = models.BigIntegerField(null=True)  # the one delivery that may leave while it rests

    def __str__(self) -> str:
        return f"{self.domain}: {self.strikes} × no"


class Strain(models.Model):
    """How a campaign's attempts ended in five minutes, counted from the first refusal on; kept for an hour."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+", db_index=False)
    began_at = models.DateTimeField()
    shard = models.PositiveSmallIntegerField()  # so that processes do not wait for each other's rows
    accepted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    code = models.PositiveSmallIntegerField(default=0)  # the last refusal
    words = models.CharField(max_length=200, blank=True)
    domain = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "began_at", "shard"], name="strain_cell")]

    def __str__(self) -> str:
        return f"{self.refused} refused, {self.accepted} accepted"


class Alarm(models.Model):
    """A mail to a member: a campaign was paused by itself. At least once, like a notice to a supporter."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    cause = models.CharField(max_length=20)
    evidence = models.JSONField(default=dict)
    paused_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # sent, or given up

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "user", "paused_at"], name="one_alarm_per_pause_and_member")
        ]
        indexes = [
            # claim: what is due
            models.Index(fields=["due_at"], condition=Q(ended_at__isnull=True), name="alarm_due")
        ]

    def __str__(self) -> str:
        return f"alarm to {self.user} about {self.campaign}"
