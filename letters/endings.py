"""How one attempt to hand over a letter can end. Values, not exceptions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The next mail server or provider said yes to the whole letter. `provider_id` is the name it gave, if any."""

    code: int
    words: str
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Deferred:
    """The server said "not now" (4xx), in whatever phase. `wait_for` seconds, where it named a time."""

    code: int
    words: str
    at_recipient: bool = False  # the first 4xx to RCPT: greylisting, usually
    wait_for: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The server said no (5xx) to this letter."""

    code: int
    words: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The final dot was written and no well-formed answer came: a copy may have been taken."""

    words: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Certainly nothing was taken: the line broke before the final dot, or our side stopped.

    `hold`: our own fault, which trying again would not mend; a person must look.
    """

    words: str
    hold: bool = False


Ending = Accepted | Deferred | Refused | Ambiguous | NotSent
