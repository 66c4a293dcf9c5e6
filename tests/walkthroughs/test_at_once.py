"""
Many ask for the same at once, in one process and in several: one makes it, the others get what comes of it.

`make in-flight` runs them at length.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from tests.servers import ADMIN_KEY, Product, a_world

IS_LONG: Final = "KAISOUMAIL_IN_FLIGHT" in os.environ
ROUNDS: Final = 50 if IS_LONG else 3
SUBDOMAINS: Final = 100 if IS_LONG else 4
A_ZONE_TAKES: Final = 25


def _ensured(product: Product, body: dict[str, Any]) -> tuple[int, Any]:
    with product.client(ADMIN_KEY) as client:
        answer = client.post("/api/mailboxes/ensure", json=body)
        return answer.status_code, answer.json()


def test_d1_of_eight_who_ensure_a_new_address_one_makes_it_and_the_others_are_given_it(product: Product) -> None:
    product.active_domain("customer.com")
    with ThreadPoolExecutor(8) as threads:
        for number in range(ROUNDS):
            body = {"address": f"round{number}@mail.customer.com"}
            answers = list(threads.map(lambda _, body=body: _ensured(product, body), range(8)))
            assert sorted(status for status, _ in answers) == [200] * 7 + [201]
            assert len({mailbox["id"] for _, mailbox in answers}) == 1
            assert {mailbox["status"] for _, mailbox in answers} == {"active"}


def test_d1_when_the_first_is_refused_all_who_wait_for_it_are(product: Product) -> None:
    product.active_domain("customer.com")
    fault = {"match": {"method": "POST", "path": "*/email/routing/dns"}, "times": -1, "status": 403, "delayMs": 300}
    product.world.controls.post("/_sandbox/faults", json=fault).raise_for_status()
    with ThreadPoolExecutor(8) as threads:
        body = {"address": "ada@mail.customer.com"}
        answers = list(threads.map(lambda _: _ensured(product, body), range(8)))

    assert {answer["details"]["code"] for _, answer in answers} == {"email_routing_permission_missing"}
    assert product.admin.get("/api/mailboxes").json()["mailboxes"] == []


def test_i7_who_is_told_that_a_mailbox_never_expires_is_not_cut_short_by_who_asks_at_the_same_moment(
    product: Product,
) -> None:
    product.active_domain("customer.com")
    with ThreadPoolExecutor(8) as threads:
        for number in range(ROUNDS):
            address = f"round{number}@mail.customer.com"
            wishes = [{"address": address, "expiresInMinutes": None if half else 120} for half in (True, False) * 4]
            list(threads.map(lambda wish: _ensured(product, wish), wishes))
            assert _ensured(product, wishes[1])[1]["expiresAt"] is None


@pytest.fixture
def products(tmp_path: Path, postgres_url: str) -> Any:
    with ExitStack() as stack:
        world = stack.enter_context(a_world(tmp_path, DATABASE_URL=postgres_url))
        yield [stack.enter_context(world.product()) for _ in range(3)]


def test_k4_the_first_mailboxes_of_new_subdomains_in_three_processes_at_once(products: list[Product]) -> None:
    def made(one: tuple[Product, str]) -> Any:
        product, address = one
        with product.client(ADMIN_KEY) as client:
            local_part, _, host = address.partition("@")
            subdomain, _, root = host.partition(".")
            body = {"localPart": local_part, "subdomain": subdomain, "rootDomain": root}
            return client.post("/api/mailboxes", json=body).json()

    with ThreadPoolExecutor(3) as threads:
        for number in range(SUBDOMAINS):
            root = f"customer{number // A_ZONE_TAKES}.com"
            if number % A_ZONE_TAKES == 0:
                products[0].active_domain(root)
            addresses = [f"{name}@sub{number}.{root}" for name in ("ada", "bob", "cyd")]
            answers = list(threads.map(made, zip(products, addresses, strict=True)))
            assert [answer.get("status") for answer in answers] == ["active"] * 3, answers


def test_l6_of_three_processes_one_makes_an_address_and_the_others_are_given_it(products: list[Product]) -> None:
    products[0].active_domain("customer.com")
    with ThreadPoolExecutor(6) as threads:
        for number in range(ROUNDS):
            body = {"address": f"round{number}@mail.customer.com"}
            answers = list(threads.map(lambda product, body=body: _ensured(product, body), products * 2))
            assert sorted(status for status, _ in answers) == [200] * 5 + [201], answers
            assert len({mailbox["id"] for _, mailbox in answers}) == 1
