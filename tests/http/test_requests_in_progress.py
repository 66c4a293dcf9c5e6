"""Behind a proxy, too, one client has only so many requests at once."""

from typing import Any

from kaisoumail.http.requests_in_progress import RequestsInProgress


def test_one_client_has_only_so_many_requests_at_once_and_others_their_own() -> None:
    requests = RequestsInProgress(per_client=2)
    states: list[dict[str, Any]] = [{} for _ in range(4)]

    assert [requests.enter("flood", state) for state in states[:3]] == [True, True, False]
    assert requests.enter("other", states[3])


def test_who_proved_who_it_is_does_not_count() -> None:
    requests = RequestsInProgress(per_client=1)
    known: dict[str, Any] = {}
    requests.enter("office", known)
    known["principal"] = "somebody"

    assert requests.enter("office", {})
    assert not requests.enter("office", {})


def test_who_failed_to_prove_who_it_is_counts() -> None:
    requests = RequestsInProgress(per_client=1)
    requests.enter("office", {"principal": None})

    assert not requests.enter("office", {})


def test_requests_that_are_over_leave_nothing() -> None:
    requests = RequestsInProgress(per_client=1)
    for number in range(100_000):
        state: dict[str, Any] = {}
        assert requests.enter(str(number % 7), state)
        requests.leave(str(number % 7), state)

    assert requests.clients == 0
