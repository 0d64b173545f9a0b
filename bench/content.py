"""Whether every letter arrived, once, and says what it should: `python -m bench.content FILE`, after a run into
`bench.keeper`, in the environment of the installation's settings.

Each letter is compared with two things: its bytes with the SHA-256 that the product kept with the delivery, and what a
reader sees (who writes, to whom, about what, and every word) with `bench.work`, which knows nothing of the product.
"""

import binascii
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from email import policy
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from bench import keeper, work
from bench.keeper import Kept

_TOLD = 20  # problems that are told one by one
_DELIVERY = b"\r\nX-Postbag-Delivery: "


class Expected(NamedTuple):
    """A delivery as it should arrive: the letter's and the target's number (bench.work), SHA-256 of its bytes."""

    letter: int
    target: int
    digest: bytes


@dataclass
class Findings:
    """What was found. All is well where nothing is missing, doubled, changed or strange."""

    received: int = 0
    missing: int = 0
    doubled: int = 0  # copies beyond the first
    changed: int = 0
    strange: int = 0  # belonging to no delivery
    problems: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Return whether each delivery arrived exactly once and unchanged."""
        return self.received > 0 and not (self.missing or self.doubled or self.changed or self.strange)

    def tell(self, problem: str) -> None:
        """Keep the words of a problem, if there are not too many yet."""
        if len(self.problems) < _TOLD:
            self.problems.append(problem)


def check(
    expected: Mapping[int, Expected], received: Iterable[Kept], *, delivery_of: Callable[[str], int | None]
) -> Findings:
    """Read every letter that was received. `delivery_of` returns the delivery's id for its public name."""
    found = Findings()
    copies: Counter[int] = Counter()
    for letter in received:
        found.received += 1
        reference = _reference(letter.data)
        pk = delivery_of(reference)
        if pk is None or pk not in expected:
            found.strange += 1
            found.tell(f"nobody sent {reference or 'a letter without a name'} to {letter.to}")
            continue
        copies[pk] += 1
        if difference := _difference(expected[pk], letter):
            found.changed += 1
            found.tell(f"delivery {pk}: {difference}")
    for pk in expected.keys() - copies.keys():
        found.missing += 1
        found.tell(f"delivery {pk} never arrived")
    for pk, number in copies.items():
        if number > 1:
            found.doubled += number - 1
            found.tell(f"delivery {pk} arrived {number} times")
    return found


def _reference(data: bytes) -> str:
    _, is_there, rest = data.partition(_DELIVERY)
    return rest.partition(b"\r\n")[0].decode("ascii", "replace") if is_there else ""


def _difference(expected: Expected, letter: Kept) -> str:
    """Return in what a letter differs from what it should be; "" where in nothing."""
    who, target = work.supporter(expected.letter), work.target(expected.target)
    if hashlib.sha256(letter.data).digest() != expected.digest:
        return "its bytes are not those that were handed over"
    if letter.to != target.email:
        return f"it went to {letter.to}"
    if not letter.sender.endswith(f"@{work.SENDER_DOMAIN}"):
        return f"its return path is {letter.sender}"
    head, _, coded = letter.data.partition(b"\r\n\r\n")
    sender, to, subject = _read(_of_people(head))
    if sender != (work.sender(expected.letter), f"letter@{work.SENDER_DOMAIN}"):
        return f"it is from {sender}"
    if to != (target.name, target.email):
        return f"it is addressed to {to}"
    if subject != work.SUBJECT:
        return f"its subject is {subject}"
    text = binascii.a2b_qp(coded).decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n")
    opening, closing = f"{target.salutation},\n\n", f"\n\nYours sincerely\n\n{who.name}, {who.town}"
    if text != f"{opening}{_body(expected.letter)}{closing}":
        return "its text is not what its supporter wrote to this target"
    return ""


def _of_people(head: bytes) -> bytes:
    """Return the headers that stand before the date: what people read, and what does not differ from try to try."""
    return head.partition(b"\r\nDate:")[0]


@lru_cache(maxsize=20_000)  # names recur
def _read(head: bytes) -> tuple[tuple[str, str], tuple[str, str], str]:
    """Return sender, target and subject as a reader sees them.

    Python's newer header classes are no readers to go by: before 3.13 they put a blank between the encoded words of a
    name (RFC 2047 §6.2 says that there is none).
    """
    told = BytesHeaderParser(policy=policy.compat32).parsebytes(head + b"\r\n\r\n")
    return _address(told, "From"), _address(told, "To"), _decoded(str(told["Subject"]))


def _address(told: Message, header: str) -> tuple[str, str]:
    """Return the name and the address of a header that holds one address, and stands once; else two empty strings."""
    addresses = getaddresses([str(value) for value in told.get_all(header, [])])
    return (_decoded(addresses[0][0]), addresses[0][1]) if len(addresses) == 1 else ("", "")


def _decoded(value: str) -> str:
    return str(make_header(decode_header(value.replace("\r\n", ""))))


@lru_cache(maxsize=1000)
def _body(number: int) -> str:
    return work.body(number)


def of_database() -> Iterator[tuple[int, Expected]]:
    """Yield what the installation's rows say should have arrived, by delivery id. Django has to be set up."""
    from letters.models import Delivery, Letter  # noqa: PLC0415  the check itself needs no installation
    from targets.models import Target  # noqa: PLC0415

    numbers = {pk: number for number, pk in enumerate(Letter.objects.order_by("pk").values_list("pk", flat=True))}
    by_email = {work.target(number).email: number for number in range(work.TARGETS)}
    targets = {pk: by_email[email] for pk, email in Target.objects.values_list("pk", "email__value")}
    rows = Delivery.objects.values_list("pk", "letter_id", "target_id", "digest")
    for pk, letter, target, digest in rows.iterator(chunk_size=10_000):
        yield pk, Expected(numbers[letter], targets[target], bytes.fromhex(digest))


def main(file: Path) -> None:
    """Check an installation's letters and print the findings."""
    import django  # noqa: PLC0415

    django.setup()
    from letters import tokens  # noqa: PLC0415

    found = check(dict(of_database()), keeper.records(file), delivery_of=tokens.read_reference)
    print(json.dumps({**asdict(found), "is_well": found.is_well}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
