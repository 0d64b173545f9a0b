"""The gate counts honestly: what ended before it could count has failed."""

import sys
from pathlib import Path

import pytest

from tests.gate import Gate, environment

pytestmark = pytest.mark.servers


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def test_settings_of_an_installation_do_not_reach_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://the.real.one.invalid/letters")
    assert "DATABASE_URL" not in environment({})
    assert environment({"DATABASE_URL": "a private one"})["DATABASE_URL"] == "a private one"


def test_a_failed_step_makes_the_whole_fail(gate: Gate, capfd: pytest.CaptureFixture[str]) -> None:
    assert gate.step("good", [sys.executable, "-c", ""])
    assert not gate.step("bad", [sys.executable, "-c", "raise SystemExit(3)"])
    assert gate.finish() == 1
    assert capfd.readouterr().out.endswith("FAILED: bad\n0 passed, 0 failed, 0 skipped\n")


def test_the_last_line_sums_all_runs(gate: Gate, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cases = tmp_path / "test_cases.py"
    cases.write_text(
        "import pytest\n"
        "def test_a(): pass\n"
        "def test_b(): assert False\n"
        "@pytest.mark.skip\ndef test_c(): pass\n"
    )
    for _ in range(2):
        gate.tests("run", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", "/dev/null", str(cases))
    assert gate.finish() == 1
    assert capfd.readouterr().out.splitlines()[-1] == "2 passed, 2 failed, 2 skipped"


def test_a_run_that_ends_before_it_counts_is_a_failure(gate: Gate, capfd: pytest.CaptureFixture[str]) -> None:
    gate.tests("run", "--no-such-option")
    assert gate.finish() == 1
    assert capfd.readouterr().out.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"
