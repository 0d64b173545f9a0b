"""F23: mail that comes back, of real shapes and of forged ones: only valid names count, and nobody is ever answered."""

import random
import smtplib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tests.faults import hearing
from tests.faults.hearing import Figures, Installation, Process, Sent
from tests.letters import shapes
from tests.letters.shapes import DOMAIN, Shape
from tests.worker.faulty_server import FaultyServer

MAILS = {"gate": 40, "nightly": 500}
TARGETS = 20
_FILLER = b"X-Filler: a line that says nothing\r\n" * 31_000  # more than 1 MB of headers


@dataclass(frozen=True)
class Given:
    """One mail to be handed over, and what must follow: codes of the answer, feedback, whether it is a reply."""

    to: str
    shape: Shape
    codes: tuple[int, ...] = (250,)
    feedback: int = 0
    is_reply: bool = False  # by a person, to be kept
    is_automatic: bool = False  # by a machine, to be kept


Maker = Callable[[Sent, random.Random], Given]


def _of_a_kind(name: str) -> Maker:
    kind = shapes.KINDS[name]

    def make(one: Sent, _drawn: random.Random) -> Given:
        to = f"complaints@{DOMAIN}" if name in {"complaint", "not spam"} else f"return-{one.reference}@{DOMAIN}"
        codes = (500,) if name == "long headers" else (250,)
        return Given(to, kind.make(one.reference), codes, kind.feedback, is_automatic=kind.what == "automatic")

    return make


def _forged(one: Sent, drawn: random.Random) -> Given:
    """A true bounce, but the name in its address and in what it returns is made up: somebody else's number."""
    reference = f"{one.pk:x}-{drawn.getrandbits(128):032x}"
    return Given(f"return-{reference}@{DOMAIN}", shapes.postfix(reference), (550,))


def _forged_within(one: Sent, drawn: random.Random) -> Given:
    """The same, sent to an address of ours that everybody knows."""
    return Given(f"letter@{DOMAIN}", shapes.exchange(f"{one.pk:x}-{drawn.getrandbits(128):032x}"))


def _cut(one: Sent, _drawn: random.Random) -> Given:
    return Given(f"return-{one.reference[:-1]}@{DOMAIN}", shapes.gmail(one.reference), (550,))


def _to_others(one: Sent, _drawn: random.Random) -> Given:
    """Somebody would like us to pass their mail on."""
    return Given(one.address, shapes.postfix(one.reference), (550,))


def _known_by_what_it_returns(one: Sent, _drawn: random.Random) -> Given:
    """Exchange sends its bounces to the address in From."""
    return Given(f"letter@{DOMAIN}", shapes.exchange(one.reference), feedback=3)


def _many_headers(one: Sent, _drawn: random.Random) -> Given:
    return Given(f"return-{one.reference}@{DOMAIN}", Shape("", _FILLER + shapes.postfix(one.reference).data))


def _answer(one: Sent, drawn: random.Random, head: str = "") -> Shape:
    text = f"We have read your letter. Number {drawn.getrandbits(32)}."
    head += f"From: An Office <{one.address}>\nTo: <reply-{one.reference}@{DOMAIN}>\nSubject: Re: Your letter\n"
    return Shape(one.address, f"{head}\n{text}\n".replace("\n", "\r\n").encode())


def _by_a_person(one: Sent, drawn: random.Random) -> Given:
    return Given(f"reply-{one.reference}@{DOMAIN}", _answer(one, drawn), is_reply=True)


def _by_a_machine(one: Sent, drawn: random.Random) -> Given:
    says = drawn.choice(["Auto-Submitted: auto-replied", "Precedence: auto_reply", "X-Autoreply: yes"])
    return Given(f"reply-{one.reference}@{DOMAIN}", _answer(one, drawn, f"{says}\n"), is_automatic=True)


def _loop(one: Sent, drawn: random.Random) -> Given:
    """Our own mail comes back, as an answer to itself: a forwarding that turns in a ring."""
    shape = _answer(one, drawn, f"Message-ID: <{one.reference}@{DOMAIN}>\n")
    return Given(f"reply-{one.reference}@{DOMAIN}", shape)


def _by_a_listener(one: Sent, _drawn: random.Random) -> Given:
    """Mail to supporters that is answered: nobody reads it, and the answer says so at once."""
    return Given(f"confirm@{DOMAIN}", Shape("dana@supporters.example", b"Subject: hello\r\n\r\nhello\r\n"), (550,))


MAKERS: Mapping[str, Maker] = {
    **{name: _of_a_kind(name) for name in shapes.KINDS},
    "forged name": _forged, "forged name within": _forged_within, "cut name": _cut, "to others": _to_others,
    "known by what it returns": _known_by_what_it_returns, "many headers": _many_headers, "a person": _by_a_person,
    "a machine": _by_a_machine, "a loop": _loop, "to nobody": _by_a_listener,
}  # fmt: skip


