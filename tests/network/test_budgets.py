"""What strangers hold is counted, bounded, and given back whatever the order of things."""

from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.network.connection_budget import Admitted, ConnectionBudget, ConnectionLimits
from kaisoumail.network.descriptors import connection_shares
from kaisoumail.network.memory_budget import MemoryBudget
from kaisoumail.network.transfer_pace import TransferPace

ADMITTED = (Admitted.ORDINARY, Admitted.ON_PROBATION)


def test_one_client_cannot_take_the_connections_of_others() -> None:
    budget = ConnectionBudget(ConnectionLimits(total=10, per_client=3))

    answers = [budget.admit("198.51.100.1") for _ in range(5)]

    assert answers == [Admitted.ORDINARY] * 3 + [Admitted.CLIENT_FULL] * 2
    assert budget.admit("198.51.100.2") is Admitted.ORDINARY


def test_strangers_leave_connections_for_those_who_prove_who_they_are() -> None:
    budget = ConnectionBudget(ConnectionLimits(total=4, per_client=4, kept_for_known=2))

    assert [budget.admit(str(number)) for number in range(4)] == [Admitted.ORDINARY] * 2 + [Admitted.ON_PROBATION] * 2
    assert budget.admit("late") is Admitted.SERVER_FULL


def test_who_proved_who_it_is_counts_neither_as_a_stranger_nor_towards_its_address() -> None:
    budget = ConnectionBudget(ConnectionLimits(total=10, per_client=1, kept_for_known=8))
    budget.admit("office")

    budget.prove("office")

    assert budget.admit("office") is Admitted.ORDINARY
    assert budget.open == 2


def test_a_named_proxy_is_counted_in_all_but_not_as_one() -> None:
    budget = ConnectionBudget(ConnectionLimits(total=3, per_client=1))

    assert [budget.admit("") for _ in range(4)] == [Admitted.ORDINARY] * 3 + [Admitted.SERVER_FULL]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("admit", "prove", "leave"))), max_size=60))
def test_nothing_is_left_of_connections_that_are_over(story: list[tuple[str, str]]) -> None:
    budget = ConnectionBudget(ConnectionLimits(total=5, per_client=2, kept_for_known=2))
    open_now: list[tuple[str, bool]] = []
    for client, what in story:
        mine = [entry for entry in open_now if entry[0] == client]
        if what == "admit" and budget.admit(client) in ADMITTED:
            open_now.append((client, False))
        elif what == "prove" and (client, False) in open_now:
            open_now[open_now.index((client, False))] = (client, True)
            budget.prove(client)
        elif what == "leave" and mine:
            open_now.remove(mine[0])
            budget.leave(client, is_known=mine[0][1])
    for client, is_known in open_now:
        budget.leave(client, is_known=is_known)

    assert budget.open == 0
    assert [budget.admit(name) for name in "aabb"].count(Admitted.CLIENT_FULL) == 0


def test_memory_counts_what_arrived_and_small_messages_are_never_refused_for_large_ones() -> None:
    budget = MemoryBudget(1000, free=100)
    large = [budget.allocation(name) for name in "ab"]
    assert [each.hold(600) for each in large] == [True, True]

    assert not budget.allocation("c").hold(300)
    assert budget.allocation("c").hold(100)


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
def test_the_listeners_share_the_descriptors_there_are(descriptors: int, http: int, smtp: int) -> None:
    shares = connection_shares(descriptors, http, smtp)

    assert 0 <= shares.http <= http
    assert 0 <= shares.smtp <= smtp
    assert shares.is_cut is ((shares.http, shares.smtp) != (http, smtp))
    assert shares.http + shares.smtp <= max(descriptors - 224, 48)
    if shares.is_cut:
        third = max(descriptors - 224, 48) // 3
        assert shares.smtp >= min(smtp, third)
        assert shares.http >= min(http, third)
