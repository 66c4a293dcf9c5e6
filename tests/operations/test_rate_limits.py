"""Who is charged for a request, by a monotonic clock that stands still."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from kaisoumail.model.token_bucket import LimitStatus, Rate
from kaisoumail.model.user import Viewer
from kaisoumail.operations.rate_limits import RateLimitAdmission, RateLimits, Rates
from tests.people import ADA, BOB

T = TypeVar("T")
RATES = Rates(Rate("credential", 5), Rate("user", 8), Rate("address", 20), Rate("sign-in", 3))
OFF = Rates(Rate("credential", 0), Rate("user", 0), Rate("address", 0), Rate("sign-in", 0))
HERE, THERE = "203.0.113.5", "203.0.113.6"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Asking:
    """Requests one after the other, each admitted and settled as the edges do."""

    def __init__(self, rates: Rates = RATES) -> None:
        self.clock = Clock()
        self.limits = RateLimits(rates, clock=self.clock)

    async def ask(
        self, address: str = HERE, key: bytes | None = None, viewer: Viewer | None = None
    ) -> RateLimitAdmission:
        admission = await self.limits.admit(address, key)
        status = 429 if admission.refusal else 200 if viewer or key is None else 401
        await self.limits.settle(admission, viewer, status, signed_in=False)
        return admission

    async def sign_in(self, address: str = HERE, *, success: bool = False) -> RateLimitAdmission:
        admission = await self.limits.admit(address, None, is_sign_in=True)
        await self.limits.settle(admission, None, 200 if success else 401, signed_in=success)
        return admission

    async def passed(
        self, number: int, address: str = HERE, key: bytes | None = None, who: Viewer | None = None
    ) -> int:
        return sum([(await self.ask(address, key, who)).refusal is None for _ in range(number)])


def _run(work: Callable[[Asking], Awaitable[T]], rates: Rates = RATES) -> T:
    async def awaited() -> T:
        return await work(Asking(rates))

    return asyncio.run(awaited())


ADAS, ADAS_OTHER, BOBS = (replace(who, key_id=key) for who, key in ((ADA, "key_a"), (ADA, "key_b"), (BOB, "key_c")))


def test_s5_requests_without_a_credential_are_charged_to_their_address() -> None:
    async def work(asking: Asking) -> list[int]:
        return [await asking.passed(30, HERE), await asking.passed(30, THERE)]

    assert _run(work) == [20, 20]


def test_s5_a_neighbour_with_a_key_is_not_stopped_by_a_flood_from_the_same_address() -> None:
    async def work(asking: Asking) -> int:
        await asking.ask(key=b"a", viewer=ADAS)
        await asking.passed(100)
        return await asking.passed(4, key=b"a", who=ADAS)

    assert _run(work) == 4


def test_s5_each_key_has_its_own_limit_and_all_keys_of_a_user_share_one() -> None:
    async def work(asking: Asking) -> list[int]:
        await asking.ask(key=b"a", viewer=ADAS)
        await asking.ask(key=b"b", viewer=ADAS_OTHER)
        await asking.ask(key=b"c", viewer=BOBS)
        return [
            await asking.passed(9, key=b"a", who=ADAS),  # 5 of the key, less the first
            await asking.passed(9, key=b"b", who=ADAS_OTHER),  # 8 of the user, less the first two and those four
            await asking.passed(9, key=b"c", who=BOBS),
        ]

    assert _run(work) == [4, 2, 4]


def test_s5_who_was_refused_passes_again_when_the_wait_is_over() -> None:
    async def work(asking: Asking) -> tuple[int, bool, bool]:
        await asking.passed(20)
        refused = (await asking.ask()).refusal
        assert refused is not None
        seconds = refused.details["retryAfterSeconds"]
        asking.clock.now += seconds - 1
        too_early = (await asking.ask()).refusal is None
        asking.clock.now += 1
        return seconds, too_early, (await asking.ask()).refusal is None

    assert _run(work) == (3, False, True)


def test_s5_wrong_keys_cost_their_address_five_requests_each() -> None:
    async def work(asking: Asking) -> int:
        return sum([(await asking.ask(key=b"wrong %d" % number)).refusal is None for number in range(20)])

    assert _run(work) == 4


@pytest.mark.parametrize("capacity", [1, 2, 3, 5, 7])
def test_s5_a_wrong_key_costs_an_address_that_has_fewer_tokens_all_of_them(capacity: int) -> None:
    async def work(asking: Asking) -> int:
        await asking.passed(max(0, capacity - 3))
        await asking.ask(key=b"wrong")
        return await asking.passed(5)

    assert _run(work, replace(RATES, address=Rate("address", capacity))) == 0


def test_s5_a_key_that_was_revoked_is_forgotten_and_counts_as_a_wrong_one() -> None:
    async def work(asking: Asking) -> list[str]:
        await asking.ask(key=b"a", viewer=ADAS)
        await asking.ask(key=b"a", viewer=None)
        last = await asking.ask(key=b"a", viewer=None)
        return [status.rate.name for status in last.statuses]

    assert _run(work) == ["address"]


def test_s5_failed_sign_ins_stop_at_their_own_limit_and_elsewhere_they_do_not() -> None:
    async def work(asking: Asking) -> list[int]:
        here = [await asking.sign_in() for _ in range(10)]
        there = [await asking.sign_in(THERE) for _ in range(2)]
        return [sum(one.refusal is None for one in tried) for tried in (here, there)]

    assert _run(work) == [3, 2]


def test_s5_one_customer_of_ipv6_is_one_however_many_addresses_they_use() -> None:
    async def work(asking: Asking) -> int:
        tried = [await asking.sign_in(f"2001:db8::{number:x}") for number in range(10)]
        return sum(one.refusal is None for one in tried)

    assert _run(work) == 3


def test_successful_sign_ins_are_not_counted() -> None:
    async def work(asking: Asking) -> bool:
        tried = [await asking.sign_in(success=True) for _ in range(10)]
        return all(one.refusal is None for one in tried)

    assert _run(work)


def test_the_first_request_of_a_key_is_charged_to_the_key_and_not_to_the_address() -> None:
    async def work(asking: Asking) -> tuple[list[str], int]:
        first = await asking.ask(key=b"a", viewer=ADAS)
        return [status.rate.name for status in first.statuses], await asking.passed(30)

    assert _run(work) == (["credential", "user"], 20)


@pytest.mark.parametrize("who", [None, ADAS])
def test_limits_can_be_switched_off(who: Viewer | None) -> None:
    key = None if who is None else b"a"

    async def work(asking: Asking) -> tuple[int, list[LimitStatus]]:
        return await asking.passed(1000, key=key, who=who), (await asking.ask(key=key, viewer=who)).statuses

    assert _run(work, OFF) == (1000, [])


def test_clients_are_told_how_they_stand() -> None:
    async def work(asking: Asking) -> list[tuple[str, int, int]]:
        await asking.ask(key=b"a", viewer=ADAS)
        statuses = (await asking.ask(key=b"a", viewer=ADAS)).statuses
        return [(each.rate.name, round(each.left), each.seconds) for each in statuses]

    assert _run(work) == [("credential", 3, 12), ("user", 6, 8)]
