"""What each mail provider is known to do: what of a letter it takes, what it would change, what it can fold.

Where a provider changes, this table changes. What stands here comes from the providers' own documentation and from
Anymail's notes on each; what is not known is left at its most careful value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Headers(StrEnum):
    """Which of our headers a provider's API takes without refusing the letter."""

    ALL = "Message-ID and Date too"
    CUSTOM = "all but Message-ID and Date, which the provider sets itself"
    X_ONLY = "those that begin with X-"
    NONE = "none, unless the account allows it"


class Names(StrEnum):
    """How a provider carries the delivery's reference, so that its events can name it."""

    METADATA = "metadata"
    TAG = "tag"


class Folds(StrEnum):
    """How a provider is told that a request is the same one again."""

    NO = ""
    HTTP_HEADER = "the request's header Idempotency-Key"
    MAIL_HEADER = "idempotencyKey among the letter's headers, a UUID"


@dataclass(frozen=True)
class Facts:
    """One provider's ways."""

    headers: Headers = Headers.CUSTOM
    names: Names = Names.METADATA
    is_told_not_to_track: bool = False  # else opens and clicks can only be left alone in the account's own settings
    folds: Folds = Folds.NO
    more_headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)  # of the request, in the provider's own words
    marks: tuple[str, ...] = ()  # what it would replace in a text: such a mark is broken, so that it is read as typed
    wants_html: bool = False  # it takes no mail without


_BRACES = ("{{", "{%")

FACTS: Mapping[str, Facts] = {
    # Raw: the very bytes; Amazon replaces Message-ID and Date. Tracking belongs to a configuration set.
    "amazon-ses": Facts(headers=Headers.ALL),
    "brevo": Facts(folds=Folds.MAIL_HEADER, marks=_BRACES, wants_html=True),
    "mailersend": Facts(
        headers=Headers.NONE, names=Names.TAG, is_told_not_to_track=True, marks=("{{", "{$", "{%"),
        more={"settings": {"track_content": False}},
    ),
    "mailgun": Facts(
        headers=Headers.ALL, is_told_not_to_track=True,
        marks=("%recipient", "%unsubscribe", "%tag_unsubscribe", "%mailing_list_unsubscribe"),
    ),
    "mailjet": Facts(is_told_not_to_track=True, marks=("[[",)),
    "mailtrap": Facts(marks=("{{", "__unsubscribe")),
    # Without content in its log; `merge` is off unless asked for, but what looks like a mark may as well not be one.
    "mandrill": Facts(is_told_not_to_track=True, marks=("*|",), more={"message": {"view_content_link": False}}),
    "postal": Facts(headers=Headers.ALL, names=Names.TAG),
    # KeepID: else Postmark sets a Message-ID of its own.
    "postmark": Facts(
        headers=Headers.ALL, is_told_not_to_track=True, more_headers={"X-PM-KeepID": "true"}, marks=("{{",)
    ),
    "resend": Facts(folds=Folds.HTTP_HEADER, marks=("{{",)),
    "scaleway": Facts(),
    "sendgrid": Facts(headers=Headers.ALL, is_told_not_to_track=True, marks=("<%",)),
    # Transactional: else SparkPost adds List-Unsubscribe, and a letter from person to person has no list.
    "sparkpost": Facts(is_told_not_to_track=True, marks=_BRACES, more={"options": {"transactional": True}}),
    "unisender-go": Facts(headers=Headers.X_ONLY, is_told_not_to_track=True, marks=("{{", "[[")),
}  # fmt: skip
