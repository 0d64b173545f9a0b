"""A language that nobody speaks: every text in brackets, accented and longer, so that what is not translated shows."""

import re
from pathlib import Path

from config import catalogues

LEFT_TO_RIGHT, RIGHT_TO_LEFT = "eo", "he"  # whose dates and numbers are lent; neither is offered
_ACCENTED = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "åƀçđéƒĝĥîĵķļɱñöþʠŕšţûṽŵẋýžÅƁÇĐÉƑĜĤÎĴĶĻṀÑÖÞɊŔŠŢÛṼŴẊÝŽ"
)
_HEBREW = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "אבגדהוזחטיכלמנסעפצקרשתגדהואבגדהוזחטיכלמנסעפצקרשתגדהו"
)
_KEPT = re.compile(r"(%\(\w+\)[a-z]|</?[a-z][^>]*>)")


def pseudo(text: str, language: str) -> str:
    """Return a text in brackets, 40 per cent longer, in letters that English does not have."""
    letters = _HEBREW if language == RIGHT_TO_LEFT else _ACCENTED
    parts = _KEPT.split(text)
    said = "".join(part if at % 2 else part.translate(letters) for at, part in enumerate(parts))
    body, end = said.rstrip(), said[len(said.rstrip()) :]
    longer = " ".join(["·····"] * -(-len(text) * 4 // 60))
    return f"⟦{body} {longer}⟧{end}"


def write(folder: Path) -> None:
    """Write both catalogues of everything in the source, compiled."""
    texts = catalogues.gathered()
    for language in (LEFT_TO_RIGHT, RIGHT_TO_LEFT):
        catalogues.update(language, texts, folder=folder)
        catalogue = catalogues.read(language, folder=folder)
        for text in catalogue:
            if isinstance(text.id, str):
                text.string = pseudo(text.id, language) if text.id else text.string
            else:
                more = pseudo(text.id[1], language)
                text.string = (pseudo(text.id[0], language), *[more] * (catalogue.num_plurals - 1))
        catalogues.source(language, folder=folder).write_bytes(catalogues.written(catalogue))
        catalogues.compile_(language, folder=folder)
