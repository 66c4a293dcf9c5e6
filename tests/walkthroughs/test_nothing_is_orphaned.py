"""What we make at Cloudflare is known as ours before it is there, and goes when nothing comes of it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from kaisoumail.storage.engine.sqlite import sqlite_driver
from tests.api_client import ApiClient
from tests.forked import Forked
from tests.polling import poll
from tests.servers import ADMIN_KEY, Product, World


def _fault(world: World, method: str, path: str, **what: Any) -> None:
    body = {"match": {"method": method, "path": path}, **what}
    world.controls.post("/_sandbox/faults", json=body).raise_for_status()


def _rules(product: Product, zone_id: str) -> list[dict[str, Any]]:
    environment = product.world.environment
    headers = {"Authorization": f"Bearer {environment['CLOUDFLARE_API_TOKEN']}"}
    url = f"{product.world.api_url}/zones/{zone_id}/email/routing/rules"
    found: list[dict[str, Any]] = product.world.controls.get(url, headers=headers).raise_for_status().json()["result"]
    return found


def test_b1_a_zone_that_an_earlier_bind_asked_for_and_never_heard_of_is_ours(world: World, tmp_path: Path) -> None:
    environment = {**world.environment, "PATH": os.environ["PATH"]}
    with Forked("tests.workflows.killed", "create the zone", environment=environment) as process:
        url = process.stdout.readline().split()[-1]
        with ApiClient(url, ADMIN_KEY) as admin, pytest.raises(Exception, match="disconnected"):
            admin.post("/api/domains/bind", json={"mailDomain": "customer.com"})
        assert process.wait(30) == -9
    world.controls.delete("/_sandbox/faults")
    # What the run would have gone on with is lost, as with a database that was put back.
    _forget_runs(world, tmp_path)

    with world.product() as product:
        bound = product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"}).json()

        assert bound["bindingSource"] == "project_bind"
        assert world.requests("POST").count("POST /zones") == 1


def _forget_runs(world: World, folder: Path) -> None:

    url = world.environment["DATABASE_URL"]
    if url.startswith("sqlite"):
        engine = create_engine(url, module=sqlite_driver())
        for file in folder.rglob("workflows.db*"):
            file.unlink()
    else:
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM runs"))
        if not url.startswith("sqlite"):
            connection.execute(text("DROP SCHEMA dbos CASCADE"))
    engine.dispose()


def test_b2_a_rule_whose_mailbox_was_given_up_is_taken_back(product: Product) -> None:
    domain = product.active_domain("customer.com")
    rules = f"/zones/{domain['zoneId']}/email/routing/rules"
    _fault(product.world, "POST", rules, drop="after", times=1)
    _fault(product.world, "GET", rules, status=502, times=2)
    _fault(product.world, "PUT", f"{rules}/*", status=403, times=1)

    refused = product.admin.post("/api/mailboxes", json={"localPart": "ada", "subdomain": "mail"})

    assert refused.status_code >= 400
    assert product.admin.get("/api/mailboxes").json()["mailboxes"] == []
    assert [rule for rule in _rules(product, domain["zoneId"]) if rule["matchers"][0]["type"] == "literal"] == []


def test_b2_a_rule_that_cannot_be_taken_back_now_goes_by_itself_and_holds_its_address_until_then(
    world: World,
) -> None:
    with world.product() as product:
        domain = product.active_domain("customer.com")
        rules = f"/zones/{domain['zoneId']}/email/routing/rules"
        _fault(world, "POST", rules, drop="after", times=1)
        _fault(world, "GET", rules, status=502, times=-1)
        refused = product.admin.post("/api/mailboxes", json={"localPart": "ada", "subdomain": "mail"})
        [left] = product.admin.get("/api/mailboxes").json()["mailboxes"]
        world.controls.delete("/_sandbox/faults").raise_for_status()
        there = [rule["matchers"][0].get("value") for rule in _rules(product, domain["zoneId"])]
    with world.product() as product:  # which looks at its start, and then every few minutes
        poll(lambda: product.admin.get(f"/api/mailboxes/{left['id']}").json()["status"] == "destroyed")
        still_there = [rule["matchers"][0].get("value") for rule in _rules(product, domain["zoneId"])]

    assert refused.status_code == 502
    assert left["status"] == "destroying"
    assert "ada@mail.customer.com" in there
    assert "ada@mail.customer.com" not in still_there


def test_b2_a_rule_whose_domain_was_disabled_meanwhile_is_removed(product: Product) -> None:
    domain = product.active_domain("customer.com")
    rules = f"/zones/{domain['zoneId']}/email/routing/rules"
    _fault(product.world, "POST", rules, drop="after", delayMs=1500, times=1)
    mailbox = {"localPart": "ada", "subdomain": "mail"}
    with ThreadPoolExecutor(1) as executor, product.client(ADMIN_KEY) as admin:
        creating = executor.submit(lambda: product.admin.post("/api/mailboxes", json=mailbox))
        poll(lambda: f"POST {rules}" in product.world.requests("POST"))
        admin.post(f"/api/domains/{domain['id']}/disable").raise_for_status()
        refused = creating.result(60)

    assert refused.json()["details"]["code"] == "domain_gone"
    assert product.admin.get("/api/mailboxes").json()["mailboxes"] == []
    assert [rule for rule in _rules(product, domain["zoneId"]) if rule["matchers"][0]["type"] == "literal"] == []
