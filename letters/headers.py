"""A letter's headers as bytes, right for any Unicode: RFC 5322 §2.2.3 folding, RFC 2047 encoded words.

The standard library's own folding takes milliseconds for a name outside ASCII, and in Python 3.11 cuts a long quoted
name so that what stands between its commas reads as addresses. Tests compare what its parser reads with what was meant.
"""

import base64
import re
from collections.abc import Iterator
from email import policy
from email.headerregistry import Address

LINE = 78  # characters of a line that need no folding, RFC 5322 §2.1.1
WORD = 75  # of an encoded word, and
WORD_LINE = 76  # of a line that holds one, RFC 2047 §2
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\S)")
_NOT_AS_IT_IS = re.compile(rb"[^A-Za-z0-9!*+/-]")  # RFC 2047 §5 (3): what may stand in a phrase
_FRAME = len("=?utf-8?q??=")
_ATOMS = r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
_SIMPLE_ADDRESS = re.compile(rf"{_ATOMS}@{_ATOMS}")  # far less than RFC 5322 allows, and no folding can cut it


def mailbox(name: str, display_name: str, address: str) -> bytes:
    """Return an address header that holds exactly this one address. Raises ValueError where it would not.

    `name` is From, To or Reply-To.
    """
    display_name = plain(display_name)
    if _UNPRINTABLE.search(display_name + address):
        raise ValueError("A header holds no line breaks or other control characters.")
    is_simple = _SIMPLE_ADDRESS.fullmatch(address) is not None
    if is_simple and not display_name.isascii():  # such an encoded name cannot be misread, and reading costs much
        return _encoded_mailbox(name, display_name, address).encode()
    whole = str(Address(display_name, addr_spec=address))
    if display_name.isascii() and len(name) + 2 + len(whole) <= LINE:
        header = f"{name}: {whole}\r\n"
    elif display_name.isascii():
        phrase, _, _ = whole.rpartition(f" <{address}>")
        header = f"{name}: {phrase}\r\n <{address}>\r\n" if display_name else f"{name}: {address}\r\n"
    else:
        header = _encoded_mailbox(name, display_name, address)
    read = policy.default.header_factory(name, header.partition(": ")[2].replace("\r\n", ""))
    if [one.addr_spec for one in read.addresses] != [address]:
        raise ValueError(f"{name} would not hold the one address that it should.")
    return header.encode()


def _encoded_mailbox(name: str, display_name: str, address: str) -> str:
    words = "\r\n ".join(_encoded(display_name, first=WORD_LINE - len(name) - 2))
    return f"{name}: {words}\r\n <{address}>\r\n"


def text(name: str, value: str) -> bytes:
    """Return a header of plain text, such as Subject. Raises ValueError for line breaks."""
    value = plain(value)
    if _UNPRINTABLE.search(value):
        raise ValueError("A header holds no line breaks or other control characters.")
    if not value.isascii():
        lines = _encoded(value, first=WORD_LINE - len(name) - 2)
    elif len(name) + 2 + len(value) <= LINE:
        lines = iter([value])
    else:
        lines = _folded(value, first=LINE - len(name) - 2)
    folded = "\r\n ".join(lines)
    return f"{name}: {folded}\r\n".encode("ascii")


def plain(value: str) -> str:
    """Return a header's text in which nothing reads as an encoded word (RFC 2047 §2): typed, it is no encoding."""
    return value.replace("=?", "= ?")


def _folded(value: str, *, first: int) -> Iterator[str]:
    """Yield lines of whole words; one that is longer than a line stays whole."""
    room, line = first, ""
    for word in _BETWEEN_WORDS.split(value):
        if line and len(line) + 1 + len(word) > room:
            yield line
            room, line = LINE - 1, word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _encoded(value: str, *, first: int) -> Iterator[str]:
    """Yield encoded words, none of which cuts a character; in the encoding that makes the text shorter."""
    octets = value.encode()
    in_q = len(octets) + 2 * len(_NOT_AS_IT_IS.findall(octets.replace(b" ", b"_")))
    kind, cost = ("q", _cost_in_q) if in_q <= len(octets) * 4 / 3 else ("b", len)
    room = min(first, WORD) - _FRAME
    piece, used = b"", 0
    for character in value:
        octets = character.encode()
        more = cost(octets)
        if piece and (used + more > room if kind == "q" else -(-(len(piece) + more) // 3) * 4 > room):
            yield _word(kind, piece)
            room, piece, used = WORD - _FRAME, b"", 0
        piece += octets
        used += more
    yield _word(kind, piece)


def _cost_in_q(octets: bytes) -> int:
    return 1 if octets == b" " or not _NOT_AS_IT_IS.search(octets) else 3 * len(octets)


def _word(kind: str, octets: bytes) -> str:
    if kind == "b":
        return f"=?utf-8?b?{base64.b64encode(octets).decode('ascii')}?="
    quoted = _NOT_AS_IT_IS.sub(lambda found: b"=%02X" % ord(found[0]) if found[0] != b" " else b"_", octets)
    return f"=?utf-8?q?{quoted.decode('ascii')}?="
