"""The product's own source, parsed once."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = ("accounts", "targets", "campaigns", "letters")
PACKAGES = (*RULES, "web", "worker", "config", "postbox")


@cache
def parsed() -> dict[str, ast.Module]:
    """Return the syntax tree of every module of the product but migrations, by path from the root."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                found[str(path.relative_to(ROOT))] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    assert len(found) > 50, "the source was not found: these tests would test nothing"
    return found


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every imported module's dotted name, with `from a import b` as both `a` and `a.b`, and its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every name that the module itself makes up, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr, node.lineno
