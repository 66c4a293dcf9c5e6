"""What strangers hold is counted, bounded, and given back whatever the order of things."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.network.connection_budget import (
    ConnectionAdmission,
    ConnectionBudget,
    ConnectionLimits,
    ConnectionVerdict,
)
from kaisoumail.network.descriptors import connection_shares
from kaisoumail.network.memory_budget import MemoryBudget
from kaisoumail.network.transfer_pace import TransferPace


def admit(budget: ConnectionBudget, client: str) -> ConnectionAdmission:
    return budget.admit(client, lambda: None)


def outcomes(budget: ConnectionBudget, *clients: str) -> list[ConnectionVerdict]:
    return [admit(budget, client).outcome for client in clients]


def test_one_client_cannot_take_the_connections_of_others() -> None:
    budget = ConnectionBudget(ConnectionLimits(total=10, per_client=3))

    assert outcomes(budget, *["one"] * 5) == [ConnectionVerdict.ORDINARY] * 3 + [ConnectionVerdict.CLIENT_FULL] * 2
    assert outcomes(budget, "two") == [ConnectionVerdict.ORDINARY]


def test_unauthenticated_clients_leave_connections_for_those_that_authenticate() -> None:
    budget = ConnectionBudget(ConnectionLimits(total=4, per_client=4, reserved_for_authenticated=2))

    assert outcomes(budget, *"0123") == [ConnectionVerdict.ORDINARY] * 2 + [ConnectionVerdict.ON_PROBATION] * 2
    assert outcomes(budget, "late") == [ConnectionVerdict.SERVER_FULL]


def test_a_few_addresses_that_hold_everything_lose_their_oldest_connection_to_whoever_comes() -> None:
    evicted: list[str] = []
    budget = ConnectionBudget(ConnectionLimits(total=4, per_client=3))
    for name in ("a1", "a2", "a3", "b1"):
        budget.admit(name[0], lambda name=name: evicted.append(name))  # type: ignore[misc]

    assert outcomes(budget, "ordinary") == [ConnectionVerdict.ORDINARY]
    assert outcomes(budget, "b") == [ConnectionVerdict.SERVER_FULL], "it would have as many as who loses one"
    assert evicted == ["a1"]
    assert budget.open == 4


def test_an_authenticated_connection_is_never_evicted() -> None:
    budget = ConnectionBudget(ConnectionLimits(total=3, per_client=3))
    for _ in range(3):
        budget.authenticate(admit(budget, "office"))

    assert outcomes(budget, "late") == [ConnectionVerdict.SERVER_FULL]
    assert budget.open == 3


def test_an_authenticated_connection_counts_neither_as_unauthenticated_nor_for_its_address() -> None:
    budget = ConnectionBudget(ConnectionLimits(total=10, per_client=1, reserved_for_authenticated=8))
    budget.authenticate(admit(budget, "office"))

    assert outcomes(budget, "office") == [ConnectionVerdict.ORDINARY]
    assert budget.open == 2


def test_a_named_proxy_is_counted_in_all_but_not_as_one() -> None:
    budget = ConnectionBudget(ConnectionLimits(total=3, per_client=1))

    assert outcomes(budget, "", "", "", "") == [ConnectionVerdict.ORDINARY] * 3 + [ConnectionVerdict.SERVER_FULL]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("admit", "authenticate", "release"))), max_size=60))
def test_nothing_is_left_of_connections_that_are_over(story: list[tuple[str, str]]) -> None:
    budget = ConnectionBudget(ConnectionLimits(total=5, per_client=3, reserved_for_authenticated=2))
    mine: list[ConnectionAdmission] = []
    for client, what in story:
        found = next((each for each in mine if each.client == client), None)
        if what == "admit":
            mine.append(admit(budget, client))
        elif found is not None and what == "authenticate":
            budget.authenticate(found)
        elif found is not None:
            mine.remove(found)
            budget.release(found)
        assert budget.open == sum(each.is_counted for each in mine) <= 5
    for each in mine:
        budget.release(each)
        budget.release(each)

    assert budget.open == 0
    assert outcomes(budget, *"aab") == [ConnectionVerdict.ORDINARY] * 3


def test_memory_counts_what_arrived_and_small_messages_are_never_refused_for_large_ones() -> None:
    budget = MemoryBudget(1000, free=100)
    large = [budget.allocation(name) for name in "ab"]
    assert [each.hold(600) for each in large] == [True, True]

    assert not budget.allocation("c").hold(300)
    assert budget.allocation("c").hold(100)


def test_the_largest_transfer_that_stalls_makes_place_for_others() -> None:
    evicted: list[str] = []
    budget = MemoryBudget(1000, free=0, slow_after=0.0)
    held = {name: budget.allocation(name, lambda name=name: evicted.append(name)) for name in ("large", "small")}  # type: ignore[misc]
    assert held["large"].hold(600)
    assert held["small"].hold(400)

    assert budget.allocation("new").hold(300)
    assert evicted == ["large"]
    assert budget.used == 700
    assert not budget.allocation("greedy").hold(500), "nobody who holds less makes place"


def test_a_transfer_that_goes_on_is_never_evicted() -> None:
    budget = MemoryBudget(1000, free=0, slow_after=1e9)
    budget.allocation("a", lambda: pytest.fail("evicted")).hold(800)

    assert not budget.allocation("b").hold(300)


def test_a_transfer_that_waits_for_us_makes_no_place_and_a_smaller_one_that_stalls_does() -> None:
    evicted: list[str] = []
    budget = MemoryBudget(1000, free=0, slow_after=0.0)
    complete = budget.allocation("complete", lambda: evicted.append("complete"))
    assert complete.hold(600)
    assert budget.allocation("stalled", lambda: evicted.append("stalled")).hold(400)
    complete.evict = None

    assert budget.allocation("new").hold(300)
    assert evicted == ["stalled"]
    assert complete.held == 600


def test_one_client_cannot_fill_the_memory() -> None:
    budget = MemoryBudget(800, free=0)

    assert budget.allocation("one").hold(700)
    assert not budget.allocation("one").hold(1)
    assert budget.allocation("other").hold(100)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 700)), max_size=40))
def test_memory_is_given_back_whatever_was_held(steps: list[tuple[int, int]]) -> None:
    budget = MemoryBudget(1000, free=50)
    transfers = [budget.allocation(name) for name in ("a", "a", "b", "c")]
    for number, size in steps:
        before = transfers[number].held
        if not transfers[number].hold(size):
            assert transfers[number].held == before
        assert budget.used <= budget.total
    for transfer in transfers:
        transfer.release()

    assert budget.used == 0
    assert budget.allocation("a").hold(875 + 50)


def test_a_slow_message_is_waited_for_by_its_size_and_less_in_times_of_stress() -> None:
    pace = TransferPace(grace=60, rate=1000, longest=1800, stressed_grace=10, stressed_rate=16_000)

    assert pace.left(60, 0, is_stressed=False) == 0
    assert pace.left(60, 30_000, is_stressed=False) == 30
    assert pace.left(0, 10**9, is_stressed=False) == 1800
    assert pace.left(10, 16_000, is_stressed=True) == 1


@given(st.integers(0, 70_000), st.integers(16, 100_000), st.integers(0, 100_000))
def test_i2_the_listeners_share_the_descriptors_there_are(descriptors: int, http: int, smtp: int) -> None:
    shares = connection_shares(descriptors, http, smtp)

    assert 0 <= shares.http <= http
    assert 0 <= shares.smtp <= smtp
    assert shares.is_cut is ((shares.http, shares.smtp) != (http, smtp))
    assert shares.http + shares.smtp <= max(descriptors - 224, 48)
    if shares.is_cut:
        third = max(descriptors - 224, 48) // 3
        assert shares.smtp >= min(smtp, third)
        assert shares.http >= min(http, third)
