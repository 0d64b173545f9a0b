"""What supporters tell us they did without us, as rows: how many letters they posted or mailed themselves."""

from django.db import models

from campaigns.models import Ask, Campaign


class SelfReport(models.Model):
    """How many letters were told to us on one day: nobody knows of whom, or to whom."""

    class Kind(models.TextChoices):
        POSTED = "posted", "Posted"
        OWN_MAIL = "own_mail", "Sent from their own mail app"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+", db_index=False)
    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    day = models.DateField()  # in UTC
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "ask", "kind", "day"], name="self_report_cell"),
            models.CheckConstraint(condition=models.Q(kind__in=["posted", "own_mail"]), name="self_report_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.kind} on {self.day}"
