"""What our own OpenAPI description says, asked by the tests of every answer they get."""

import json
import re
from functools import cache
from typing import Any, Final

from kaisoumail.api.app import description

Json = dict[str, Any]
_OURS: Final = re.compile(r"/(api/(?!inbound$)|health$)")


@cache
def document() -> Json:
    described: Json = json.loads(description())
    return described


@cache
def _routes() -> list[tuple[re.Pattern[str], Json]]:
    """Paths as patterns; those without parameters come first, as in the router."""
    paths = sorted(document()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + r"\Z"), item) for path, item in paths]


def operation_at(method: str, path: str) -> Json | None:
    """The operation that answers *method path*; None where nothing is described."""
    for pattern, operations in _routes():
        if pattern.match(path):
            found: Json | None = operations.get(method.lower())
            return found
    return None


def check_described(method: str, path: str, status: int, code: str | None) -> None:
    """Raises AssertionError for an answer with a status, or a refusal with a code, that the description lacks."""
    if not _OURS.match(path):
        return
    operation = operation_at(method, path)
    if operation is None:
        assert status in (404, 405), f"{method} {path} answers {status} and is not described in api/description.py"
        return
    where = f"{operation['operationId']} in api/description.py"
    assert str(status) in operation["responses"], f"{method} {path} → {status} {code}: say so at {where}"
    if code is not None:
        codes = operation["responses"][str(status)]["x-kaisoumail-codes"]
        assert code in codes, f"{method} {path} → {status} {code}: say so at {where}"
