"""Destroying a mailbox: its rule, its mails and its address, whatever Cloudflare does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api_client import ApiClient, code_of
from tests.builders import an_email
from tests.handing_over import hand_over, signed
from tests.polling import poll
from tests.servers import Product, World, a_world

LARGE = 300_000  # bytes: beyond what lies in a row


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    with a_world(tmp_path, DATABASE_URL=database_url) as opened:
        yield opened


@pytest.fixture
def product(world: World) -> Iterator[Product]:
    with world.product() as running:
        running.active_domain("customer.com")
        yield running


def _mailbox(product: Product) -> dict[str, Any]:
    made: dict[str, Any] = product.admin.post(
        "/api/mailboxes/ensure", json={"localPart": "ada", "subdomain": "mail", "mailDomain": "customer.com"}
    ).json()
    return made


def _files(world: World) -> list[Path]:
    return [path for path in (world.folder / "data" / "blobs").rglob("*") if path.is_file()]


def test_nothing_of_it_is_left_and_the_address_is_free(product: Product, world: World) -> None:
    mailbox = _mailbox(product)
    ids = [
        hand_over(product.url, mailbox["address"], an_email(mailbox["address"], text="x" * size))
        for size in (10, LARGE)
    ]
    assert _files(world)

    destroyed = product.admin.delete(f"/api/mailboxes/{mailbox['id']}")
    again = product.admin.delete(f"/api/mailboxes/{mailbox['id']}")

    assert (destroyed.status_code, destroyed.json()["status"]) == (200, "destroyed")
    assert (destroyed.json()["routingRuleId"], destroyed.json()["lastReceivedAt"]) == (None, None)
    assert again.json() == destroyed.json()
    assert [call for call in world.requests("DELETE") if "/rules/" in call] == [
        call for call in world.requests("DELETE") if call.endswith(mailbox["routingRuleId"])
    ]
    assert len([call for call in world.requests("DELETE") if "/rules/" in call]) == 1
    assert [product.admin.get(f"/api/messages/{each}").status_code for each in ids] == [404, 404]
    assert product.admin.get("/api/messages").json()["messages"] == []
    assert _files(world) == []
    anew = _mailbox(product)
    assert anew["id"] != mailbox["id"]
    assert anew["routingRuleId"] is not None
    assert hand_over(product.url, mailbox["address"], an_email(mailbox["address"])) not in ids


def test_mail_for_it_is_refused_for_good(product: Product) -> None:
    mailbox = _mailbox(product)
    product.admin.delete(f"/api/mailboxes/{mailbox['id']}")
    raw = an_email(mailbox["address"])

    answer = httpx.post(f"{product.url}/api/inbound", content=raw, headers=signed(mailbox["address"], raw))

    assert (answer.status_code, answer.json()["error"]) == (422, "Mailbox unavailable")


def _refuse_to_delete_rules(world: World, **fault: Any) -> None:
    of_rules = {"method": "DELETE", "path": "/zones/*/email/routing/rules/*"}
    world.controls.post("/_sandbox/faults", json={"match": of_rules, "times": -1, **fault}).raise_for_status()


def test_while_cloudflare_refuses_it_is_hidden_and_a_later_try_finishes(product: Product, world: World) -> None:
    mailbox = _mailbox(product)
    message_id = hand_over(product.url, mailbox["address"], an_email(mailbox["address"]))
    _refuse_to_delete_rules(world, status=403, code=10000, message="Authentication error")

    refused = product.admin.delete(f"/api/mailboxes/{mailbox['id']}")
    between = product.admin.get(f"/api/mailboxes/{mailbox['id']}").json()
    hidden = product.admin.get(f"/api/messages/{message_id}")
    taken = product.admin.post("/api/mailboxes/ensure", json={"address": mailbox["address"]})

    assert refused.status_code == 502
    assert (between["status"], between["routingRuleId"]) == ("destroying", mailbox["routingRuleId"])
    assert (hidden.status_code, hidden.json()["error"]) == (404, "Message not found")
    assert taken.status_code == 409
    world.controls.delete("/_sandbox/faults").raise_for_status()
    assert product.admin.delete(f"/api/mailboxes/{mailbox['id']}").json()["status"] == "destroyed"


def test_a_rule_somebody_removed_by_hand_is_no_trouble(product: Product, world: World) -> None:
    mailbox = _mailbox(product)
    [domain] = product.admin.get("/api/domains").json()["domains"]
    rule = f"/client/v4/zones/{domain['zoneId']}/email/routing/rules/{mailbox['routingRuleId']}"
    token = {"authorization": f"Bearer {world.environment['CLOUDFLARE_API_TOKEN']}"}
    world.controls.delete(rule, headers=token).raise_for_status()

    assert product.admin.delete(f"/api/mailboxes/{mailbox['id']}").json()["status"] == "destroyed"


def test_a_domain_can_be_deleted_once_its_mailboxes_are_destroyed(product: Product) -> None:
    mailbox = _mailbox(product)
    [domain] = product.admin.get("/api/domains").json()["domains"]

    before = product.admin.post(f"/api/domains/{domain['id']}/delete")
    product.admin.delete(f"/api/mailboxes/{mailbox['id']}")
    after = product.admin.post(f"/api/domains/{domain['id']}/delete")

    assert (before.status_code, code_of(before)) == (409, "domain_in_use")
    assert after.status_code == 204
    assert product.admin.delete(f"/api/mailboxes/{mailbox['id']}").json()["status"] == "destroyed"


def test_with_management_off_a_mailbox_with_a_rule_stays_and_one_without_goes(world: World) -> None:
    with world.product() as product:
        product.active_domain("customer.com")
        ruled = _mailbox(product)
    with world.product(EMAIL_ROUTING_MANAGEMENT_ENABLED="false") as product:
        plain = product.admin.post("/api/mailboxes", json={}).json()

        refused = product.admin.delete(f"/api/mailboxes/{ruled['id']}")

        assert (refused.status_code, code_of(refused)) == (409, "management_disabled")
        assert product.admin.get(f"/api/mailboxes/{ruled['id']}").json()["status"] == "active"
        assert product.admin.delete(f"/api/mailboxes/{plain['id']}").json()["status"] == "destroyed"


def test_nobody_destroys_what_is_somebody_elses(product: Product) -> None:
    mailbox = _mailbox(product)
    with product.client(product.add_member("bob")) as bob:
        refused = bob.delete(f"/api/mailboxes/{mailbox['id']}")
        unknown = bob.delete("/api/mailboxes/mbx_nobody")

    assert (refused.status_code, unknown.status_code) == (403, 404)
    assert _still_receives(product.admin, mailbox)


def _still_receives(admin: ApiClient, mailbox: dict[str, Any]) -> bool:
    return bool(admin.get(f"/api/mailboxes/{mailbox['id']}").json()["status"] == "active")


def test_b4_a_rate_limit_while_it_is_destroyed_is_said_as_one_and_waited_out(product: Product, world: World) -> None:
    mailbox = _mailbox(product)
    fault = {"match": {"method": "DELETE", "path": "/zones/*/email/routing/rules/*"}, "status": 429, "retryAfter": 1}
    world.controls.post("/_sandbox/faults", json={**fault, "times": 1}).raise_for_status()

    limited = product.admin.delete(f"/api/mailboxes/{mailbox['id']}")
    again = poll(  # until Cloudflare's second is over
        lambda: product.admin.delete(f"/api/mailboxes/{mailbox['id']}"),
        lambda answer: answer.status_code != 429 or code_of(answer) != "cloudflare_rate_limited",
    )

    assert (limited.status_code, code_of(limited)) == (429, "cloudflare_rate_limited")
    assert (again.status_code, again.json()["status"]) == (200, "destroyed")
    assert product.world.requests("DELETE")[-1].endswith(mailbox["routingRuleId"])
