"""Everything that must hold before a change is taken: `./check`, or `./check quick` in about a minute."""

# ruff: noqa: T201  printing is its purpose

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests import servers

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
OUTSIDE = {  # settings of an installation, which tests must not inherit
    "BASE_URL", "BEHIND_PROXY", "CONNECTIONS", "DATABASE_URL", "DATABASE_URL_FILE", "DJANGO_SETTINGS_MODULE",
    "EMAIL_URL", "EMAIL_URL_FILE", "HOOKS", "HOOKS_KEYS", "HOOKS_KEYS_FILE", "HOOKS_SECRET", "HOOKS_SECRET_FILE",
    "HOST",
    "INBOUND_CERTIFICATE", "INBOUND_HOST", "INBOUND_KEY", "INBOUND_LMTP_PORT", "INBOUND_PORT", "INSTANCE_ID",
    "LOG_LEVEL", "MAIL_DOMAIN", "MASTER_KEY", "MASTER_KEY_FILE", "PACED", "PEPPER", "PEPPER_FILE", "PORT",
    "POSTBAG_BROKER_SOCKET", "POSTBAG_DATA", "POSTBOX_PORT", "RECEIVES_MAIL",
    "REDIS_URL", "REDIS_URL_FILE", "SECRET_KEY", "SECRET_KEY_FILE", "SUPPORTER_EMAIL_URL",
    "SUPPORTER_EMAIL_URL_FILE", "WORKERS",
}  # fmt: skip


FAULTS = "tests/faults/test_gate.py"  # brings both databases with it, and its leases are short: nothing runs beside it
IN_PARALLEL = ("-n", "2", "--dist", "loadgroup")
SAME_EACH_TIME = "--hypothesis-profile=ci"  # no draw of examples decides about a change; pytest by itself draws anew
BESIDE_NOTHING = ("-n", "0")  # the browser's journeys share one running installation, in front of a real browser


@dataclass
class Gate:
    """What was run so far and how it went."""

    directory: Path
    failed: list[str] = field(default_factory=list)
    closing_lines: list[str] = field(default_factory=list)
    passed_tests: int = 0
    failed_tests: int = 0
    skipped_tests: int = 0

    def step(self, name: str, command: Sequence[str], **settings: str) -> bool:
        """Run one check and say how long it took."""
        print(f"\n── {name}", flush=True)
        began_at = time.monotonic()
        status = subprocess.run(command, cwd=ROOT, env=environment(settings), check=False).returncode
        how = "holds" if status == 0 else f"FAILED with status {status}"
        print(f"── {name}: {how} ({time.monotonic() - began_at:.0f} s)", flush=True)
        if status != 0:
            self.failed.append(name)
        return status == 0

    def tests(self, name: str, *options: str, **settings: str) -> None:
        """Run pytest, count from its own report, keep its closing line."""
        report = self.directory / f"tests-{len(self.closing_lines)}.xml"
        held = self.step(
            name, [sys.executable, "-m", "pytest", "-q", SAME_EACH_TIME, f"--junitxml={report}", *options], **settings
        )
        try:
            counts = [
                {kind: int(suite.get(kind, 0)) for kind in ("tests", "failures", "errors", "skipped")}
                for suite in ElementTree.parse(report).iter("testsuite")  # noqa: S314  pytest's own
            ]
        except (OSError, ElementTree.ParseError):
            counts = []
        total, skipped = sum(one["tests"] for one in counts), sum(one["skipped"] for one in counts)
        failed = sum(one["failures"] + one["errors"] for one in counts)
        if not held and failed == 0:
            failed = 1  # it ended before it could count
        passed = max(total - failed - skipped, 0)
        self.passed_tests += passed
        self.failed_tests += failed
        self.skipped_tests += skipped
        self.closing_lines.append(f"{name}: {passed} passed, {failed} failed, {skipped} skipped")

    def finish(self) -> int:
        """Print the closing lines; returns the exit status."""
        print()
        for line in self.closing_lines:
            print(line)
        print(f"FAILED: {'; '.join(self.failed)}" if self.failed else "Everything holds.")
        passed, failed, skipped = self.passed_tests, self.failed_tests, self.skipped_tests
        print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
        return 1 if self.failed else 0


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without the settings of an installation, with `settings`."""
    kept = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
    return {**kept, **settings}


def static_checks(gate: Gate) -> None:
    """Style, shape and types: nothing that runs the product."""
    gate.step("ruff", [str(BIN / "ruff"), "check", "."])
    gate.step("imports", [str(BIN / "lint-imports")])
    gate.step("types", [str(BIN / "mypy")], POSTBAG_DATA=str(gate.directory / "types"))


def whole(gate: Gate) -> None:
    """All checks and all tests, on both pairs of databases."""
    static_checks(gate)
    # H015 is about the source's layout, J004 and J018 are about Flask, H043: a button in a form submits anyway.
    ignored = "--ignore=H015,H043,J004,J018"
    gate.step("templates", [str(BIN / "djlint"), "templates", "--lint", "--profile=jinja", "--quiet", ignored])
    manage, data = [sys.executable, "manage.py"], str(gate.directory / "data")
    gate.step("migrations", [*manage, "makemigrations", "--check", "--dry-run"], POSTBAG_DATA=data)
    gate.step(
        "deployment", [*manage, "check", "--deploy", "--fail-level", "ERROR"],
        POSTBAG_DATA=data, SECRET_KEY="only for this check, and long enough for it to be taken!!",
        BASE_URL="https://letters.postbag.example", EMAIL_URL="smtp://127.0.0.1:25",
    )  # fmt: skip
    gate.tests("tests on SQLite and Valkey", *IN_PARALLEL, "-m", "not browser", f"--ignore={FAULTS}")
    # Tests roll back, so what is committed is empty: plans made from statistics of that take minutes for one test.
    with servers.postgresql("-c", "autovacuum=off") as database, servers.redis() as broker:
        gate.tests(
            "tests on PostgreSQL and Redis", *IN_PARALLEL, "-m", "not browser and not alike",
            DATABASE_URL=database, REDIS_URL=broker,
        )  # fmt: skip
    gate.tests("journeys in a browser", *BESIDE_NOTHING, "-m", "browser")
    gate.tests("faults on both databases", *BESIDE_NOTHING, FAULTS)


def quick(gate: Gate) -> None:
    """What runs in about a minute: without databases, servers and browsers."""
    static_checks(gate)
    fast = "alike and not browser and not servers and not typefaces and not slow"
    gate.tests("quick tests", *IN_PARALLEL, "-m", fast)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gate; returns 0 where everything holds."""
    parser = argparse.ArgumentParser(prog="./check", description=__doc__)
    parser.add_argument("which", nargs="?", choices=["all", "quick"], default="all")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="postbag-check-") as directory:
        gate = Gate(Path(directory))
        try:
            (quick if chosen.which == "quick" else whole)(gate)
        except servers.ServerMissing as error:
            print(f"── {error}")
            gate.failed.append("servers")
        except KeyboardInterrupt:
            print("\nStopped before the end.")
            gate.failed.append("stopped")
        return gate.finish()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
