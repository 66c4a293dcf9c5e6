"""What answers tell of limits."""

from kaisoumail.http.rate_limit_fields import policy_field, rate_limit_fields, state_field
from kaisoumail.model.token_bucket import LimitStatus, Rate


def test_clients_are_told_in_structured_fields() -> None:
    statuses = [
        LimitStatus(Rate("credential", 100), True, 49.99, 0.3),
        LimitStatus(Rate("user", 200, 30), False, 0.0, 7.2),
    ]

    assert policy_field(statuses) == '"credential";q=100;w=60, "user";q=200;w=30'
    assert state_field(statuses) == '"credential";r=49;t=1, "user";r=0;t=8'


def test_who_is_charged_to_no_limit_is_told_of_none() -> None:
    assert rate_limit_fields([]) == []
