"""Letters on paper: one PDF, a sheet per target, that fits a window envelope; for one supporter or for a whole pile."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from django.utils import timezone
from django.utils.translation import gettext as _

from letters import composing, envelopes, postal, press, writing
from letters.envelopes import Layout
from letters.models import Letter
from targets.models import Target

TEMPLATE = Path(__file__).resolve().parents[1] / "templates" / "paper" / "letter.typ"
MOST_SHEETS = 1000  # in one PDF
TAGGED_UP_TO = 100  # sheets; a pile to hand over is printed, not read on a screen
SERIFS = ("Noto Serif", "Libertinus Serif", "DejaVu Serif", "Noto Naskh Arabic")  # in this order, as far as there
PACKAGES = "fonts-noto-core fonts-dejavu-core"  # as Debian calls what may be missing
_LOCALES = {"en": "en_GB"}
_SIZES = (10.5, 9.0, 8.0)  # points, of the address
_LINE = 0.43  # millimetres of height that a line takes for each point of its size
_SIGN = 0.185  # … and of width that a sign takes, on average
_SIGNS_A_LINE, _TEXT_LINE = 85, 5.2  # of the text: how many stand on a line, and its height with the gap below
_AROUND_TEXT = 62  # millimetres that date, subject and signature take
_WIDE_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")  # one typeface has them all


@dataclass(frozen=True, slots=True)
class Sheet:
    """One letter as it stands on paper: what the template is given."""

    sender: Sequence[str]
    return_line: str
    to: Sequence[str]
    size: float  # points, of the address
    date: str
    subject: str
    lang: str
    rtl: bool
    lines: float  # how many the text takes, about
    paragraphs: Sequence[Sequence[str]]
    closing: Sequence[str]
    signed: Sequence[str]


def supporters_set(
    letter: Letter, targets: Sequence[Target], *, layout: Layout, language: str, on: date, address: Sequence[str] = ()
) -> bytes:
    """Return one supporter's letters as a PDF, a sheet for each target. Raises press.NotPrinted.

    `address` are the lines a supporter gave to stand below the name, for this print alone. `language` is the page's.
    """
    content = writing.read(letter)
    finisher = composing.Finisher(letter.template, content, draw=letter.draw)
    sender = _sender(content, address)
    sheets = [
        _sheet(finisher.parts(target.values()), content, sender, postal.lines(target, language=language),
               language=letter.template.language, on=on)
        for target in targets
    ]  # fmt: skip
    return _pressed(sheets, title=content.subject, language=letter.template.language, layout=layout)


def bundle(target: Target, letters: Iterable[tuple[Letter, Mapping[str, str]]], *, layout: Layout) -> bytes:
    """Return letters of many supporters to one target as a PDF, to hand over in person. Raises press.NotPrinted.

    Each comes with the values of the TargetVersion it was confirmed with, is dated as it was confirmed, and says of
    its writer what the target learns, no more.
    """
    to = postal.lines(target, language="en") or [target.name]
    sheets = []
    for letter, values in letters:
        content = writing.read(letter)
        finisher = composing.Finisher(letter.template, content, draw=letter.draw)
        on = timezone.localdate(letter.confirmed_at or letter.created_at)
        sheets.append(
            _sheet(finisher.parts(values), content, _sender(content), to, language=letter.template.language, on=on)
        )
    language = sheets[0].lang if sheets else "en"
    return _pressed(sheets, title=_("Letters to %(name)s") % {"name": target.name}, language=language, layout=layout)


def unprintable(texts: Iterable[str]) -> list[str]:
    """Return the scripts in these texts for which this machine has no typeface, as Unicode names them: "Arabic"."""
    known = " ".join(press.typefaces()).upper()
    if "NOTO NASKH" in known or "DEJAVU SANS" in known.replace("DEJAVU SANS MONO", ""):
        known += " ARABIC"
    scripts = {unicodedata.name(sign, "").split(" ")[0] for sign in set("".join(texts)) if sign.isalpha()}
    named = {"CJK" if script in _WIDE_SCRIPTS else script for script in scripts if script}
    # Latin, Greek and Cyrillic are in the typeface that typst brings along; these three are no scripts of their own.
    apart = {"LATIN", "GREEK", "CYRILLIC", "FEMININE", "MASCULINE", "MICRO"}
    return sorted(script.title() for script in named - apart if script not in known)


def lacks_typefaces() -> bool:
    """Return whether this machine lacks the typeface that letters are meant to be set in."""
    return SERIFS[0] not in press.typefaces()


def _sender(content: composing.Content, address: Sequence[str] = ()) -> list[str]:
    where = list(address) or ([content.shown_town] if content.shown_town else [])
    return [content.name, *where, *([content.reply_to] if content.reply_to else [])]


def _sheet(
    parts: Sequence[str],
    content: composing.Content,
    sender: Sequence[str],
    to: Sequence[str],
    *,
    language: str,
    on: date,
) -> Sheet:
    before, closing = list(parts), ""
    if before and before[-1] != content.body.strip():  # a wording may do without a closing
        closing = before.pop()
    paragraphs = [block.split("\n") for part in before for block in re.split(r"\n\s*\n", part)]
    above, signed = _parted(closing, content.name)
    locale = Locale.parse(_LOCALES.get(language, language.replace("-", "_")))
    return Sheet(
        sender=list(sender), return_line=" · ".join(line for line in sender if line != content.reply_to), to=list(to),
        size=_size(to), date=format_date(on, format="long", locale=locale), subject=content.subject, lang=language,
        rtl=locale.text_direction == "rtl", lines=_lines(paragraphs), paragraphs=paragraphs,
        closing=above, signed=signed,
    )  # fmt: skip


def _parted(closing: str, name: str) -> tuple[list[str], list[str]]:
    """Return the closing's lines above and below the signature: the name and what follows it stand below."""
    said = closing.split("\n")
    place = next((n for n, line in enumerate(said) if line.strip() == name), len(said))
    above = "\n".join(said[:place]).rstrip().split("\n")
    return above, said[place:] or [name]


def _lines(paragraphs: Sequence[Sequence[str]]) -> float:
    """Return how many lines a text takes, about; a gap between paragraphs is half a line."""
    return sum(0.5 + sum(max(1, -(-len(line) // _SIGNS_A_LINE)) for line in lines) for lines in paragraphs)


def _size(to: Sequence[str]) -> float:
    """Return the largest size at which the address shows through the window."""
    for size in _SIZES:
        fits = int(envelopes.ADDRESS_WIDTH / (size * _SIGN))
        taken = sum(max(1, -(-len(line) // fits)) for line in to)
        if taken * size * _LINE <= envelopes.ADDRESS_HEIGHT:
            return size
    return _SIZES[-1]


def _pressed(sheets: Sequence[Sheet], *, title: str, language: str, layout: Layout) -> bytes:
    known = press.typefaces()
    room = (layout.height - layout.text_top - layout.margin_bottom - _AROUND_TEXT) / _TEXT_LINE
    said = {
        "title": title,
        "lang": language.partition("-")[0],
        "typefaces": [name for name in SERIFS if name in known],
        "sheet": {
            **{name: value for name, value in asdict(layout).items() if name not in {"key", "envelope"}},
            "address_top": layout.address_top,
            "address_width": envelopes.ADDRESS_WIDTH,
            "inset": envelopes.INSET,
        },
        # Page numbers cost more than all the rest: only letters that may go on overleaf have them.
        "letters": [{**asdict(sheet), "numbered": sheet.lines > room} for sheet in sheets],
    }
    return press.pressed(TEMPLATE, said, tagged=len(sheets) <= TAGGED_UP_TO)
