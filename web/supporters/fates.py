"""What became of a letter at each target, in the words that supporters read."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letters import forecasting, replies, told_replies
from letters.feedback import ToldReply
from letters.forecasting import Forecast
from letters.models import Delivery, Letter
from letters.page_words import STILL_WAITS, Word, word_of
from web.presentation import date_words, moment_words
from web.supporters import retry_words, returns, waiting_words

State = Delivery.State
MOST_NAMED, FEW_NAMED = 8, 3
SOON = timedelta(hours=1)


@dataclass(frozen=True)
class Fate:
    """One target's line: its page word, a sentence, and what happened when."""

    name: str
    role: str
    word: Word
    sentence: str
    happened: list[tuple[str, datetime]]
    print_to: str  # the target's public id where it came back and paper may still reach them; else ""
    target: str = ""  # its public id
    told: str = ""  # what the supporter says came back, in words
    is_answered: bool = False  # we saw a reply of it ourselves

    @property
    def may_be_answered(self) -> bool:
        """Return whether the supporter may have got a reply to it."""
        return self.word in {Word.ACCEPTED, Word.UNCLEAR}


@dataclass(frozen=True)
class Overview:
    """All deliveries of one letter."""

    fates: list[Fate]
    counts: list[tuple[Word, int]]  # in the order of the page words, none with nought
    can_stop: int  # how many still wait
    rests: bool  # nothing leaves at the moment
    leaves: str  # when the first leaves and when the last, in a sentence; "" where it is not known
    moves: bool  # something is going out now or soon: worth looking again by itself

    @property
    def named(self) -> list[str]:
        """Return the targets' names, and "27 others" in place of too many."""
        return named([fate.name for fate in self.fates])


def named(names: list[str]) -> list[str]:
    """Return at most eight names, or three and "27 others"."""
    if len(names) <= MOST_NAMED:
        return names
    rest = len(names) - FEW_NAMED
    return [*names[:FEW_NAMED], ngettext("%(num)s other", "%(num)s others", rest) % {"num": rest}]


def overview(letter: Letter, *, now: datetime) -> Overview:
    """Return what became of a letter: the same few queries, however many targets."""
    deliveries = list(letter.deliveries.select_related("version", "address", "target").order_by("pk"))
    waiting = [delivery for delivery in deliveries if delivery.state == State.QUEUED]
    rests = bool(waiting) and forecasting.rests(letter)
    known = Known(
        answered=replies.first_of_letter(letter),
        told=told_replies.of_letter(letter),
        returned=returns.of([delivery for delivery in deliveries if _word(delivery) == Word.RETURNED]),
        causes=retry_words.causes([delivery for delivery in waiting if delivery.attempts]),
        leaves={} if rests else forecasting.of(waiting, now=now),
        rests=rests,
    )
    fates = [_fate(delivery, known, now=now) for delivery in deliveries]
    counts = Counter(fate.word for fate in fates)
    leaving = _leaving(waiting, known)
    return Overview(
        fates=fates,
        counts=[(word, counts[word]) for word in Word if counts[word]],
        can_stop=sum(delivery.state in STILL_WAITS for delivery in deliveries),
        rests=rests,
        leaves=waiting_words.first_and_last(leaving, waiting=len(waiting), now=now),
        moves=counts[Word.HANDING_OVER] > 0 or any(one.at < now + SOON for one in leaving[:1]),
    )


@dataclass(frozen=True)
class Known:
    """What else is known of a letter's deliveries, by delivery id."""

    answered: dict[int, datetime]
    told: dict[int, ToldReply]
    returned: dict[int, returns.Return]  # why it came back, and when
    causes: dict[int, str]  # why it is tried again (retry_words)
    leaves: dict[int, Forecast]  # about when it leaves
    rests: bool  # nothing leaves at the moment


def told_words(kind: str) -> str:
    """Return a kind of reply as supporters read it."""
    return {
        ToldReply.Kind.REAL: _("A real answer"),
        ToldReply.Kind.STANDARD: _("A standard text"),
        ToldReply.Kind.ACKNOWLEDGEMENT: _("Only a note that it arrived"),
        ToldReply.Kind.NONE: _("No answer so far"),
        ToldReply.Kind.UNEXPECTED: _("I do not expect one"),
    }[ToldReply.Kind(kind)]


def _word(delivery: Delivery) -> Word:
    return word_of(delivery.state, tried=delivery.attempts > 0, feedback=delivery.feedback)


def _leaving(waiting: list[Delivery], known: Known) -> list[Forecast]:
    """Return when those of a letter's deliveries leave of which it is known, the first first."""
    due = [Forecast(delivery.due_at) for delivery in waiting if delivery.due_at and not known.rests]
    return sorted([*due, *known.leaves.values()], key=lambda forecast: (forecast.at, forecast.or_later))


def _fate(delivery: Delivery, known: Known, *, now: datetime) -> Fate:
    word = _word(delivery)
    values = delivery.version.values
    role = str(values.get("role", ""))
    told = known.told.get(delivery.pk)
    returned = known.returned.get(delivery.pk)
    happened = _happened(delivery, word, returned)
    if delivery.pk in known.answered:
        happened.append((_("Answered"), known.answered[delivery.pk]))
    return Fate(
        name=str(values.get("name", "")),
        role=role if role != values.get("name") else "",
        word=word,
        sentence=returned.sentence if returned else _sentence(delivery, word, known, now=now),
        happened=happened,
        target=delivery.target.public_id,
        told=told_words(told.kind) if told else "",
        is_answered=delivery.pk in known.answered,
        print_to=delivery.target.public_id if word == Word.RETURNED and delivery.target.post_id else "",
    )


def _happened(delivery: Delivery, word: Word, returned: returns.Return | None) -> list[tuple[str, datetime]]:
    bounced_at = returned.at if returned else None
    told: list[tuple[str, datetime | None]] = [
        (_("First tried"), delivery.first_tried_at),
        (_("Accepted by their mail server"), delivery.sent_at),
        (_("Came back"), bounced_at if delivery.sent_at else delivery.ended_at if returned else None),
        (_("Stopped"), delivery.ended_at if word == Word.STOPPED else None),
    ]
    return [(what, at) for what, at in told if at is not None]


def _sentence(delivery: Delivery, word: Word, known: Known, *, now: datetime) -> str:
    if word == Word.ACCEPTED and delivery.sent_at:
        return _(
            "Their mail server accepted it on %(moment)s. We cannot see whether somebody opened it, and we do not try."
        ) % {"moment": moment_words(delivery.sent_at)}
    if word == Word.UNCLEAR or (word == Word.STOPPED and delivery.ambiguous):
        return _("The line broke at the last moment. It probably arrived; we do not send it again.")
    if word == Word.HANDING_OVER:
        return _("Going out now.")
    if word == Word.STOPPED:
        day = date_words(delivery.ended_at) if delivery.ended_at else ""
        if delivery.reason in {"withdrawn", "erased"}:
            return _("Stopped by you on %(day)s.") % {"day": day}
        return _("Stopped before it left, on %(day)s.") % {"day": day}
    return _waiting(delivery, word, known, now=now)


def _waiting(delivery: Delivery, word: Word, known: Known, *, now: datetime) -> str:
    if delivery.state == State.HELD:
        return _("It is held until the organisers have looked at it.")
    if known.rests:
        return _("Delivery rests at the moment. Yours keeps its place.")
    if word == Word.RETRYING:
        return retry_words.sentence(delivery, known.causes.get(delivery.pk, ""), now=now)
    return waiting_words.waits(delivery, known.leaves.get(delivery.pk), now=now)
