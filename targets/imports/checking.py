"""Checking rows before anything is written: what is put right visibly, what a person must decide."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from targets.addresses import (
    AddressRefused,
    NameRefused,
    clean_person_name,
    is_role_address,
    normalise_email,
    parse_email,
)
from targets.exports import begins_like_a_formula, restored_cell
from targets.imports.columns import FIELDS
from targets.imports.places import country_code, language_code
from targets.imports.spelling import addresses_in, name_and_address, read_round_about, without_scheme
from targets.imports.table import CELL_LIMIT, Table

Severity = Literal["error", "warning"]

_LIMITS = {"name": 100, "given_name": 100, "family_name": 100, "title": 100, "role": 200, "institution": 200}
_LIMITS |= {"salutation": 150, "country": 100, "language": 100, "postal_address": 500}
_PEOPLE = ("name", "given_name", "family_name", "title", "role", "institution", "salutation")
_STANDS_FOR_NOTHING = frozenset(["-", "–", "—", "n/a", "n. a.", "k. a.", "k.a.", "none", "?", "."])
_TITLES = re.compile(
    r"(?:(?:dr|prof|mag|ing|dipl|h\.?\s?e|hon|sir|dame|mr|mrs|ms|mme|herr|frau|lord|lady|baroness)\b\.?\s*)+",
    re.IGNORECASE,
)
_NO_GIVEN_NAME = re.compile(
    r"(?i)(?:jr|sr|ii|iii|iv|ph\.?\s?d|m\.?d|mep|mp|mdb|msc|ma|ba|llm|esq|obe|cbe|kc|qc)\.?$"
    r"|.*\b(?:embassy|ministry|office|department|council|committee|parliament|consulate|mission|botschaft|ministerium|"
    r"ambassade|embajada|посольство|министерство)\b"
)


@dataclass(frozen=True)
class Problem:
    """One thing about one cell, what to do about it, and whether the row can be taken as it is."""

    line: int
    column: str  # the column's own name in the file
    code: str
    found: str
    sentence: str
    cure: str
    severity: Severity


@dataclass(frozen=True)
class Row:
    """One row by fields, as it would be written, with what was noticed."""

    line: int
    values: Mapping[str, str]
    problems: tuple[Problem, ...]
    hidden: bool

    @property
    def ok(self) -> bool:
        """Return whether the row can be taken: nothing is wrong, though there may be warnings."""
        return not any(problem.severity == "error" for problem in self.problems)


class _Draft:
    """A row while it is checked."""

    def __init__(self, line: int, labels: Mapping[str, str]) -> None:
        self.line = line
        self.labels = labels
        self.values = dict.fromkeys((field for field in FIELDS if field != "ignore"), "")
        self.problems: list[Problem] = []

    def warn(self, field: str, code: str, found: str, sentence: str, cure: str = "") -> None:
        self._note("warning", field, code, found, sentence, cure)

    def refuse(self, field: str, code: str, found: str, sentence: str, cure: str = "") -> None:
        self._note("error", field, code, found, sentence, cure)

    def _note(self, severity: Severity, field: str, code: str, found: str, sentence: str, cure: str) -> None:
        column = self.labels.get(field, FIELDS.get(field, field))
        self.problems.append(Problem(self.line, column, code, found[:200], sentence, cure, severity))


def check_rows(table: Table, columns: Sequence[str]) -> list[Row]:
    """Return every row of the table by fields, with its problems; nothing is left out and nothing is written.

    `columns` names a field of FIELDS for each column, "ignore" for those that are not wanted.
    """
    fields = [field if field in FIELDS else "ignore" for field in columns][: len(table.header)]
    labels = {field: table.header[number] for number, field in reversed(list(enumerate(fields)))}
    first_with: dict[str, int] = {}
    rows = []
    for position, cells in enumerate(table.rows):
        draft = _Draft(table.line(position), labels)
        _collect(draft, cells, fields, len(table.header))
        if position in table.unclosed:
            draft.refuse(
                "row", "unclosed_quote", cells[0] if cells else "",
                "A quotation mark in this row never ends.", "Remove it, or add the second one.",
            )  # fmt: skip
        hidden = position in table.hidden
        if hidden:
            draft.warn(
                "email", "hidden", draft.values["email"],
                "The page does not show this row: it may be a trap for robots.",
                "Take it only if you know the address.",
            )  # fmt: skip
        _check_email(draft)
        _check_people(draft)
        _check_places(draft)
        _check_reachable(draft)
        _check_duplicate(draft, first_with)
        rows.append(Row(draft.line, draft.values, tuple(draft.problems), hidden))
    return rows


def _collect(draft: _Draft, cells: Sequence[str], fields: Sequence[str], width: int) -> None:
    """Put the cells into their fields; parts of a postal address are joined, of others the first counts."""
    if any(cells[width:]):
        draft.refuse(
            "row", "extra_cells", next(cell for cell in cells[width:] if cell),
            "The row has more cells than there are columns.",
            "Put a text that contains the separator into quotation marks.",
        )  # fmt: skip
    for field, cell in zip(fields, cells, strict=False):
        text = restored_cell(cell).strip()
        if field == "ignore" or not text or text.lower() in _STANDS_FOR_NOTHING:
            continue
        if "\0" in text:
            draft.refuse(
                field, "nul", text.replace("\0", "␀"), "The cell contains a NUL character.", "Type it again."
            )
            text = text.replace("\0", "")
        if len(text) > CELL_LIMIT:
            draft.refuse(
                field,
                "cell_too_long",
                text,
                f"The cell has more than {CELL_LIMIT:,} characters.",
                "Shorten it.",
            )
            text = text[:100]
        if begins_like_a_formula(text):
            draft.warn(
                field, "formula", text,
                "The cell begins like a formula. It is kept as text and never calculated.",
                "Check that this is what you mean.",
            )  # fmt: skip
        if field == "postal_address" and draft.values[field]:
            draft.values[field] += f"\n{text}"
        elif not draft.values[field]:
            draft.values[field] = text


def _check_email(draft: _Draft) -> None:
    found = draft.values["email"]
    if not found:
        return
    text = read_round_about(without_scheme(found))
    name, text = name_and_address(text)
    text = text.strip(" ,;.<>")
    several = list(dict.fromkeys(address.lower() for address in addresses_in(text)))
    if len(several) > 1:
        draft.refuse(
            "email", "several_addresses", found,
            f"The cell holds {len(several)} addresses: {', '.join(several[:5])}.",
            "Keep one, and give each of the others a row of its own.",
        )  # fmt: skip
        return
    if len(several) == 1 and re.search(r"[;,|\s]", text):
        alone = addresses_in(text)[0]
        text = alone if not re.sub(r"[;,|\s]", "", text.lower().replace(alone.lower(), "")) else text
    try:
        address = parse_email(text)
    except AddressRefused as refused:
        draft.refuse("email", refused.code, found, refused.sentence, _cure(refused.code))
        return
    draft.values["email"] = address
    if is_role_address(address):
        draft.refuse(
            "email",
            "role_address",
            found,
            "Nobody reads this kind of address.",
            "Give the office's own address.",
        )
    if found != text:
        draft.warn("email", "rewritten", found, f"Read as {address}.", "Check that this is the address.")
    if name and not draft.values["name"] and "@" not in name:
        draft.values["name"] = name


def _cure(code: str) -> str:
    return {
        "blank_inside": "Take the space out.",
        "line_break": "Keep one address.",
        "no_at": "Add the @, or choose another column for the e-mail address.",
        "several": "Keep one address.",
    }.get(code, "Correct the address, or leave it out and write by post.")


def _check_people(draft: _Draft) -> None:
    for field in _PEOPLE:
        found = draft.values[field]
        if not found:
            continue
        try:
            draft.values[field] = clean_person_name(
                " ".join(re.split(r"[\r\n]+", found)), limit=_LIMITS[field]
            )
        except NameRefused as refused:
            sentence = refused.sentence
            if field not in ("name", "given_name", "family_name"):
                sentence = sentence.replace("The name", "The text").replace("Write a name", "Write something")
            draft.refuse(field, refused.code, found, sentence, "Correct the cell.")
    draft.values["salutation"] = draft.values["salutation"].rstrip(" ,")
    _turn_name(draft)
    values = draft.values
    if not values["name"]:
        values["name"] = " ".join(part for part in (values["given_name"], values["family_name"]) if part)[
            :100
        ].strip()
    if not values["name"]:
        draft.refuse(
            "name",
            "no_name",
            "",
            "The row names nobody.",
            "Write the name of the person, or of the office itself.",
        )


def _turn_name(draft: _Draft) -> None:
    """Read "Dr Lund, Anna" as Anna Lund, with her title where there is none yet."""
    found = draft.values["name"]
    if found.count(",") != 1 or draft.values["given_name"] or draft.values["family_name"]:
        return
    family, given = (part.strip() for part in found.split(","))
    titles = _TITLES.match(family)
    title = titles[0].strip() if titles else ""
    family = family[titles.end() :] if titles else family
    words = (family, given)
    if not all(words) or any(len(part.split()) > 3 or re.search(r"\d", part) for part in words):
        return
    if any(_NO_GIVEN_NAME.match(part) for part in words):
        return
    draft.values.update(name=f"{given} {family}", given_name=given, family_name=family)
    draft.values["title"] = draft.values["title"] or title
    draft.warn("name", "name_turned", found, f"Read as {given} {family}.", "Check which is the family name.")


def _check_places(draft: _Draft) -> None:
    values = draft.values
    country = values["country"]
    if country:
        values["country"] = country_code(country)
        if not values["country"]:
            draft.warn(
                "country", "unknown_country", country, "This country is not known; the row goes without one.",
                "Write its name in English, or its two letters.",
            )  # fmt: skip
    language = values["language"]
    if language:
        values["language"] = language_code(language)[:12]
        if not values["language"]:
            draft.warn(
                "language", "unknown_language", language,
                "This language is not known; the row goes without one.",
                "Write its name in English, or its code, such as de.",
            )  # fmt: skip
    found = values["postal_address"]
    lines = (" ".join(line.split()) for line in found.splitlines())
    post = "\n".join(line for line in lines if line)
    values["postal_address"] = post
    if any(char < " " and char != "\n" for char in post):
        draft.refuse(
            "postal_address", "control_character", found,
            "The postal address contains a character that cannot be printed.",
            "Type it again.",
        )  # fmt: skip
    if len(post) > _LIMITS["postal_address"]:
        draft.refuse(
            "postal_address",
            "too_long",
            found,
            "The postal address has more than 500 characters.",
            "Shorten it.",
        )


def _check_reachable(draft: _Draft) -> None:
    if draft.values["email"]:
        return
    if draft.values["postal_address"]:
        draft.warn(
            "email",
            "paper_only",
            "",
            "There is no e-mail address: letters go on paper only.",
            "Add one if you can.",
        )
    else:
        draft.refuse(
            "email",
            "unreachable",
            "",
            "There is neither an e-mail address nor a postal address.",
            "Add one, or leave it out.",
        )


def _check_duplicate(draft: _Draft, first_with: dict[str, int]) -> None:
    """Flag the later rows of one mailbox; the first that is right counts."""
    email = draft.values["email"]
    if not email or any(problem.severity == "error" for problem in draft.problems):
        return
    first = first_with.setdefault(normalise_email(email), draft.line)
    if first != draft.line:
        draft.refuse(
            "email", "duplicate", email, f"Row {first} has the same e-mail address.", "Keep one of the two."
        )
