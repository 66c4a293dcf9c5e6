"""Everything that asks Cloudflare is known by name to whoever limits it (findings B4)."""

import ast
from pathlib import Path

import pytest

import kaisoumail
from kaisoumail.cloudflare.limiter import ROUTES, Caller

PRODUCT = Path(kaisoumail.__file__).parent


def _operations_named() -> set[str]:
    """Every constant handed over as an operation: by position to `calling_for`, by name to anything, or in a dict."""
    named: set[str] = set()
    for path in PRODUCT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                handed = [word.value for word in node.keywords if word.arg == "operation"]
                if isinstance(node.func, ast.Name) and node.func.id == "calling_for":
                    handed += node.args
                named |= {str(each.value) for each in handed if isinstance(each, ast.Constant)}
            if isinstance(node, ast.Dict):
                values = zip(node.keys, node.values, strict=True)
                stored = [value for key, value in values if isinstance(key, ast.Constant) and key.value == "operation"]
                named |= {str(each.value) for each in stored if isinstance(each, ast.Constant)}
    return named


def test_every_operation_that_is_named_has_its_route() -> None:
    named = _operations_named()

    assert {"mailboxes.destroy", "mailboxes.sweep", "domains.bind", "domains.retry"} <= named
    assert named - ROUTES.keys() == set()


def test_an_unknown_operation_is_told_before_anything_is_asked() -> None:
    with pytest.raises(ValueError, match=r"mailboxes\.forgotten"):
        Caller("mailboxes.forgotten")


def test_nobody_waits_for_what_is_swept() -> None:
    assert not Caller("mailboxes.sweep").is_urgent
    assert Caller("mailboxes.destroy").is_urgent
