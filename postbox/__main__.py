"""`python -m postbox --data DIR --port N`: the postbox alone; prints one line, its port, when ready."""

import argparse
import sqlite3
import sys
from pathlib import Path

from postbox.running import run

FILE_NAME = "postbox.sqlite3"


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop; returns the exit status."""
    parser = argparse.ArgumentParser(prog="postbox", description="A mail server that keeps what it receives.")
    parser.add_argument("--data", type=Path, required=True, help=f"the directory that holds {FILE_NAME}")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    chosen = parser.parse_args(arguments)
    try:
        run(chosen.data / FILE_NAME, chosen.host, chosen.port, lambda port: print(port, flush=True))
    except (OSError, ValueError, OverflowError, sqlite3.Error) as failure:
        print(f"postbox: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
