"""`formErrors` and `fieldErrors` of an invalid request, for a value that the model or the database refused."""

from collections.abc import Mapping
from typing import Any, Final

from kaisoumail.errors import InvalidValue, Problem, ValueName

# The field of a request in which each value comes; None where it may come in any field, which is not known.
FIELDS: Final[Mapping[ValueName, str | None]] = {
    "domain name": "mailDomain",
    "passkey name": "name",
    "page end": "cursor",
    "text": None,
}


def details_of(problem: Problem) -> dict[str, Any]:
    """The details for clients: those of *problem*, and for an InvalidValue its reason under the field it came in."""
    if not isinstance(problem, InvalidValue):
        return problem.details
    field = FIELDS[problem.value]
    form_errors = [problem.reason] if field is None else []
    field_errors = {} if field is None else {field: [problem.reason]}
    return {**problem.details, "formErrors": form_errors, "fieldErrors": field_errors}
