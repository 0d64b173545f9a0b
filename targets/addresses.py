"""What counts as an e-mail address and as a name, for supporters and for targets alike."""

import re
import unicodedata

from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

LOCAL_LIMIT = 64  # octets, RFC 5321 §4.5.3.1.1
ADDRESS_LIMIT = 254  # octets, RFC 5321 §4.5.3.1.3 less the angle brackets

# Mailboxes of machines and of whole houses (RFC 2142 and habit): no person reads them as theirs.
_ROLES = frozenset([
    "abuse", "all", "alle", "bounce", "bounces", "daemon", "devnull", "do-not-reply", "do_not_reply",
    "donotreply", "everybody", "everyone", "ftp", "hostmaster", "listserv", "mailer-daemon",
    "mailerdaemon", "majordomo", "no-reply", "no_reply", "nobody", "noc", "noreply", "null", "postmaster",
    "root", "security", "spam", "unsubscribe", "usenet", "uucp", "webmaster",
])  # fmt: skip
_GMAIL = frozenset({"gmail.com", "googlemail.com"})

# Hangul fillers, the blank Braille pattern and the grapheme joiner look like nothing at all.
_LOOKS_LIKE_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_ENDS = frozenset("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")


class AddressRefused(ValueError):
    """An e-mail address that cannot be used: a code, and a sentence that says how to fix it."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


class NameRefused(ValueError):
    """A name that cannot be used: a code, and a sentence that says how to fix it."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


def parse_email(text: str) -> str:
    """Return the bare address: local part as written (NFC), domain in lower case and as A-label (RFC 5890).

    Nothing is looked up. Raises AddressRefused. The rules are those of RFC 5321, and stricter: one dotted
    domain, no quoted local part, no address literal, nothing that changes its looks under NFKC.
    """
    if not _LINE_ENDS.isdisjoint(text):
        raise AddressRefused("line_break", _("The address contains a line break. Write one address on one line."))
    text = text.strip()
    _refuse_by_looks(text)
    local, _at, domain = text.rpartition("@")
    _refuse_local_part(local)
    _refuse_domain(domain)
    try:
        parsed = validate_email(
            f"{unicodedata.normalize('NFC', local)}@{domain}",
            check_deliverability=False,
            # The reserved names `.example` and `.test` are what demonstrations and rehearsals write to.
            test_environment=True,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
        )
    except (EmailNotValidError, UnicodeError):
        raise AddressRefused(
            "not_an_address", _("This does not look like an e-mail address. Write it like name@office.example.")
        ) from None
    address = f"{unicodedata.normalize('NFC', local)}@{parsed.ascii_domain}"
    if "." not in (parsed.ascii_domain or ""):
        raise _no_dot()
    if len(address.encode()) > ADDRESS_LIMIT:
        raise _too_long()
    return address


def normalise_email(address: str) -> str:
    """Return the form under which an address is counted: spellings that reach the same mailbox fold together.

    Lower case throughout; for Gmail, dots and what follows a plus do not count. Never raises, and is stable
    when applied twice. Not an address to write to.
    """
    try:
        address = parse_email(address)
    except AddressRefused:
        address = address.strip()
    local, at, domain = address.rpartition("@")
    local = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).lower())
    domain = domain.lower()
    if domain in _GMAIL:
        domain = "gmail.com"
        local = local.split("+", 1)[0].replace(".", "") or local
    return f"{local}{at}{domain}"


def mailbox_of(address: str) -> str:
    """Return the form under which mail to an address is capped: as counted, and without a `+tag` at any domain.

    Two people may share a mailbox by tags, so identity does not fold them; a flood aimed at one mailbox must.
    """
    local, _at, domain = normalise_email(address).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def is_role_address(address: str) -> bool:
    """Return whether an address belongs to a machine or a whole house, such as noreply@ or postmaster@."""
    local = address.strip().rpartition("@")[0].lower().split("+", 1)[0]
    return local in _ROLES or local.startswith("owner-") or local.endswith(("-request", "-owner", "-bounces"))


