"""The words of the glossary, and none of their rejected synonyms, in the names that the code makes up."""

import re
from itertools import pairwise

from tests.architecture.source import names, parsed

REJECTED = {"recipient", "recipients", "contact", "contacts", "petition", "petitions", "mailing", "mailings"}
REJECTED_PAIRS = {("mail", "job"), ("mail", "jobs"), ("email", "job")}
ALLOWED = {
    # SMTP's own word for whom RCPT names; read next to "4xx to RCPT".
    ("letters/endings.py", "at_recipient"),
}


def parts(name: str) -> list[str]:
    """Return the words of an identifier in lower case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [part for part in spaced.lower().split("_") if part]


def is_rejected(name: str) -> bool:
    """Return whether an identifier uses a rejected synonym."""
    words = parts(name)
    return bool(REJECTED & set(words)) or any(pair in REJECTED_PAIRS for pair in pairwise(words))


def test_no_name_uses_a_rejected_synonym() -> None:
    """`target`, `supporter`, `letter`, `delivery`, `ask`: one word for one thing."""
    offenders = [
        f"{path}:{line} {name}"
        for path, tree in parsed().items()
        for name, line in names(tree)
        if is_rejected(name) and (path, name) not in ALLOWED
    ]
    assert offenders == []


def test_a_rejected_synonym_would_be_seen() -> None:
    """In snake case and in camel case, and not inside other words."""
    assert all(is_rejected(name) for name in ("recipient", "RecipientList", "contact_of", "mail_job", "sendMailJob"))
    assert not any(is_rejected(name) for name in ("contactless", "reply_to", "mail", "job"))
