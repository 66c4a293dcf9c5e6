"""A stored step has the name of its function, or one that the page of a bind reads: never a phrase of its own."""

import ast
from pathlib import Path

import pytest

JOBS = Path(__file__).parents[2] / "src" / "kaisoumail" / "workflows" / "jobs"


@pytest.mark.parametrize("path", sorted(JOBS.glob("*.py")), ids=lambda path: path.stem)
def test_a_step_is_stored_under_the_name_of_its_function(path: Path) -> None:
    calls = [
        (ast.unparse(node.args[0]), ast.unparse(node.args[1]))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "step"
    ]

    assert all(name in (f"{function!r}", function.upper()) for name, function in calls), calls
