"""Warnings about how a letter reads: none stops anybody, each names what a busy office dislikes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from campaigns.wording.findings import Finding, listed
from campaigns.wording.readings import Reading

SUBJECT_AT_MOST = 70  # characters; what a list of mails shows
WORDS_ON_A_PAGE = 400
LINKS_AT_MOST = 2
EXCLAMATION_MARKS_AT_MOST = 1
CAPITALS_IN_A_ROW = 3

_BLANK_BEFORE_COMMA = re.compile(r"(?:(?<=[^\s])[^\S\n]+|^[^\S\n]*)(?=[,،、])", re.MULTILINE)
_DOUBLED_SPACE = re.compile(r"(?<=\S) {2,}(?=\S)")
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]{2,40}\]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_LINK = re.compile(r"(?:https?://|\bwww\.)\S+", re.IGNORECASE)
_EXCLAMATION_MARK = re.compile(r"[!！]")


@dataclass
class _Spot:
    finding: Finding
    readers: set[int] = field(default_factory=set)


def remarks(
    readings: Mapping[str, Sequence[Reading]], targets: Sequence[Mapping[str, str]]
) -> Iterator[Finding]:
    """The warnings about the passages of one letter, given every reading of each."""
    for each in readings.values():
        yield from _slips(each, targets)
    yield from _subject(readings.get("subject", ()))
    yield from _length(readings.get("body", ()))
    yield from _too_many(
        readings, _LINK, LINKS_AT_MOST, "links", "Offices filter mail with many links: keep the best."
    )
    yield from _too_many(
        readings,
        _EXCLAMATION_MARK,
        EXCLAMATION_MARKS_AT_MOST,
        "exclamation_marks",
        "A full stop sounds surer.",
    )


def _slips(readings: Sequence[Reading], targets: Sequence[Mapping[str, str]]) -> Iterator[Finding]:
    """What went wrong at one spot, once per spot, with the targets it goes wrong for."""
    spots: dict[tuple[str, int], _Spot] = {}
    for reading in readings:
        for code, position, why, cure in _slips_in(reading.raw):
            offset = reading.offset(position)
            if (code, offset) not in spots:
                spots[code, offset] = _Spot(_warning(reading, offset, code, why, cure))
            if reading.target is not None:
                spots[code, offset].readers.add(reading.target)
    for spot in spots.values():
        found, readers = spot.finding, sorted(spot.readers)
        if readers and len(readers) < len(targets):
            why = f"{found.why} So it reads for {listed(readers, targets)}."
            found = Finding("warning", found.code, found.passage, found.line, found.column, why, found.cure)
        yield found


def _slips_in(text: str) -> Iterator[tuple[str, int, str, str]]:
    for found in _BLANK_BEFORE_COMMA.finditer(text):
        words = text[max(0, found.start() - 20) : found.end() + 1].rsplit("\n", maxsplit=1)[-1].strip()
        yield (
            "blank_before_comma",
            found.start(),
            f"“{words}” has a gap before the comma.",
            "Add `|default('…')` to the value or write it for everybody.",
        )
    for found in _DOUBLED_SPACE.finditer(text):
        yield (
            "doubled_space",
            found.start(),
            "Two spaces stand side by side.",
            "Remove one, or put it inside the `{% if %}` with the value it belongs to.",
        )
    for found in _PLACEHOLDER.finditer(text):
        if found.group() == found.group().upper() != found.group().lower():
            yield (
                "placeholder",
                found.start(),
                f"“{found.group()}” looks left over.",
                "Write what belongs there, or use a value such as `{{ target.name }}`.",
            )
    yield from _capitals_in(text)


def _capitals_in(text: str) -> Iterator[tuple[str, int, str, str]]:
    for position, shown in shouted_in(text):
        yield "capitals", position, f"“{shown}” shouts.", "Write it in small letters."


def shouted_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield each run of words in capitals that is long enough to shout: where it stands, and how it begins."""
    run: list[re.Match[str]] = []
    # The empty match at the end closes the last run.
    for word in [*_WORD.finditer(text), None]:
        if word is not None and word.group().isupper():
            run.append(word)
            continue
        # "I" and "A" are capitals without shouting.
        if sum(len(one.group()) > 1 for one in run) >= CAPITALS_IN_A_ROW:
            yield run[0].start(), text[run[0].start() : run[-1].end()][:40]
        run = []


def _subject(readings: Sequence[Reading]) -> Iterator[Finding]:
    longest = max(readings, key=lambda one: len(one.text), default=None)
    if longest is not None and len(longest.text) > SUBJECT_AT_MOST:
        why = f"The subject has {len(longest.text)} characters; mail programs show about {SUBJECT_AT_MOST}."
        yield _warning(longest, 0, "subject_long", why, "Shorten it.")


def _length(readings: Sequence[Reading]) -> Iterator[Finding]:
    longest = max(readings, key=lambda one: len(one.text.split()), default=None)
    if longest is not None and (words := len(longest.text.split())) > WORDS_ON_A_PAGE:
        why = f"The body has {words} words, more than a page. Most offices stop reading there."
        yield _warning(longest, 0, "more_than_a_page", why, f"Keep it below {WORDS_ON_A_PAGE} words.")


def _too_many(
    readings: Mapping[str, Sequence[Reading]], what: re.Pattern[str], limit: int, code: str, cure: str
) -> Iterator[Finding]:
    """Counts over the letter, the fullest reading of each passage; speaks once, at the first too many."""
    total = 0
    first: Finding | None = None
    noun = code.replace("_", " ")
    for each in readings.values():
        best: tuple[Reading, list[int]] | None = None
        for reading in each:
            found = [match.start() for match in what.finditer(reading.raw)]
            if best is None or len(found) > len(best[1]):
                best = reading, found
        if best is None:
            continue
        if first is None and total + len(best[1]) > limit:
            reading, found = best
            first = _warning(reading, reading.offset(found[limit - total]), code, "", cure)
        total += len(best[1])
    if first is not None:
        why = f"The letter has {total} {noun}."
        yield Finding("warning", code, first.passage, first.line, first.column, why, cure)


def _warning(reading: Reading, offset: int, code: str, why: str, cure: str) -> Finding:
    line, column = reading.wording.place(offset)
    return Finding("warning", code, reading.wording.passage, line, column, why, cure)