def clean_person_name(text: str, *, limit: int = 100) -> str:
    """Return a name on one line: NFC, outer blanks gone, inner runs made one; at most `limit` characters.

    Raises NameRefused for line breaks, control characters, direction marks, characters without any width,
    names that are blank, and names that are too long. Everything else is kept: quotes, commas, emoji.
    """
    for char in text:
        kind = unicodedata.category(char)
        if char in _LINE_ENDS:
            raise NameRefused("line_break", _("The name contains a line break. Write it on one line."))
        if kind == "Cs" or (kind == "Cc" and char != "\t"):
            raise NameRefused(
                "control_character", _("The name contains a character that cannot be printed. Retype it.")
            )
        if char in _BIDI:
            raise NameRefused("direction_mark", _("The name contains a mark that turns the writing round. Retype it."))
        if kind == "Cf" or char in _LOOKS_LIKE_NOTHING:
            raise NameRefused("invisible_character", _("The name contains a character that nobody can see. Retype it."))
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not any(unicodedata.category(char)[0] in "LNPS" for char in name):
        raise NameRefused("blank", _("The name is empty. Write a name."))
    if len(name) > limit:
        raise NameRefused(
            "too_long",
            _("The name is longer than %(limit)d characters. Shorten it.") % {"limit": limit},
        )
    return name


def _refuse_by_looks(text: str) -> None:
    """Refuse what is wrong with the text as a whole; raises AddressRefused."""
    if not text:
        raise AddressRefused("blank", _("The e-mail address is empty. Write one like name@office.example."))
    if len(text.encode(errors="replace")) > 4 * ADDRESS_LIMIT:
        raise _too_long()
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs") or char in _LOOKS_LIKE_NOTHING for char in text):
        raise AddressRefused(
            "invisible_character",
            _("The address contains a character that nobody can see. Type it again by hand."),
        )
    if "<" in text or ">" in text:
        raise AddressRefused("name_included", _("Write the address alone, without a name and without < and >."))
    if '"' in text:
        raise AddressRefused("quoted", _("Addresses with quotation marks cannot be used. Leave them out."))
    if text.count("@") > 1 or any(char in text for char in ",;"):
        raise AddressRefused("several", _("Write exactly one address, with one @ in it."))
    if "@" not in text:
        raise AddressRefused("no_at", _("The @ is missing. Write the address like name@office.example."))
    if any(char.isspace() for char in text):
        raise AddressRefused("blank_inside", _("The address contains a space. Take it out."))


def _refuse_local_part(local: str) -> None:
    """Refuse what stands before the @; raises AddressRefused."""
    if not local:
        raise AddressRefused("no_local_part", _("The part before the @ is missing. Write it like name@office.example."))
    if len(unicodedata.normalize("NFC", local).encode()) > LOCAL_LIMIT:
        raise AddressRefused(
            "local_part_too_long",
            _("The part before the @ is longer than %(limit)d characters.") % {"limit": LOCAL_LIMIT},
        )
    if local.startswith("-"):
        raise AddressRefused("leading_hyphen", _("An address cannot begin with a hyphen. Check its first character."))
    if "%" in local or "!" in local:
        # Some servers pass such mail on to somebody else.
        raise AddressRefused("relayed", _("Addresses with % or ! before the @ cannot be used. Check the spelling."))
    if not local.isascii():
        # They need SMTPUTF8 (RFC 6531) from every server on the way, and few have it.
        raise AddressRefused(
            "not_ascii",
            _("Letters such as ü before the @ cannot be used yet. Give another address, if there is one."),
        )
    if local.startswith("=?") and local.endswith("?="):
        raise AddressRefused("encoded", _("This address was encoded by a mail program. Type it again by hand."))
    if _is_unstable(local):
        raise _wide()


def _refuse_domain(domain: str) -> None:
    """Refuse what stands behind the @; raises AddressRefused."""
    if not domain:
        raise AddressRefused("no_domain", _("The part behind the @ is missing. Write it like name@office.example."))
    if len(domain) > ADDRESS_LIMIT:
        raise _too_long()
    if _is_unstable(domain) or "\u3002" in domain:
        raise _wide()
    if domain.startswith("[") or re.fullmatch(r"[0-9.]+", domain):
        raise AddressRefused("number", _("Write the name of the mail server behind the @, not its number."))
    if "." not in domain.strip("."):
        raise _no_dot()


def _is_unstable(part: str) -> bool:
    return unicodedata.normalize("NFKC", part) != unicodedata.normalize("NFC", part)


def _wide() -> AddressRefused:
    return AddressRefused(
        "look_alike",
        _("The address contains wide or joined letters that only look like normal ones. Type it again."),
    )


def _no_dot() -> AddressRefused:
    return AddressRefused(
        "no_dot", _("The part behind the @ needs a full stop, as in office.example. Write the whole address.")
    )


def _too_long() -> AddressRefused:
    return AddressRefused(
        "too_long", _("The address is longer than %(limit)d characters. Check it.") % {"limit": ADDRESS_LIMIT}
    )