def came_back(kind: str, seed: int, size: str) -> Figures:
    """F23: bounces, forgeries, answers, loops, huge headers, by SMTP and by LMTP: only valid names count; 0 answers."""
    drawn, mails = random.Random(seed), MAILS[size]  # noqa: S311  the same each time
    with hearing.installation(kind, letters=-(-mails // TARGETS), targets=TARGETS) as here:
        here.database.execute("UPDATE letters_letter SET passes_replies = (id % 2 = 0)")
        agreed = {pk for (pk,) in here.rows("SELECT id FROM letters_letter WHERE id % 2 = 0")}
        names = [*MAKERS, "a person", *drawn.choices(list(MAKERS), k=mails - len(MAKERS) - 1)]
        # Turn and turn about, so that answers come to letters of those who agreed and of those who did not.
        given = {one: MAKERS[name](one, drawn) for name, one in zip(sorted(names), _by_turns(here.sent), strict=False)}
        with hearing.mailbox(here) as process:
            took = _hand_over(process, drawn.sample(list(given.values()), len(given)))
            _hand_over(process, [one for one in given.values() if one.codes == (250,)])  # the yes was lost: once more
        expected = {one.pk: given[one].feedback if one in given else 0 for one in here.sent}
        assert {pk: feedback for pk, _, feedback in here.feedback()} == expected
        assert {state for _, state, _ in here.feedback()} == {"sent"}
        assert here.reports() == sorted((pk, feedback) for pk, feedback in expected.items() if feedback >= 3)
        kept = here.rows("SELECT delivery_id, is_automatic FROM letters_reply ORDER BY delivery_id")
        wanted = [(one.pk, mail.is_automatic) for one, mail in given.items() if mail.is_reply or mail.is_automatic]
        assert [(pk, bool(automatic)) for pk, automatic in kept] == sorted(wanted)
        people = {one.letter in agreed for one, mail in given.items() if mail.is_reply}
        assert people == {True, False}, "nobody agreed, or everybody: this tested too little"
        passed_on = sorted(one.letter for one, mail in given.items() if mail.is_reply and one.letter in agreed)
        notices = here.rows("SELECT letter_id, kind FROM letters_notice ORDER BY letter_id")
        assert notices == [(letter, "reply") for letter in passed_on], "answers are passed on where that was agreed"
        _nobody_is_answered(here, passed_on)
        counted = here.counted()
        hearing.silent_about(process.log, ["We have read your letter", *(one.reference for one in given)])
    return {
        "seed": seed, "mails": len(given), "answers": 0, "replies": len(passed_on), "p50_ms": _ms(took, 0.5),
        "p99_ms": _ms(took, 0.99), "counted": counted,
    }  # fmt: skip


def _by_turns(sent: Sequence[Sent]) -> list[Sent]:
    """Return deliveries so that the letters they belong to take turns."""
    return sorted(sent, key=lambda one: (one.pk % TARGETS, one.letter))


def _hand_over(process: Process, given: list[Given]) -> list[float]:
    """Hand mails over, by SMTP and LMTP in turn; return how long each took."""
    took = []
    for number, one in enumerate(given):
        speaks, port = ((smtplib.SMTP, smtplib.LMTP)[number % 2], process.ports[number % 2])
        with speaks("127.0.0.1", port, timeout=60) as line:
            began_at = time.perf_counter()
            line.ehlo("mx.northland.example")
            line.mail(one.shape.sender)
            code, words = line.rcpt(one.to)
            if code == 250:
                code, words = line.data(one.shape.data)
            took.append(time.perf_counter() - began_at)
        assert code in one.codes, (one.to, code, words)
    return took


def _nobody_is_answered(here: Installation, passed_on: list[int]) -> None:
    """Let a worker send all that there is to send: what targets wrote goes to the letters' writers, nothing else."""
    with FaultyServer() as server:
        here.manage("deliver", "--once", EMAIL_URL=f"smtp://127.0.0.1:{server.port}")
        taken = Counter(letter.to for letter in server.taken)
    alarms = taken.pop("alice@oil-workers-aid.example", 0)  # complaints have paused the campaign
    assert [(alarms,)] == here.rows("SELECT count(*) FROM letters_alarm")
    assert sum(taken.values()) == len(passed_on), taken
    assert all(to.endswith("@supporters.example") for to in taken), taken
    passed = [letter for letter in server.taken if b"Auto-Submitted: auto-forwarded" in letter.data]
    assert len(passed) == len(passed_on)


def _ms(took: list[float], share: float) -> float:
    return round(hearing.percentile(took, share) * 1000, 1)


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F23 on SQLite": partial(came_back, "sqlite"),
    "F23 on PostgreSQL": partial(came_back, "postgresql"),
}
