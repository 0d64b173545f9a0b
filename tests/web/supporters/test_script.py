"""The supporters' script: small, alone, and needed by nothing."""

import gzip
import re

from django.conf import settings

from tests.web.supporters.conftest import Dana, page

SCRIPT = settings.ROOT / "static" / "js" / "supporters.js"
MOST_BYTES = 4608  # gzipped


def test_it_is_small_and_loads_nothing() -> None:
    text = SCRIPT.read_text("utf-8")
    assert len(gzip.compress(text.encode(), 9)) <= MOST_BYTES
    assert not re.search(r"\bimport\b|https?:|localStorage\.|\beval\b|document\.cookie", text)


def test_pages_name_it_deferred_and_hold_no_script_of_their_own(dana: Dana) -> None:
    waiting = dana.send()
    for address in (waiting, waiting.replace("/confirm/", "/write/"), dana.status()):
        html = page(dana.get(address))
        assert re.findall(r"<script\b[^>]*>", html) == ['<script src="/static/js/supporters.js" defer>']
        assert not re.search(r'\son[a-z]+="', html)
