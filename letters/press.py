"""Turns data into a PDF by typst, in a process of its own: it reads the data from standard input.

A process of its own, because typst keeps what it has set: a thousand letters would stay in memory, some 250 MB of
them, and a text that brought it down would bring the pages down. Run as a program it imports nothing of ours.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst

SECONDS = 60
MOST_MEMORY = 4 << 30  # bytes of addresses: far more than a thousand long letters take
AT_ONCE = 2
_turns = threading.BoundedSemaphore(AT_ONCE)


class NotPrinted(Exception):
    """The PDF could not be made now: too much at once, or the typesetter gave up."""

    code = "not_printed"
    sentence = "The letters could not be put on paper just now."


def pressed(template: Path, said: Mapping[str, Any], *, tagged: bool = True) -> bytes:
    """Return the PDF that a template makes of what is said; raises NotPrinted.

    `tagged`: with the structure that screen readers need; bundles that are only printed do without.
    """
    if not _turns.acquire(timeout=SECONDS):
        raise NotPrinted
    try:
        done = subprocess.run(
            [sys.executable, "-I", __file__, str(template), "tagged" if tagged else "plain"],
            input=json.dumps(said).encode(), capture_output=True, timeout=SECONDS, check=True,
        )  # fmt: skip
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        raise NotPrinted from error
    finally:
        _turns.release()
    return done.stdout


@lru_cache(maxsize=1)
def typefaces() -> tuple[str, ...]:
    """Return the names of the typefaces of this machine, and of those that typst brings along."""
    return tuple(typst.Fonts().families())


def _limit() -> None:
    import resource  # noqa: PLC0415  Unix alone has it

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def _press(template: str, *, tagged: bool) -> None:
    _limit()
    said = sys.stdin.buffer.read().decode()
    compiler = typst.Compiler(Path(template).read_bytes(), root=Path(template).parent, sys_inputs={"said": said})
    made = compiler.compile(format="pdf", pdf_tags=tagged)
    if not isinstance(made, bytes):
        raise TypeError("A PDF is one file.")
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    _press(sys.argv[1], tagged=sys.argv[2] == "tagged")
