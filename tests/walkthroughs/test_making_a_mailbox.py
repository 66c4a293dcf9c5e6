"""Story three: an address is made, and Cloudflare is asked for exactly what it needs."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.api_client import code_of
from tests.servers import Product


def test_the_first_mailbox_on_a_subdomain_takes_three_calls_and_the_next_takes_one(product: Product) -> None:
    domain = product.active_domain("customer.com")
    routing = f"/zones/{domain['zoneId']}/email/routing"
    before = len(product.world.requests())

    first = product.admin.post("/api/mailboxes", json={"localPart": "ada", "subdomain": "mail"})
    second = product.admin.post("/api/mailboxes", json={"localPart": "bob", "subdomain": "mail"})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["address"] == "ada@mail.customer.com"
    assert first.json()["status"] == "active"
    assert first.json()["routingRuleId"]
    assert product.world.requests()[before:] == [
        f"GET {routing}/dns",
        f"POST {routing}/dns",
        f"POST {routing}/rules",
        f"POST {routing}/rules",
    ]


def test_a_mailbox_is_made_from_nothing_at_all(product: Product) -> None:
    product.active_domain("customer.com")

    made = product.admin.post("/api/mailboxes", json={})

    assert made.status_code == 201
    assert made.json()["rootDomain"] == "customer.com"
    assert made.json()["expiresAt"] is not None


def test_without_a_domain_there_is_nothing_to_make_it_on(product: Product) -> None:
    refused = product.admin.post("/api/mailboxes", json={})

    assert refused.status_code == 400
    assert refused.json() == {"error": "No mailbox domains are enabled", "details": {"code": "no_domains"}}


def test_ensuring_finds_extends_and_never_shortens(product: Product) -> None:
    product.active_domain("customer.com")
    wish = {"localPart": "ada", "subdomain": "mail", "mailDomain": "customer.com"}

    made = product.admin.post("/api/mailboxes/ensure", json={**wish, "expiresInMinutes": 120})
    longer = product.admin.post("/api/mailboxes/ensure", json={**wish, "expiresInMinutes": 600})
    shorter = product.admin.post("/api/mailboxes/ensure", json={**wish, "expiresInMinutes": 60})
    for_ever = product.admin.post(
        "/api/mailboxes/ensure", json={"address": "ada@mail.customer.com", "expiresInMinutes": None}
    )
    still = product.admin.post("/api/mailboxes/ensure", json={**wish, "expiresInMinutes": 60})

    assert [answer.status_code for answer in (made, longer, shorter, for_ever, still)] == [201, 200, 200, 200, 200]
    assert len({answer.json()["id"] for answer in (made, longer, shorter, for_ever, still)}) == 1
    assert longer.json()["expiresAt"] > made.json()["expiresAt"]
    assert shorter.json()["expiresAt"] == longer.json()["expiresAt"]
    assert for_ever.json()["expiresAt"] is None
    assert still.json()["expiresAt"] is None


def test_an_address_in_use_is_shown_to_its_owner_and_to_nobody_else(product: Product) -> None:
    product.active_domain("customer.com")
    wish = {"localPart": "ada", "subdomain": "mail"}
    made = product.admin.post("/api/mailboxes", json=wish).json()

    again = product.admin.post("/api/mailboxes", json=wish)
    with product.client(product.add_member("bob")) as bob:
        bobs = bob.post("/api/mailboxes", json=wish)
        bobs_sight = [
            bob.get(f"/api/mailboxes/{made['id']}"),
            bob.get("/api/mailboxes/resolve", params={"address": made["address"]}),
        ]
        bobs_list = bob.get("/api/mailboxes").json()["mailboxes"]

    assert (again.status_code, code_of(again)) == (409, "mailbox_exists")
    assert again.json()["details"]["mailbox"]["id"] == made["id"]
    assert (bobs.status_code, code_of(bobs)) == (409, "mailbox_taken")
    assert [answer.status_code for answer in bobs_sight] == [403, 404]
    assert bobs_list == []


def test_ten_who_want_one_address_at_once_get_one_mailbox_and_one_rule(product: Product) -> None:
    domain = product.active_domain("customer.com")
    wish = {"localPart": "ada", "subdomain": "mail", "mailDomain": "customer.com"}

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: product.admin.post("/api/mailboxes", json=wish), range(10)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    rules = f"POST /zones/{domain['zoneId']}/email/routing/rules"
    assert product.world.requests("POST").count(rules) == 1


def test_what_cloudflare_refuses_leaves_no_mailbox(product: Product) -> None:
    domain = product.active_domain("customer.com")
    rules = f"/zones/{domain['zoneId']}/email/routing/rules"
    fault = {
        "match": {"method": "POST", "path": rules},
        "status": 403,
        "code": 10000,
        "message": "Authentication error",
        "times": 1,
    }
    product.world.controls.post("/_sandbox/faults", json=fault).raise_for_status()
    wish = {"localPart": "ada", "subdomain": "mail"}

    refused = product.admin.post("/api/mailboxes", json=wish)

    assert (refused.status_code, code_of(refused)) == (502, "email_routing_permission_missing")
    assert product.admin.get("/api/mailboxes").json()["mailboxes"] == []
    assert product.admin.post("/api/mailboxes", json=wish).status_code == 201


@pytest.mark.parametrize("restarted", [False, True])
def test_i9_rules_of_odd_types_after_a_duplicate_leave_no_mailbox_and_the_next_try_makes_it(
    product: Product, restarted: bool
) -> None:
    domain = product.active_domain("customer.com")
    rules = f"/zones/{domain['zoneId']}/email/routing/rules"
    odd = json.dumps({"success": True, "errors": [], "result": [7, None, {"id": 9, "matchers": "all"}]})
    for fault in (
        {"match": {"method": "POST", "path": rules}, "status": 409, "code": 2014, "message": "Duplicate rule"},
        {"match": {"method": "GET", "path": rules}, "content": odd},
    ):
        product.world.controls.post("/_sandbox/faults", json=fault).raise_for_status()
    wish = {"localPart": "ada", "subdomain": "mail"}

    refused = product.admin.post("/api/mailboxes", json=wish)

    assert (refused.status_code, code_of(refused)) == (502, "cloudflare_unreadable")
    assert refused.json()["details"]["cloudflare"]["path"] == rules
    with ExitStack() as stack:
        if restarted:
            product.process.close()
            product = stack.enter_context(product.world.product())
        assert product.admin.get("/api/mailboxes").json()["mailboxes"] == []
        assert product.admin.post("/api/mailboxes", json=wish).status_code == 201


def test_a_rule_whose_answer_was_lost_is_found_again(product: Product) -> None:
    domain = product.active_domain("customer.com")
    rules = f"/zones/{domain['zoneId']}/email/routing/rules"
    fault = {"match": {"method": "POST", "path": rules}, "drop": "after", "times": 1}
    product.world.controls.post("/_sandbox/faults", json=fault).raise_for_status()

    made = product.admin.post("/api/mailboxes", json={"localPart": "ada", "subdomain": "mail"})

    assert made.status_code == 201
    assert made.json()["routingRuleId"]
