"""What the faulty mail server does, and when: plain values that travel to its process; a seed draws every choice."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

LONG_LINE = 9 * 1024
POINTS = ("banner", "ehlo", "starttls", "mail", "rcpt", "data", "text", "dot")
USUAL: Mapping[str, str] = {
    "banner": "220 mx.faults.example",
    "starttls": "220 go on",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go on",
    "dot": "250 2.0.0 taken",
}
ENDLESS = b"endless"  # no bytes of its own: the server goes on until the other side has had enough


@dataclass(frozen=True)
class Garbage:
    """An answer that no decent server gives. `is_clear`: strange, but a well-formed yes all the same."""

    data: bytes
    is_clear: bool = False


GARBAGE: Mapping[str, Garbage] = {
    "nuls": Garbage(b"\0" * 64 + b"\r\n"),
    "long line": Garbage(b"250 " + b"x" * LONG_LINE + b"\r\n"),
    "64 kB line": Garbage(b"250 " + b"x" * 65536 + b"\r\n"),
    "endless": Garbage(ENDLESS),
    "8-bit": Garbage(b"250 \xff\xfe\x80\xc3 merci\r\n", is_clear=True),
    "no code": Garbage(b"OK, thank you\r\n"),
    "999": Garbage(b"999 what\r\n"),
    "two codes": Garbage(b"250-yes\r\n550 no\r\n"),
    "half a line": Garbage(b"25"),
    "another protocol": Garbage(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
}


@dataclass(frozen=True)
class Rule:
    """One thing that the server does at one point; the first rule that fits counts, without one it is as it should be.

    `share` of the letters (of the connections, before a letter), drawn anew for each time one comes to this point.
    """

    at: str
    does: str = "say"  # say drip garbage silence drop reset kill
    says: str = ""  # what "say" and "drip" say, a garbage's name; "" is the usual answer
    share: float = 1.0
    after: float = 0.0  # seconds before it acts (drip: before each byte; text: none)
    spread: float = 0.0  # seconds more, at most, drawn
    takes: bool = True  # at the dot: whether the letter counts as taken where the answer is no 4xx or 5xx
    then: str = ""  # after the answer: drop or reset
    times: int = 0  # for one delivery (or connection) at most; 0: always
    from_letter: int = 0  # the n-th of its connection, and those behind it
    domains: tuple[str, ...] = ()  # of the address in RCPT; from there on
    part: float = 0.0  # of the text that is read before it acts, at "text"
    holds: int = 0  # waits until so many connections of one worker have come here, `after` seconds at most

    def __post_init__(self) -> None:
        """Refuse what the server would not understand."""
        if self.at not in POINTS or self.does not in {"say", "drip", "garbage", "silence", "drop", "reset", "kill"}:
            raise ValueError(f"No such rule: {self.does} at {self.at}")
        if self.does == "garbage" and self.says not in GARBAGE:
            raise ValueError(f"No such garbage: {self.says}")

    @property
    def is_clear(self) -> bool:
        """Return whether the other side learns what became of its letter."""
        return self.does in {"say", "drip"} or (self.does == "garbage" and GARBAGE[self.says].is_clear)


@dataclass(frozen=True)
class Conduct:
    """All that one mail server does."""

    seed: int = 0
    rules: tuple[Rule, ...] = ()
    pipelines: bool = True
    size: int = 50_000_000
    tls: str = ""  # "", offered, broken (the handshake fails), stripped (offered to nobody, refused to all)
    certificate: str = ""  # its file
    window: int = 0  # bytes that the kernel takes before the server does, from the first conduct on; 0: as usual
    rests_after: int = 0  # 421 after so many letters on one connection; 0: never

    def as_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))


def read(text: str) -> Conduct:
    """Return the conduct of `as_json`."""
    values = json.loads(text)
    values["rules"] = tuple(Rule(**{**rule, "domains": tuple(rule["domains"])}) for rule in values["rules"])
    return Conduct(**values)


@dataclass
class Draw:
    """Which rule counts: the same seed draws the same for the same delivery's n-th visit to the same point."""

    conduct: Conduct
    visits: dict[tuple[str, str], int] = field(default_factory=dict)
    used: dict[tuple[int, str], int] = field(default_factory=dict)

    def rule(self, point: str, *, subject: str, letter: int = 0, domain: str = "") -> tuple[Rule, float] | None:
        """Return what to do and the wait before it; None for what is usual. `subject`: a delivery or a connection."""
        visit = self.visits[point, subject] = self.visits.get((point, subject), 0) + 1
        for number, rule in enumerate(self.conduct.rules):
            if rule.at != point or (rule.domains and domain not in rule.domains) or letter < rule.from_letter:
                continue
            if rule.times and self.used.get((number, subject), 0) >= rule.times:
                continue
            key = f"{self.conduct.seed}:{number}:{subject}:{visit}"
            if drawn(key) < rule.share:
                self.used[number, subject] = self.used.get((number, subject), 0) + 1
                return rule, rule.after + rule.spread * drawn(f"{key}:wait")
        return None


def drawn(key: str) -> float:
    """Return a number from 0 to 1 that belongs to this key."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") / 2**64


def each_domain(rules: Mapping[str, Sequence[Rule]]) -> tuple[Rule, ...]:
    """Return rules that each hold for one domain alone."""
    return tuple(Rule(**{**asdict(rule), "domains": (domain,)}) for domain, own in rules.items() for rule in own)
