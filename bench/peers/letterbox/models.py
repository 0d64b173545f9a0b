"""A letter, its text rendered, and when it was sent: the least that a product with a job per letter would keep."""

from django.db import models


class Letter(models.Model):
    """One letter to one target."""

    sender = models.CharField(max_length=200)
    to = models.CharField(max_length=200)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "letterbox"

    def __str__(self) -> str:
        return f"letter {self.pk}"
