"""From a provider's whole answer to one of the five endings (RELIABILITY §3)."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import responses
from typing import Any

from letters.endings import Accepted, Ambiguous, Deferred, Ending, NotSent, Refused
from worker.transports.provider.verdicts import About, about

LONGEST_WORDS = 200
LONGEST_WAIT = 86_400  # seconds
_LATER = {408, 425, 429, 503}
_MOVED = {301, 302, 307, 308}  # not done, and another address named; 303 may mean done
_TAKEN = {"queued", "sent"}
_REFUSED = {"invalid", "rejected"}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SAYING = {
    "message", "error", "errors", "detail", "details", "description", "errormessage", "help_message", "reason",
    "warnings", "messages", "data", "results", "failed_emails", "reject_reason",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of the provider: status, headers by their names in lower case, and body, the latter unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Words:
    """What may be kept and shown of what a provider said: short, on one line, and never a key of ours."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def __call__(self, text: str) -> str:
        """Return a text without secrets and control characters, at most 200 characters long."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return _UNPRINTABLE.sub(" ", text).strip()[:LONGEST_WORDS]


def ended_with(
    answer: Answer, *, esp: str, words: Words, statuses: set[str], provider_id: str, is_strange: bool
) -> Ending:
    """Return how an attempt ended that was answered.

    `statuses` is what Anymail read of the letter's fate in the answer, `is_strange` that it could not.
    """
    document = _document(answer)
    said = _said(answer, document)
    if not said and answer.status >= 400:
        said = responses.get(answer.status, "no words")
    if statuses and statuses <= _REFUSED:
        code = "5.1.3" if statuses == {"invalid"} else "5.7.1"  # RFC 3463: a bad address, or one that is not written to
        return Refused(answer.status, words(f"{code} {said or ' '.join(sorted(statuses))}"))
    verdict = about(esp, answer.status, document, said)
    if verdict is None:
        verdict = _usual(answer.status)
    match verdict:
        case About.TARGET:
            return Refused(answer.status, words(f"5.1.3 {said}"))
        case About.MOMENT:
            return Deferred(answer.status, words(said), wait_for=_wait(answer.headers))
        case About.US:
            return NotSent(words(f"{esp} refuses our request ({answer.status}): {said}"), hold=True)
        case About.UNCLEAR:
            return Ambiguous(words(f"{esp} answered {answer.status}: {said}"))
    if is_strange:
        return Ambiguous(words(f"{esp} answered {answer.status}, but not in its own form"))
    if statuses == {"failed"}:
        return Deferred(answer.status, words(said))
    if not statuses or not statuses <= _TAKEN:
        return Ambiguous(words(f"{esp} answered {answer.status} without saying what became of the letter"))
    return Accepted(answer.status, words(said), provider_id)


def _usual(status: int) -> About | None:
    """Return what a status means where the provider has no ways of its own; None for a yes."""
    if 200 <= status < 300:
        return None
    if status in _LATER:
        return About.MOMENT
    return About.US if 400 <= status < 500 or status in _MOVED else About.UNCLEAR


def _wait(headers: Mapping[str, str]) -> int | None:
    """Return the seconds that Retry-After names, as a number or as a date (RFC 9110 §10.2.3)."""
    raw = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", raw):
        return min(math.ceil(float(raw)), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(raw)
    except ValueError:
        return None
    seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(round(seconds), 0), LONGEST_WAIT)


def _document(answer: Answer) -> Any:
    """Return the JSON of an answer, None where it is none; Amazon names the kind of an error in a header."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    kind = answer.headers.get("x-amzn-errortype", "").partition(":")[0]
    return {**document, "Code": kind} if kind and isinstance(document, dict) else document


def _said(answer: Answer, document: Any) -> str:
    """Return what an answer says in words, "" where it says nothing that is fit for people."""
    if document is not None:
        return "; ".join(dict.fromkeys(_sayings(document)))
    if answer.headers.get("content-type", "").split(";")[0].strip().lower() in {"", "text/plain"}:
        return answer.body[: 4 * LONGEST_WORDS].decode("utf-8", "replace")
    return "Mailgun Magnificent API" if b"Mailgun Magnificent API" in answer.body else ""


def _sayings(document: Any, depth: int = 0) -> Iterator[str]:
    """Yield the texts under the names that providers use for what they say."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, list) and depth < 8:
        for one in document[:10]:
            yield from _sayings(one, depth + 1)
    elif isinstance(document, dict) and depth < 8:
        for name, value in document.items():
            if name.lower() in _SAYING or (depth and isinstance(value, list)):
                yield from _sayings(value, depth + 1)
