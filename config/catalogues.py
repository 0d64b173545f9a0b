"""The catalogues of translations: gathered from the source, kept in step with it, checked, compiled. All by Babel."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from gettext import c2py  # undocumented, but what reads these expressions when a page is made
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import to_locale

FOLDER = Path(settings.LOCALE_PATHS[0])
NOTES = ("Translators:",)  # a comment that begins like this, above a text, is shown to whoever translates it
COUNTS = {"num"}  # what holds the number: a form that stands for one number alone may leave it out
_KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
# Plural forms that Babel does not know, or gives in another order than other tools (zero, one, two, few, many, other).
_PLURALS = {
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 "
    "? 4 : 5);",
    "kk": "nplurals=2; plural=(n != 1);",
}
_UNDATED = datetime(2011, 11, 23, tzinfo=UTC)
_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z%]")
_TAG = re.compile(r"</?[a-z][^>]*>")
_IDLE = re.compile(
    rb'^"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|'
    rb'Generated-By): .*\n', re.MULTILINE,
)  # fmt: skip  # headers that git knows better, or nobody


@dataclass(frozen=True)
class Standing:
    """How far a language's catalogue is."""

    language: str
    texts: int
    translated: int
    faults: list[str]


def languages() -> list[str]:
    """Return the languages that need a catalogue: all that are offered but the one of the source."""
    return [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def source(language: str, *, folder: Path = FOLDER) -> Path:
    """Return where a language's translations are written, for people."""
    return folder / to_locale(language) / "LC_MESSAGES" / "django.po"


def compiled(language: str, *, folder: Path = FOLDER) -> Path:
    """Return where a language's translations are compiled to, for the machine."""
    return source(language, folder=folder).with_suffix(".mo")


def gathered() -> Catalog:
    """Return every text in the source that is to be translated, without translations; `babel.cfg` says where."""
    with (settings.ROOT / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call]
    catalogue = Catalog(charset="utf-8")
    found = extract_from_dir(
        settings.ROOT, methods, options, keywords=_KEYWORDS, comment_tags=NOTES, strip_comment_tags=True
    )
    for path, _line, text, comments, context in found:
        catalogue.add(text, None, [(path, 1)], auto_comments=comments, context=context)
    return catalogue


def read(language: str, *, folder: Path = FOLDER) -> Catalog:
    """Return a language's catalogue as it is written; an empty one where there is none yet."""
    path = source(language, folder=folder)
    locale = Locale.parse(to_locale(language))
    if path.exists():
        with path.open("rb") as file:
            return read_po(file, locale=locale)
    catalogue = Catalog(locale=locale, charset="utf-8", fuzzy=False)
    catalogue.header_comment = f"# Postbag in {locale.english_name}."
    if language in _PLURALS:
        catalogue.mime_headers = [("Plural-Forms", _PLURALS[language])]
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """Return a catalogue as text, the same for the same translations: in order, without dates or line numbers."""
    file = io.BytesIO()
    write_po(file, catalogue, width=110, sort_output=True, ignore_obsolete=True, include_previous=True,
             include_lineno=False)  # fmt: skip
    return _IDLE.sub(b"", file.getvalue())


def machine_readable(catalogue: Catalog) -> bytes:
    """Return a catalogue compiled, the same bytes for the same translations: what is translated and not in doubt."""
    file = io.BytesIO()
    catalogue.creation_date = catalogue.revision_date = _UNDATED
    write_mo(file, catalogue)
    return file.getvalue()


def update(language: str, texts: Catalog, *, folder: Path = FOLDER) -> None:
    """Bring a language in step with the source: new texts come in empty, changed ones in doubt ("fuzzy")."""
    catalogue = read(language, folder=folder)
    catalogue.update(texts, update_creation_date=False)
    path = source(language, folder=folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(catalogue))


def compile_(language: str, *, folder: Path = FOLDER) -> None:
    """Compile a language's catalogue."""
    compiled(language, folder=folder).write_bytes(machine_readable(read(language, folder=folder)))


def standing(language: str, texts: Catalog, *, folder: Path = FOLDER) -> Standing:
    """Return how far a language is, and what is wrong with its catalogue."""
    catalogue = read(language, folder=folder)
    faults = list(_faults(catalogue, texts))
    path = compiled(language, folder=folder)
    if not path.exists() or path.read_bytes() != machine_readable(catalogue):
        faults.append("The compiled catalogue is not of these translations: manage.py translations compile")
    done = [text for text in texts if text.id and _is_done(_found(catalogue, text))]
    return Standing(language, len(texts), len(done), faults)


def _faults(catalogue: Catalog, texts: Catalog) -> Iterator[str]:
    for text in texts:
        if not text.id:
            continue  # the header
        there, name = _found(catalogue, text), _named(text)
        if there is None:
            yield f"Not in the catalogue: {name}"
        elif there.fuzzy:
            yield f"In doubt: {name}"
        elif not _is_done(there):
            yield f"Not translated: {name}"
        else:
            yield from (f"{fault}: {name}" for fault in _differences(there, catalogue))
    for text in catalogue:
        if text.id and _found(texts, text) is None:
            yield f"No longer in the source: {_named(text)}"


def _differences(text: Message, catalogue: Catalog) -> Iterator[str]:
    """Yield how a translation does not fit its text: other placeholders, tags or blanks at its ends."""
    ids, strings = _forms(text.id), _forms(text.string)
    wanted = _parts(ids[-1])
    for position, string in enumerate(strings):
        missing, more = wanted - _parts(string), _parts(string) - wanted
        if len(ids) > 1 and _stands_for_one_number(catalogue, position):
            missing = Counter({part: n for part, n in missing.items() if part[2:-2] not in COUNTS})
        if missing or more:
            yield f"Without {sorted(missing)}, with {sorted(more)}, in “{string}”"
        if string[:1].isspace() != ids[-1][:1].isspace() or string[-1:].isspace() != ids[-1][-1:].isspace():
            yield f"Other blanks at the ends of “{string}”"


def _parts(text: str) -> Counter[str]:
    return Counter([part for part in _PLACEHOLDER.findall(text) if part != "%%"] + _TAG.findall(text))


def _stands_for_one_number(catalogue: Catalog, position: int) -> bool:
    """Return whether a plural form is used for a single number, so that "one letter" need not say it in digits."""
    return sum(form_of(catalogue.plural_expr, number) == position for number in range(200)) == 1


def form_of(expression: str, number: int) -> int:
    """Return which form a catalogue's plural expression (as in C) takes for a number."""
    return int(c2py(expression)(number))


def _found(catalogue: Catalog, text: Message) -> Message | None:
    return catalogue.get(text.id if isinstance(text.id, str) else text.id[0], text.context)


def _is_done(text: Message | None) -> bool:
    return text is not None and not text.fuzzy and all(_forms(text.string))


def _forms(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _named(text: Message) -> str:
    return f"“{_forms(text.id)[0]}”"
