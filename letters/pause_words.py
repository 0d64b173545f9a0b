"""Why a campaign paused by itself, in words: what happened, what shows it, what to do. For the board and for mail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class Cause(models.TextChoices):
    """What may pause a campaign by itself."""

    REFUSED = "refused", "Mail servers refuse its letters"
    COMPLAINTS = "complaints", "Its letters are reported as spam"
    BOUNCES = "bounces", "Too many of its addresses do not exist"
    OUR_FAULT = "our_fault", "Our own mail server or provider refuses to send"


@dataclass(frozen=True)
class PauseWords:
    """Three sentences or a few more. `evidence` may be empty, `what` has at most 300 characters."""

    what: str
    evidence: str
    cure: str


Speaker = Callable[[Mapping[str, Any]], PauseWords]


def words_of(cause: str, evidence: Mapping[str, Any]) -> PauseWords:
    """Return the words for a cause and its figures. An unknown cause is named as it is, with its figures."""
    found = _WORDS.get(cause, _unknown(cause))(evidence)
    return PauseWords(found.what[:300], found.evidence, found.cure)


def _refused(evidence: Mapping[str, Any]) -> PauseWords:
    refused, tried = int(evidence.get("refused", 0)), int(evidence.get("tried", 0))
    facts = {"who": evidence.get("domain") or _("Their mail servers"), "n": refused,
             "minutes": int(evidence.get("minutes", 0))}  # fmt: skip
    what = ngettext(
        "%(who)s refused %(n)d letter within %(minutes)d minutes.",
        "%(who)s refused %(n)d letters within %(minutes)d minutes.", refused,
    ) % facts  # fmt: skip
    shown = [_("%(n)d of %(tried)d tries were refused.") % {"n": refused, "tried": tried}] if tried else []
    return PauseWords(
        what,
        " ".join([*shown, *_server(evidence)]),
        _("Read the server’s words. Where they speak of spam or policy, ask for more own words, give the office a "
          "slower pace, or write to its postmaster; then resume."),
    )  # fmt: skip


def _complaints(evidence: Mapping[str, Any]) -> PauseWords:
    n = int(evidence.get("complaints", 0))
    what = ngettext("%(n)d letter was reported as spam.", "%(n)d letters were reported as spam.", n) % {"n": n}
    return PauseWords(
        what,
        _("That is %(share)s per cent of %(accepted)s accepted letters. Mail providers shut senders out from 0.3 on.")
        % {"share": _share(evidence.get("complaints"), evidence.get("accepted")),
           "accepted": f"{int(evidence.get('accepted', 0)):,}"},
        _("See who complained on the board. Retire targets who do not want these letters, and resume only when the "
          "rest are sure to be the right ones."),
    )  # fmt: skip


def _bounces(evidence: Mapping[str, Any]) -> PauseWords:
    n, targets = int(evidence.get("suppressed", 0)), int(evidence.get("targets", 0))
    what = ngettext(
        "The address of %(n)d target does not work.", "The addresses of %(n)d targets do not work.", n
    ) % {"n": n}  # fmt: skip
    return PauseWords(
        what,
        _("That is %(share)s per cent of %(targets)s targets; more than 5 harm the name of the sender.")
        % {"share": _share(n, targets), "targets": f"{targets:,}"},
        _("Check the list against its source, correct or retire what is wrong; then resume."),
    )


def _our_fault(evidence: Mapping[str, Any]) -> PauseWords:
    return PauseWords(
        _("Our own mail server or provider does not send for us."),
        " ".join(_server(evidence)),
        _("Ask the operator to check the sign-in and the sender’s domain (EMAIL_URL). Nothing is lost: what could not "
          "be sent leaves when you resume."),
    )  # fmt: skip


def _unknown(cause: str) -> Speaker:
    def speak(evidence: Mapping[str, Any]) -> PauseWords:
        figures = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in sorted(evidence.items()))
        return PauseWords(
            _("Sending did not go as it should (%(cause)s).") % {"cause": cause.replace("_", " ")}, figures,
            _("Ask the operator what happened; then resume."),
        )  # fmt: skip

    return speak


def _server(evidence: Mapping[str, Any]) -> list[str]:
    words = str(evidence.get("words", "")).strip()
    return [_("The server said: “%(words)s”.") % {"words": words}] if words else []


def _share(part: Any, whole: Any) -> str:
    """Return a share in per cent, with as many digits as it needs."""
    per_cent = 100 * int(part or 0) / max(int(whole or 0), 1)
    return f"{per_cent:.2f}" if per_cent < 1 else f"{per_cent:.0f}"


_WORDS: Mapping[str, Speaker] = {
    Cause.REFUSED: _refused, Cause.COMPLAINTS: _complaints, Cause.BOUNCES: _bounces, Cause.OUR_FAULT: _our_fault,
}  # fmt: skip
