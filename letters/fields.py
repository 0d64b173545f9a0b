"""The hard rules for what a supporter types: few, and each keeps what was typed."""

import re
import unicodedata

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letters.models import Letter
from targets.addresses import AddressRefused, NameRefused, clean_person_name, is_role_address, parse_email

SUBJECT_LIMIT = 200
BODY_LEAST, BODY_MOST = 20, 20_000
SENTENCE_LIMIT = 2000
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_BROKEN = "\ufffd"  # what stands where bytes were no UTF-8
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def text(field: str, typed: str, errors: dict[str, str], *, most: int, least: int = 0) -> str:
    """Return a text in NFC with plain line ends; what is wrong with it goes into `errors` under `field`."""
    typed = re.sub(r"\r\n?|[\u0085\u2028\u2029]", "\n", typed)
    if _FORBIDDEN.search(typed):
        errors[field] = _("This holds characters that cannot be sent, perhaps from a copied file. We took them out.")
        typed = _FORBIDDEN.sub("", typed)
    _unbroken(field, typed, errors)
    kept = unicodedata.normalize("NFC", "\n".join(line.rstrip() for line in typed.split("\n"))).strip()
    if len(kept) < least:
        empty = _("Your letter is empty. Write at least a sentence.")
        errors[field] = _("Write at least a sentence.") if kept else empty
    elif len(kept) > most:
        over = len(kept) - most
        errors[field] = ngettext(
            "Your letter is %(num)s character too long. Most offices stop reading after one page.",
            "Your letter is %(num)s characters too long. Most offices stop reading after one page.", over,
        ) % {"num": over}  # fmt: skip
    return kept


def links(body: str, errors: dict[str, str], *, most: int) -> None:
    """Refuse more links than the campaign allows: offices sort such mail away, and so do mail servers."""
    found = len(_LINK.findall(body))
    if found > most and "body" not in errors:
        errors["body"] = ngettext(
            "Your letter has %(num)s link. Offices sort such mail away: keep at most %(most)s.",
            "Your letter has %(num)s links. Offices sort such mail away: keep at most %(most)s.", found,
        ) % {"num": found, "most": most}  # fmt: skip


def subject(typed: str, errors: dict[str, str]) -> str:
    """Return the subject: one line of at most 200 characters."""
    if re.search(r"[\r\n\u0085\u2028\u2029]", typed.strip()):
        errors["subject"] = _("The subject is one line. Take out the line break.")
    kept = unicodedata.normalize("NFC", one_line(typed))
    _unbroken("subject", kept, errors)
    if not kept:
        errors["subject"] = _("Write a subject: it is what the office sees first.")
    elif len(kept) > SUBJECT_LIMIT:
        over = len(kept) - SUBJECT_LIMIT
        errors["subject"] = ngettext(
            "The subject is %(num)s character too long.", "The subject is %(num)s characters too long.", over
        ) % {"num": over}
    return kept


def name(typed: str, errors: dict[str, str]) -> str:
    """Return the supporter's name."""
    if not typed.strip():
        errors["name"] = _("Write your name: a letter without one is not read.")
        return ""
    return _person("name", typed, errors)


def town(typed: str, errors: dict[str, str]) -> str:
    """Return the town, which may be left out."""
    return _person("town", typed, errors) if typed.strip() else ""


def email(typed: str, errors: dict[str, str], letter: Letter) -> str:
    """Return the supporter's own address: neither an office's duty address nor that of somebody written to."""
    if not typed.strip():
        errors["email"] = _("Write your e-mail address: we send the confirmation there.")
        return ""
    try:
        address = parse_email(typed)
    except AddressRefused as refused:
        errors["email"] = refused.sentence
        _unbroken("email", typed, errors)
        return one_line(typed)[:254]
    if is_role_address(address):
        errors["email"] = _("This address belongs to an office, not to a person. Use your own.")
    elif letter.ask.target_list.targets.filter(email__value__iexact=address).exists():
        errors["email"] = _("This is the address of somebody you are writing to. Use your own.")
    return address


def tick(typed: str) -> str:
    """Return "yes" or "no" as a box says it, "" for anything else."""
    return typed if typed in {"yes", "no"} else ""


def one_line(typed: str) -> str:
    """Return what was typed as one line without control characters: enough to show it again."""
    return _FORBIDDEN.sub("", " ".join(typed.split()))[:1000]


def _unbroken(field: str, typed: str, errors: dict[str, str]) -> None:
    """Refuse what arrived with characters lost on the way; what is left of it is kept, to be mended."""
    if _BROKEN in typed:
        errors[field] = _("Some characters were lost on the way: they show as �. Type them again.")


def _person(field: str, typed: str, errors: dict[str, str]) -> str:
    _unbroken(field, typed, errors)
    try:
        return clean_person_name(typed)
    except NameRefused as refused:
        errors[field] = refused.sentence
        return one_line(typed)[:300]
