"""Who may import whom: the contracts in pyproject.toml, and what import-linter cannot see."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT, RULES, imports, parsed

HTTP = ("django.http", "django.urls", "django.shortcuts", "django.views", "django.template", "django.middleware")


def test_the_layers_hold() -> None:
    """See [tool.importlinter] in pyproject.toml."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(program), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " kept, 0 broken" in done.stdout


def test_the_rules_know_no_http() -> None:
    """Not even its exceptions: web.errors turns a rule's refusal into a status."""
    offenders = [
        f"{path}:{line} imports {name}"
        for path, tree in parsed().items()
        for name, line in imports(tree)
        if path.startswith(RULES) and name.startswith(HTTP)
    ]
    assert offenders == []


def test_jinja2_is_imported_by_the_letter_language_and_the_settings_alone() -> None:
    """A second environment would be a second, wider letter language."""
    importers = {
        path for path, tree in parsed().items() for name, _ in imports(tree) if name.partition(".")[0] == "jinja2"
    }
    assert importers
    assert {path for path in importers if not path.startswith(("campaigns/wording/", "config/"))} == set()


def test_lifecycle_is_imported_inside_letters_alone() -> None:
    """Others call deeds, never moves."""
    importers = {
        path for path, tree in parsed().items() for name, _ in imports(tree) if name.startswith("letters.lifecycle")
    }
    assert importers
    assert {path for path in importers if not path.startswith("letters/")} == set()
