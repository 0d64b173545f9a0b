"""The words that stand over columns, in English, German, French, Spanish and Russian."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from targets.imports.spelling import addresses_in

_WORDS = {
    "name": (
        "name", "full name", "fullname", "person", "member", "mp", "mep", "ambassador", "display name",
        "vollständiger name", "mitglied", "abgeordnete", "abgeordneter", "nom complet", "nom et prénom",
        "membre", "député", "nombre completo", "nombre y apellidos", "diputado", "miembro", "фио",
        "имя и фамилия", "полное имя", "депутат",
    ),
    "given_name": (
        "given name", "first name", "firstname", "forename", "given", "vorname", "prénom", "prenom",
        "nombre", "имя",
    ),
    "family_name": (
        "family name", "last name", "lastname", "surname", "family", "nachname", "familienname", "nom",
        "nom de famille", "apellido", "apellidos", "фамилия",
    ),
    "title": (
        "title", "academic title", "honorific", "titel", "anrede titel", "akademischer titel", "titre",
        "título", "titulo", "tratamiento", "титул", "звание",
    ),
    "role": (
        "role", "position", "function", "office held", "job title", "post held", "funktion", "amt",
        "rolle", "fonction", "poste", "cargo", "función", "puesto", "должность", "роль", "функция",
    ),
    "institution": (
        "institution", "organisation", "organization", "office", "embassy", "ministry", "body",
        "party group", "company", "behörde", "botschaft", "ministerium", "firma", "amt/behörde",
        "institut", "ambassade", "ministère", "organisme", "institución", "embajada", "ministerio",
        "organización", "организация", "учреждение", "посольство", "министерство",
    ),
    "country": (
        "country", "state", "nation", "country code", "land", "staat", "länderkürzel", "pays", "país",
        "pais", "страна", "государство",
    ),
    "language": (
        "language", "lang", "correspondence language", "sprache", "langue", "idioma", "lengua", "язык",
    ),
    "salutation": (
        "salutation", "greeting", "dear", "anrede", "briefanrede", "formule d'appel",
        "formule de politesse", "saludo", "обращение", "приветствие",
    ),
    "email": (
        "email", "e-mail", "mail", "e mail", "email address", "e-mail address", "mail address",
        "electronic mail", "emailadresse", "e-mail-adresse", "mailadresse", "mail-adresse", "courriel",
        "adresse électronique", "adresse e-mail", "adresse mail", "mél", "correo", "correo electrónico",
        "correo electronico", "эл. почта", "электронная почта", "почта", "емейл", "имейл",
        "адрес электронной почты", "эл. адрес",
    ),
    "postal_address": (
        "address", "postal address", "post address", "mailing address", "street", "street address",
        "postcode", "zip", "zip code", "city", "town", "anschrift", "adresse", "postanschrift",
        "straße", "strasse", "plz", "ort", "stadt", "adresse postale", "code postal", "ville", "rue",
        "dirección", "direccion", "dirección postal", "código postal", "ciudad", "calle", "адрес",
        "почтовый адрес", "улица", "город", "индекс",
    ),
    "ignore": (
        "phone", "telephone", "tel", "fax", "mobile", "website", "web", "url", "notes", "note",
        "remarks", "id", "no", "nr", "number", "date", "party", "constituency", "telefon", "handy",
        "notiz", "bemerkung", "bemerkungen", "webseite", "nummer", "partei", "fraktion", "wahlkreis",
        "téléphone", "site", "remarque", "parti", "numéro", "teléfono", "móvil", "sitio web", "notas",
        "partido", "телефон", "факс", "сайт", "примечание", "партия", "номер",
    ),
}  # fmt: skip
_FIELD_OF = {word: field for field, words in _WORDS.items() for word in words}


@dataclass(frozen=True)
class Header:
    """The line of column names, how many lines to skip for the data, and what was noticed."""

    cells: tuple[str, ...]
    skipped: int
    title: str
    notes: tuple[str, ...]


def field_of_word(text: str) -> str:
    """Return the field that a column name stands for, or "" where it is not a known word."""
    return _FIELD_OF.get(_bare(text), "")


def field_like_word(text: str) -> str:
    """Return the field whose word occurs in a column name, or "": `Official e-mail (office)` is an e-mail."""
    bare = _bare(text)
    if not bare or len(bare) > 100:
        return ""
    padded = f" {bare} "
    hits = [
        (len(word), field) for word, field in _FIELD_OF.items() if len(word) > 2 and f" {word} " in padded
    ]
    return max(hits)[1] if hits else ""


def is_email_word(text: str) -> bool:
    """Return whether a column of this name holds e-mail addresses."""
    return field_of_word(text) == "email" or field_like_word(text) == "email"


def find_header(rows: Sequence[tuple[str, ...]]) -> Header:
    """Return the header among the first rows of a table; invents "Column 1" … where there is none."""
    width = max((len(row) for row in rows), default=0)
    candidates: list[tuple[int, int]] = []  # how well it fits, where
    for index, row in enumerate(rows[:6]):
        if any(addresses_in(cell[:500]) for cell in row):
            break
        exact = _exact_words(row)
        hits = 2 * exact + sum(1 for cell in row if len(cell) < 40 and field_like_word(cell))
        if hits:
            candidates.append((hits, index))
    if not candidates:
        return _without_words(rows, width)
    best, at = max(candidates, key=lambda pair: (pair[0], -pair[1]))
    if best <= 3 and width > 2 and any(char.isdigit() for cell in rows[at] for char in cell):
        return _without_words(rows, width)
    skipped = at + 1
    notes: list[str] = []
    above = [cell for row in rows[:at] for cell in row if cell]
    title = ""
    if above:
        title = above[0][:100] if sum(1 for cell in rows[0] if cell) == 1 or len(set(rows[0])) == 1 else ""
        notes.append("lines above the column names were left out")
    while skipped < min(len(rows), at + 3) and _is_second_header(rows[skipped]):
        skipped += 1
        notes.append("a second line of column names was left out")
    cells = tuple(" ".join(cell.split())[:100] for cell in rows[at])
    cells = (
        *cells,
        *(f"Column {number + 1}" for number in range(len(cells), _usual_width(rows[skipped:], len(cells)))),
    )
    return Header(cells, skipped, title, tuple(notes))


def _exact_words(row: tuple[str, ...]) -> int:
    return sum(1 for cell in row if field_of_word(cell))


def _is_second_header(row: tuple[str, ...]) -> bool:
    """Return whether a line repeats the column names, in another language for instance."""
    exact = _exact_words(row)
    return exact >= 2 and exact * 2 >= sum(1 for cell in row if cell)


def _without_words(rows: Sequence[tuple[str, ...]], width: int) -> Header:
    """Take the first line for a header where an address stands under, not in, one of its cells."""
    first = rows[0] if rows else ()
    if width > 1 and all(first) and all(len(cell) < 60 for cell in first):
        above = any(addresses_in(cell) for cell in first)
        below = any(addresses_in(cell[:500]) for row in rows[1:6] for cell in row[: len(first)])
        if below and not above:
            return Header(tuple(" ".join(cell.split()) for cell in first), 1, "", ())
    usual = _usual_width(rows, 0)
    names = tuple(f"Column {number + 1}" for number in range(usual))
    return Header(names, 0, "", ("no column names found",))


def _usual_width(rows: Sequence[tuple[str, ...]], least: int) -> int:
    """Return how many columns most rows use, at least `least`."""
    widths = sorted(max((n + 1 for n, cell in enumerate(row) if cell), default=0) for row in rows)
    return max(least, widths[len(widths) // 2]) if widths else least


def _bare(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("_", " ")).strip(" *:.?!()[]\"'").casefold()
