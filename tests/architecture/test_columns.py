"""Who may write which column: a state has one writer."""

import ast
import re

import pytest

from tests.architecture.source import parsed

WRITERS = {
    "letters/lifecycle.py": "deliveries and letters",
    "letters/notices.py": "mail to supporters",
    "campaigns/publishing.py": "campaigns",
}
COLUMNS = {"state", "stage"}
STATES_OF = {
    "Letter": "letters/lifecycle.py", "Delivery": "letters/lifecycle.py", "DeliveryTally": "letters/lifecycle.py",
    "Notice": "letters/notices.py", "Campaign": "campaigns/publishing.py",
}  # fmt: skip
WRITING_CALLS = {
    "update",
    "create",
    "get_or_create",
    "update_or_create",
    "bulk_create",
    "bulk_update",
    "aupdate",
    "acreate",
}

UNSEEN = {  # `.update(**columns)`: read, and no state in it
    "letters/writing.py",  # a draft's text and expiry
    "letters/domains.py",  # how long a domain rests
    "letters/releasing.py",  # when a delivery is due
}


def writes(tree: ast.AST) -> list[tuple[int, str]]:
    """Return the lines that write a `state` or `stage`, with the models they name ("?" where none)."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            named = {keyword.arg for keyword in node.keywords} & COLUMNS
            if isinstance(node.func, ast.Attribute) and node.func.attr in WRITING_CALLS:
                if any(keyword.arg is None for keyword in node.keywords):  # `**columns` may hold anything
                    found.append((node.lineno, "?"))
                listed = {item.value for item in ast.walk(node) if isinstance(item, ast.Constant)} & COLUMNS
                if named or (node.func.attr == "bulk_update" and listed):
                    found.append((node.lineno, _model(node)))
            elif isinstance(node.func, ast.Name) and node.func.id in STATES_OF and named:
                found.append((node.lineno, node.func.id))
            elif isinstance(node.func, ast.Name) and node.func.id == "setattr":
                constants = {item.value for item in node.args if isinstance(item, ast.Constant)}
                if constants & COLUMNS:
                    found.append((node.lineno, "?"))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr in COLUMNS:
            found.append((node.lineno, "?"))
    return found


def _model(call: ast.AST) -> str:
    for node in ast.walk(call):
        if isinstance(node, ast.Name) and node.id in STATES_OF:
            return node.id
    return "?"


def test_each_state_is_written_by_one_module() -> None:
    """By an update, by an assignment, by a constructor: nowhere else."""
    offenders = []
    for path, tree in parsed().items():
        for line, model in writes(tree):
            if model == "?" and (path in WRITERS or path in UNSEEN):
                continue
            if model != "?" and STATES_OF[model] == path:
                continue
            offenders.append(f"{path}:{line} writes a state of {model}")
    assert offenders == []


def test_the_writers_write() -> None:
    """If they stopped, the rule above would have nothing to guard, or no longer see it."""
    for path in WRITERS:
        assert writes(parsed()[path]), path


@pytest.mark.parametrize(
    "line",
    [
        "Delivery.objects.filter(pk=1).update(state='sent')",
        "rows.update(reason='', state=to)",
        "letter.stage = 'confirmed'",
        "Delivery.objects.create(letter=letter, state='queued')",
        "Letter(stage='draft')",
        "setattr(letter, 'stage', to)",
        "Delivery.objects.bulk_update(rows, ['state'])",
        "rows.update(**columns)",
    ],
)
def test_every_way_to_write_a_state_is_seen(line: str) -> None:
    """The rule is only as good as what it looks for."""
    assert writes(ast.parse(line))


@pytest.mark.parametrize(
    "line", ["Delivery.objects.filter(state='sent')", "print(letter.stage)", "rows.update(due_at=now)", "state = 1"]
)
def test_reading_a_state_is_free(line: str) -> None:
    """And a local name is nobody's column."""
    assert not writes(ast.parse(line))


_RAW = re.compile(r"UPDATE\s+letters_(?:delivery|letter|notice)\s+SET(.*?)(?:FROM|WHERE|$)", re.DOTALL | re.IGNORECASE)


def test_statements_in_sql_write_a_state_in_one_module_too() -> None:
    """The engine's moves are set-based, and stand beside the tables that they obey."""
    writers = set()
    for path, tree in parsed().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assigned = " ".join(_RAW.findall(node.value))
                if re.search(r"\b(?:state|stage)\s*=", assigned):
                    writers.add(path)
    assert writers == {"letters/attempts.py"}
