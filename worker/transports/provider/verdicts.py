"""What a provider's refusal is about: the target, the moment, or ourselves.

Only what is about the target may fail a delivery. Whatever is not recognised here is our own fault: the letter waits
until a person has looked, and none is lost.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any


class About(StrEnum):
    """Whom or what a refusal is about."""

    TARGET = "this address: it is not valid, or the provider does not write to it any more"
    MOMENT = "this moment: too much at once, or the same request is still under way"
    UNCLEAR = "a request that may be the one of an earlier attempt"
    US = "ourselves: a key, a domain, a quota, a request that is wrong"


Judge = Callable[[int, Any, str], About | None]  # of status, parsed JSON or None, and what was said; None: not known


def about(esp: str, status: int, document: Any, said: str) -> About | None:
    """Return what an answer that is no plain yes is about; None where this provider tells nothing in particular."""
    judge = _JUDGES.get(esp)
    return judge(status, document, said) if judge is not None else None


def _by_words(*patterns: str) -> Judge:
    """Recognise the target by what a 400 or 422 says."""
    known = re.compile("|".join(patterns), re.IGNORECASE)

    def judge(status: int, _document: Any, said: str) -> About | None:
        return About.TARGET if status in {400, 422} and known.search(said) else None

    return judge


def _all(values: Iterable[Any], pattern: str) -> bool:
    """Return whether there is a value, and all of them are texts that begin like this."""
    found = list(values)
    return bool(found) and all(isinstance(value, str) and re.match(pattern, value) for value in found)


def _items(document: Any, name: str) -> list[Mapping[str, Any]]:
    """Return the objects in a list of a JSON object."""
    values = document.get(name) if isinstance(document, dict) else None
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _text(document: Any, name: str) -> str:
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def _amazon(status: int, document: Any, said: str) -> About | None:
    code = _text(document, "Code")
    if code in {"Throttling", "ThrottlingException", "TooManyRequestsException", "LimitExceededException"}:
        return About.MOMENT
    bad_address = re.search(
        r"illegal address|local (part|address)|missing final '@domain'|domain (contains|starts|ends)|invalid address",
        said, re.IGNORECASE,
    )  # fmt: skip
    return About.TARGET if status == 400 and code == "BadRequestException" and bad_address else None


def _brevo(status: int, document: Any, said: str) -> About | None:
    if _text(document, "code") == "duplicate_parameter" and status == 400:
        return About.UNCLEAR  # the key was used within half an hour: by an attempt whose answer we did not see
    return _by_words(r"\bnot valid in to\b", r"^to is not valid")(status, document, said)


def _mailersend(status: int, document: Any, _said: str) -> About | None:
    errors = document.get("errors") if isinstance(document, dict) else None
    return About.TARGET if status == 422 and isinstance(errors, dict) and _all(errors, r"to\.0\.email\b") else None


def _mailgun(status: int, document: Any, said: str) -> About | None:
    if status == 200 and "Mailgun Magnificent API" in said:
        return About.US  # what Mailgun answers to an address of its API that does not exist
    return _by_words(r"^'?to'? parameter is not a valid address")(status, document, said)


def _mailjet(status: int, document: Any, _said: str) -> About | None:
    errors = [error for message in _items(document, "Messages") for error in _items(message, "Errors")]
    related = [one for error in errors for one in error.get("ErrorRelatedTo") or [""]]
    return About.TARGET if status == 400 and _all(related, r"To\[0\]") else None


def _mailtrap(status: int, document: Any, said: str) -> About | None:
    if status == 200 and isinstance(document, dict) and document.get("success") is False:
        return About.US
    return _by_words(r"^'?to'? (address )?(is invalid|is not valid|is not a valid)")(status, document, said)


def _mandrill(status: int, document: Any, said: str) -> About | None:
    """Mandrill says with 500 what others say with 4xx; only GeneralError is a failure of its own."""
    name = _text(document, "name")
    if status == 500 and name == "ValidationError" and re.search(r'\{"message":\{"to":', said):
        return About.TARGET
    return About.US if status == 500 and name and name != "GeneralError" else None


def _postal(status: int, document: Any, _said: str) -> About | None:
    told = _text(document, "status")
    return About.US if status == 200 and told in {"error", "parameter-error"} else None


def _resend(status: int, document: Any, said: str) -> About | None:
    if status == 409 and _text(document, "name") == "concurrent_idempotent_requests":
        return About.MOMENT
    return _by_words(r"^invalid `to` field")(status, document, said)


def _scaleway(status: int, document: Any, _said: str) -> About | None:
    named = [detail.get("argument_name") for detail in _items(document, "details")]
    return About.TARGET if status == 400 and _all(named, r"to\b") else None


def _sendgrid(status: int, document: Any, _said: str) -> About | None:
    fields = [error.get("field") for error in _items(document, "errors")]
    return About.TARGET if status == 400 and _all(fields, r"personalizations\.0\.to\b") else None


def _sparkpost(status: int, document: Any, said: str) -> About | None:
    if status == 420:  # its own number for "too much"
        return About.MOMENT
    return _by_words(r"recipient address (was )?suppressed", r"at least one valid recipient is required")(
        status, document, said
    )


def _unisender_go(status: int, document: Any, _said: str) -> About | None:
    failed = document.get("failed_emails") if isinstance(document, dict) else None
    reasons = list(failed.values()) if isinstance(failed, dict) else []
    if status != 400 or not reasons:
        return None
    return About.MOMENT if "temporary_unavailable" in reasons else About.TARGET


_JUDGES: Mapping[str, Judge] = {
    "amazon-ses": _amazon,
    "brevo": _brevo,
    "mailersend": _mailersend,
    "mailgun": _mailgun,
    "mailjet": _mailjet,
    "mailtrap": _mailtrap,
    "mandrill": _mandrill,
    "postal": _postal,
    "resend": _resend,
    "scaleway": _scaleway,
    "sendgrid": _sendgrid,
    "sparkpost": _sparkpost,
    "unisender-go": _unisender_go,
}  # Postmark tells through Anymail's statuses.
