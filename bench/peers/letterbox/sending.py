"""Sending one letter: over a connection that its process keeps open, which is the best a job can do."""

from django.core.mail import EmailMessage, get_connection
from django.db.models.functions import Now

from bench.peers.letterbox.models import Letter

_connection = None


def send(pk: int) -> None:
    """Send the letter of this number and note that it was sent."""
    global _connection  # noqa: PLW0603  one for each process, opened after the fork
    if _connection is None:
        _connection = get_connection()
        _connection.open()
    letter = Letter.objects.get(pk=pk)
    EmailMessage(letter.subject, letter.body, letter.sender, [letter.to], connection=_connection).send()
    Letter.objects.filter(pk=pk).update(sent_at=Now())
