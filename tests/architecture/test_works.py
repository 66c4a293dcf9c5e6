"""A work of `Database.write` returns its refusal: one that raises makes the others of its transaction run again."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "kaisoumail"
WRITES = {"write", "write_relaxed", "write_unless_locked", "write_when_unlocked", "write_or_raise"}
MIGRATION = SOURCE / "storage" / "engine" / "schema_migration.py"  # alone in the database, at the start
MODULES = [
    path
    for path in sorted(SOURCE.rglob("*.py"))
    if path != MIGRATION and any(f"{name}(" in path.read_text("utf-8") for name in WRITES)
]

Functions = dict[str, list[ast.FunctionDef]]
"""By name: two functions of a module may each have a work of one name."""


def _names_in(node: ast.AST) -> Iterator[str]:
    """Every name in *node*, not only those that are called: a work may be a function of functions."""
    yield from (each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _works(tree: ast.AST, functions: Functions) -> Functions:
    """The functions of this module that run inside a write: those passed to one, and those that they use."""
    writes = [
        call
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in WRITES
    ]
    partials: dict[str, list[ast.Call]] = {}
    for statement in ast.walk(tree):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="partial")) as value):
                partials.setdefault(name, []).append(value)
    pending = [name for call in writes for argument in call.args for name in _names_in(argument)]
    works: Functions = {}
    while pending:
        name = pending.pop()
        pending += [used for value in partials.pop(name, ()) for used in _names_in(value)]
        if name in functions and name not in works:
            works[name] = functions[name]
            pending += [used for function in functions[name] for used in _names_in(function)]
    return works


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_what_runs_inside_a_write_raises_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions: Functions = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            functions.setdefault(node.name, []).append(node)

    raising = {
        f"{name}, line {node.lineno}"
        for name, of_that_name in _works(tree, functions).items()
        for work in of_that_name
        for node in ast.walk(work)
        if isinstance(node, ast.Raise)
    }

    assert raising == set()
