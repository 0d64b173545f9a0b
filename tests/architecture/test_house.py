"""The house rules that a machine can check."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, ROOT, RULES, parsed

LONGEST_MODULE = 400  # lines; past it a module wants splitting by noun
LONGEST_TEST = 600  # tables of cases are long and read well
HOLLOW = {"utils", "helpers", "common", "misc", "base", "services", "manager", "managers", "util", "helper", "tools"}
RESERVED = re.compile(r"(^|\.)(example|test|invalid|localhost)$|(^|\.)example\.(com|net|org)$")
_ADDRESS = re.compile(r"(?<![\w./+-])[A-Za-z0-9][\w.+-]*@((?:[a-z0-9-]+\.)+[a-z]{2,})\b", re.IGNORECASE)
FIXTURES = ("tests", "campaigns/demonstration", "docs", "config", "templates", "deploy", "bench")
TEXT = {".py", ".md", ".json", ".toml", ".txt", ".csv", ".html", ".yaml", ".yml", ".eml", ".jinja", ".example", ".env"}
FOLDED = {"gmail.com", "googlemail.com"}  # whose spellings of one mailbox we fold: only tests may name them
_QUOTED = "tests/architecture/"


def modules() -> list[Path]:
    """Return every Python file of the product and its tests but migrations."""
    return [
        path
        for package in (*PACKAGES, "tests")
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
    ]


def test_only_the_four_rule_apps_have_migrations() -> None:
    """A folder without migrations owns no data."""
    found = {
        path.parent.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("migrations")
        if path.is_dir()
    }
    assert found == set(RULES)


def test_every_step_that_a_migration_replaces_is_still_there() -> None:
    """Without its file Django passes an installation over that stands among the steps, and says nothing (0063)."""
    replaced = [
        step
        for path in ROOT.glob("*/migrations/0001_squashed_*.py")
        for step in import_module(f"{path.parts[-3]}.migrations.{path.stem}").Migration.replaces
    ]
    assert len(replaced) >= 28
    assert [step for step in replaced if not (ROOT / step[0] / "migrations" / f"{step[1]}.py").exists()] == []


def test_no_module_is_longer_than_its_limit() -> None:
    """Tests have one of their own."""
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {
        path: length
        for path, length in lengths.items()
        if length > (LONGEST_TEST if path.startswith("tests/") else LONGEST_MODULE)
    } == {}


def test_no_module_has_a_hollow_name() -> None:
    """A module is named after its noun or its deed."""
    names = {str(path.relative_to(ROOT)) for path in modules() if {path.stem, path.parent.name} & HOLLOW}
    assert names == set()


def test_every_module_says_what_it_is() -> None:
    """In one line at least; an `__init__` that holds nothing needs no words."""
    silent = [
        str(path.relative_to(ROOT))
        for path in modules()
        if path.read_text("utf-8").strip() and ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]
    assert silent == []


def test_every_public_function_and_class_says_what_it_does() -> None:
    """Methods that a framework prescribes, models' Meta and the like are known well enough."""
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in parsed().items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not node.name.endswith("Config")
        and ast.get_docstring(node) is None
    ]
    assert silent == []


def test_every_address_is_on_a_reserved_domain() -> None:
    """So that no test, sample or demonstration can ever write to anybody (RFC 2606, RFC 6761)."""
    offenders = []
    for place in FIXTURES:
        for path in sorted((ROOT / place).rglob("*")):
            if path.suffix not in TEXT or not path.is_file() or str(path.relative_to(ROOT)).startswith(_QUOTED):
                continue
            text = path.read_text("utf-8", "replace")
            offenders += [
                f"{path.relative_to(ROOT)}: {found[0]}"
                for found in _ADDRESS.finditer(text)
                if not RESERVED.search(found[1].lower()) and not (place == "tests" and found[1].lower() in FOLDED)
            ]
    assert offenders == []


@pytest.mark.parametrize("address", ["a@parliament.eu", "x <b.c@gov.uk>", "mailto:d@mail.com"])
def test_a_real_address_would_be_seen(address: str) -> None:
    """The rule is only as good as what it looks for."""
    found = _ADDRESS.search(address)
    assert found is not None
    assert not RESERVED.search(found[1])


@pytest.mark.parametrize("address", ["dana@mail.example", "a@b.c.test", "x@example.org", "y@nowhere.invalid"])
def test_a_reserved_address_passes(address: str) -> None:
    """All four kinds."""
    found = _ADDRESS.search(address)
    assert found is not None
    assert RESERVED.search(found[1])
