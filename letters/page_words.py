"""The seven words in which supporters and organisers read what became of a delivery (UX §8.2)."""

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from letters.models import Delivery

State = Delivery.State
STILL_WAITS = frozenset({State.QUEUED, State.HELD})  # and can be stopped: an unclear copy probably arrived


class Word(models.TextChoices):
    """Every delivery has exactly one of these words at any time."""

    WAITING = "waiting", _("Waiting")
    RETRYING = "retrying", _("Retrying")
    HANDING_OVER = "handing_over", _("Being handed over")
    ACCEPTED = "accepted", _("Accepted")
    RETURNED = "returned", _("Returned")
    UNCLEAR = "unclear", _("Unclear")
    STOPPED = "stopped", _("Stopped")


EXPLAINED: dict[str, Promise] = {
    Word.WAITING: _("It has not been tried yet: it waits for its turn, or is held until somebody has looked."),
    Word.RETRYING: _("It was tried and could not be handed over yet. It is tried again."),
    Word.HANDING_OVER: _("It is going out now."),
    Word.ACCEPTED: _("Their mail server accepted it. Whether somebody opened it cannot be seen, and we do not try."),
    Word.RETURNED: _("Their mail server refused it, or sent it back."),
    Word.UNCLEAR: _("The line broke at the last moment. It probably arrived; it is not sent again by itself."),
    Word.STOPPED: _("It was stopped: it is not sent, or not sent again."),
}

_SETTLED = {
    State.HELD: Word.WAITING,
    State.SENDING: Word.HANDING_OVER,
    State.FAILED: Word.RETURNED,
    State.UNCERTAIN: Word.UNCLEAR,
    State.CANCELLED: Word.STOPPED,
}


def word_of(state: str, *, tried: bool, feedback: int) -> Word:
    """Return the one word for a delivery in this state, tried or not, with this feedback."""
    if state == State.QUEUED:
        return Word.RETRYING if tried else Word.WAITING
    if state == State.SENT:
        return Word.RETURNED if feedback == Delivery.Feedback.BOUNCED else Word.ACCEPTED
    return _SETTLED[State(state)]


def phrase_of_targets(names: list[str]) -> str:
    """Return "Prime Minister Holm", "A and B" or "A and 29 others"."""
    if len(names) <= 1:
        return "".join(names)
    if len(names) == 2:
        return gettext("%(one)s and %(other)s") % {"one": names[0], "other": names[1]}
    rest = len(names) - 1
    return ngettext("%(one)s and %(num)s other", "%(one)s and %(num)s others", rest) % {"one": names[0], "num": rest}
