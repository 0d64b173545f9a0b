"""What the supervisor prints: its own sentences, its programs' lines, and where to go."""

import contextlib
import sys
import threading
from collections.abc import Mapping
from typing import Protocol

_WIDTH = len("mail server")
_one_at_a_time = threading.Lock()


class SignIn(Protocol):
    """The first organiser's sign-in, as made on first start."""

    @property
    def email(self) -> str: ...
    @property
    def password(self) -> str: ...


def say(text: str) -> None:
    """Print one sentence; a closed terminal or pipe is no reason to end."""
    with _one_at_a_time, contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def line(name: str, text: str) -> None:
    """Print one line of a program, with its name before it."""
    say(f"{name:<{_WIDTH}} | {text}")


def sign_in(made: SignIn) -> str:
    """Return the lines that show the first sign-in."""
    return (
        f"\n  First sign-in     {made.email}\n"
        f"  Password          {made.password}   (shown this once; change it after signing in)\n"
    )


def ready(
    base_url: str, directory: str, pids: Mapping[str, int], mail_port: int | None, made: SignIn | None
) -> str:
    """Return what is said when everything runs; `mail_port` is None where mail goes to another server."""
    lines = [
        "",
        "Postbag is ready.",
        "",
        f"  Campaign page     {base_url}/",
        f"  For organisers    {base_url}/organise/",
    ]
    if mail_port is not None:
        lines.append(f"  Mail it has sent  {base_url}/postbox/   (nothing leaves until EMAIL_URL is set)")
    if made is not None:
        lines.append(sign_in(made).rstrip("\n"))
    running = ", ".join(f"{name} ({pid})" for name, pid in pids.items())
    lines += ["", f"  Running           {running}"]
    if mail_port is not None:
        lines.append(f"  Mail server       127.0.0.1:{mail_port}")
    lines += [f"  Files             {directory}", "", "Ctrl-C ends it all.", ""]
    return "\n".join(lines)
