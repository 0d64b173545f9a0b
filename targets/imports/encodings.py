"""Which encoding a file is in: by its mark, by its form, else by the letters that it would spell."""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# A list of names is too short for statistics: the letters beyond ASCII that each language uses tell more.
_LETTERS = {
    "cp1252": (
        "äöüßé", "éèêëàâçîïôûùœæ", "áéíóúñü", "åäöæøé", "ãõáéíóúâêôçà", "àèéìòù", "äöüßéèêëàâçîïôûñáíóúøåæãõ",
    ),
    "cp1250": ("áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "ăâîşţ", "čćđšž"),
    "cp1251": ("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўјљњћџђ",),
    "koi8_r": ("абвгдеёжзийклмнопрстуфхцчшщъыьэюя",),
}  # fmt: skip
_SIGNS = "–—„“”‚‘’«»…°§€№\u00a0´"
_LABELS = {
    "cp1252": "Windows-1252 (Latin-1)",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "koi8_r": "KOI8-R",
}
_TWO_SCRIPTS = re.compile(r"[a-zA-Z][\u0400-\u04ff]|[\u0400-\u04ff][a-zA-Z]")  # in one word: misread
_SAMPLE = 20_000


def decode(content: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding; bytes that are no text in it become U+FFFD."""
    for mark, codec, label in _MARKS:
        if content.startswith(mark):
            return content.decode(codec, errors="replace"), label
    half = len(content) // 2
    if half > 4:
        for order, high in (("le", 1), ("be", 0)):
            if content[high::2].count(0) > half * 0.4 and content[1 - high :: 2].count(0) < half * 0.1:
                return content.decode(f"utf-16-{order}", errors="replace"), "UTF-16"
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        codec = _old_encoding(content)
    return content.decode(codec, errors="replace"), _LABELS.get(codec, codec.upper().replace("_", "-"))


def _old_encoding(content: bytes) -> str:
    """Return the codec of a text from before Unicode; Windows-1252, the commonest, where nothing tells."""
    telling = b"\n".join(line for line in content.splitlines() if not line.isascii())[:_SAMPLE]
    scores = {codec: _spelling(telling.decode(codec, errors="replace"), codec) for codec in _LETTERS}
    likeliest = max(scores, key=lambda codec: scores[codec])
    if scores[likeliest] > 0.5:
        return likeliest
    from charset_normalizer import from_bytes  # noqa: PLC0415  large, and a worker never needs it

    best = from_bytes(telling, steps=5, chunk_size=512).best()
    return best.encoding if best and best.encoding not in ("ascii", "utf_8") else "cp1252"


def _spelling(text: str, codec: str) -> float:
    """Return (-1 to 1) how well the letters beyond ASCII fit one language; capitals count a little less."""
    letters = [char for char in text if char > "\x7f" and char not in _SIGNS]
    if not letters:
        return 0.0
    small = {
        letter: sum(letters.count(form) for form in {letter, letter.upper()})
        for letter in set("".join(_LETTERS[codec]))
    }
    capitals = sum(1 for letter in letters if letter.isupper())
    fitting = max(
        # Several languages mixed fit nearly anything: one alone says more.
        sum(small[letter] for letter in language) * (0.85 if len(language) > 20 and codec == "cp1252" else 1)
        for language in _LETTERS[codec]
    )
    two_scripts = len(_TWO_SCRIPTS.findall(text))
    return (2 * fitting - 0.5 * capitals - 2 * two_scripts) / len(letters) - 1
