"""What the model refuses reaches clients under the field of their request."""

from typing import get_args

import pytest

from kaisoumail.errors import InvalidValue, Problem, ValueName
from kaisoumail.http.form_errors import FIELDS, details_of
from kaisoumail.http.problems import problem_shape


@pytest.mark.parametrize(
    ("value", "form_errors", "field_errors"),
    [
        ("domain name", [], {"mailDomain": ["why"]}),
        ("passkey name", [], {"name": ["why"]}),
        ("page end", [], {"cursor": ["why"]}),
        ("text", ["why"], {}),
    ],
)
def test_an_invalid_value_stands_under_the_field_it_came_in(
    value: ValueName, form_errors: list[str], field_errors: dict[str, list[str]]
) -> None:
    shape = problem_shape(InvalidValue(value, "why"))

    assert shape["error"] == "Invalid request"
    assert shape["details"]["code"] == "invalid_request"
    assert (shape["details"]["formErrors"], shape["details"]["fieldErrors"]) == (form_errors, field_errors)


def test_every_value_has_its_place_in_a_request() -> None:
    assert FIELDS.keys() == set(get_args(ValueName))


def test_details_of_another_problem_stay_as_they_are() -> None:
    assert details_of(Problem("domain_exists", "It exists", rootDomain="demo.example")) == {
        "rootDomain": "demo.example"
    }
