"""
SIGKILL after a step of a workflow: the next process comes to the same end, and nothing is made twice.

After each step that changes something at Cloudflare; with KAISOUMAIL_KILLED=every, as `make crash` has it, after every
step. The failure matrix kills at more points still.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from zlib import crc32

import httpx
import pytest

from tests.api_client import ApiClient
from tests.builders import an_email
from tests.forked import Forked
from tests.handing_over import hand_over
from tests.servers import ADMIN_KEY, Product, World, a_world

AT_CLOUDFLARE = (
    "create the zone",
    "switch Email Routing on",
    "enable_host",
    "route_address",
    "remove_rule",
    "delete_zone",
)
PROVISION = ["read the zone", "switch Email Routing on", "save the outcome"]
BIND = ["look for the zone", "create the zone", "save the zone", *PROVISION]
OPEN = ["use_host", "enable_host", "route_address", "activate"]
ENABLE = ["find the zone", "save the zone", "switch Email Routing on", "save the outcome"]
DESTROY = ["stop_receiving", "remove_rule", "delete_messages", "free_address"]
DELETE = ["hide", "delete_zone", "forget_hosts"]


def _steps(steps: list[str]) -> list[str]:
    is_every = os.environ.get("KAISOUMAIL_KILLED") == "every"
    return steps if is_every else [step for step in steps if step in AT_CLOUDFLARE]


@contextmanager
def _doomed(world: World, step: str) -> Iterator[ApiClient]:
    """A product that dies after *step*; whoever asked it hears nothing."""
    environment = {**world.environment, "PATH": os.environ["PATH"]}
    with Forked("tests.workflows.killed", step, environment=environment) as process:
        url = process.stdout.readline().split()[-1]
        with ApiClient(url, ADMIN_KEY) as admin:
            yield admin
        assert process.wait(30) == -9


def _asked(admin: ApiClient, path: str, body: dict[str, Any] | None = None) -> None:
    """Ask what the process will die of."""
    with pytest.raises(httpx.HTTPError):
        admin.post(path, json=body)


def _eventually(product: Product, path: str, key: str, status: str) -> dict[str, Any]:
    """The only row of a list, once the run that was taken over has brought it to *status*."""
    deadline = monotonic() + 60
    while True:
        rows = product.admin.get(path).json()[key]
        if rows and rows[0]["status"] == status:
            [row] = rows
            return dict(row)
        assert monotonic() < deadline, rows


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """On one of the two databases, half of the steps each; `make matrix` has every step on both."""
    is_shared = crc32(request.node.name.encode()) % 2 == 0
    url = request.getfixturevalue("postgres_url") if is_shared else f"sqlite:///{tmp_path / 'kaisoumail.db'}"
    with a_world(tmp_path, DATABASE_URL=url, PROCESS_DEAD_AFTER_SECONDS="2") as opened:
        yield opened


@pytest.mark.parametrize("step", _steps(BIND))
def test_a_bind_is_finished_by_the_next_process(world: World, step: str) -> None:
    with _doomed(world, step) as admin:
        _asked(admin, "/api/domains/bind", {"mailDomain": "customer.com"})

    with world.product() as product:
        product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"})
        _eventually(product, "/api/domains", "domains", "provisioning_error")
        world.delegate("customer.com")
        domain = _eventually(product, "/api/domains", "domains", "active")
        assert domain["bindingSource"] == "project_bind"
    assert world.requests("POST").count("POST /zones") == 1


@pytest.mark.parametrize("step", _steps(PROVISION))
def test_a_retry_is_finished_by_the_next_process(world: World, step: str) -> None:
    with world.product() as product:
        domain = product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"}).json()
        assert domain["status"] == "provisioning_error"
    world.delegate("customer.com")
    with _doomed(world, step) as admin:
        _asked(admin, f"/api/domains/{domain['id']}/retry")

    with world.product() as product:
        assert _eventually(product, "/api/domains", "domains", "active")["id"] == domain["id"]
    assert world.requests("POST").count("POST /zones") == 1


@pytest.mark.parametrize("step", _steps(ENABLE))
def test_an_enabling_is_finished_by_the_next_process(world: World, step: str) -> None:
    zone_id = _zone_made_elsewhere(world, "existing.com")
    with _doomed(world, step) as admin:
        _asked(admin, "/api/domains", {"mailDomain": "existing.com", "zoneId": zone_id})

    with world.product() as product:
        domain = _eventually(product, "/api/domains", "domains", "active")
        assert (domain["zoneId"], domain["bindingSource"]) == (zone_id, "catalog")


def _zone_made_elsewhere(world: World, name: str) -> str:
    body = {"name": name, "account": {"id": world.account_id}, "type": "full"}
    headers = {"authorization": f"Bearer {world.environment['CLOUDFLARE_API_TOKEN']}"}
    made = world.controls.post("/client/v4/zones", json=body, headers=headers).raise_for_status()
    world.delegate(name)
    return str(made.json()["result"]["id"])


@pytest.mark.parametrize("step", _steps(OPEN))
def test_a_mailbox_is_opened_by_the_next_process(world: World, step: str) -> None:
    with world.product() as product:
        product.active_domain("customer.com")
    wish = {"localPart": "ada", "subdomain": "mail"}
    with _doomed(world, step) as admin:
        _asked(admin, "/api/mailboxes", wish)

    with world.product() as product:
        mailbox = _eventually(product, "/api/mailboxes", "mailboxes", "active")
        assert mailbox["routingRuleId"]
    rules = [call for call in world.requests("POST") if call.endswith("/rules")]
    assert len(rules) == 1


@pytest.mark.parametrize("step", _steps(DESTROY))
def test_a_mailbox_is_destroyed_by_the_next_process(world: World, step: str) -> None:
    with world.product() as product:
        product.active_domain("customer.com")
        mailbox = product.admin.post("/api/mailboxes", json={}).json()
        hand_over(product.url, mailbox["address"], an_email(mailbox["address"]))
    with _doomed(world, step) as admin, pytest.raises(httpx.HTTPError):
        admin.delete(f"/api/mailboxes/{mailbox['id']}")

    with world.product() as product:
        gone = _eventually(product, "/api/mailboxes", "mailboxes", "destroyed")
        assert (gone["id"], gone["routingRuleId"]) == (mailbox["id"], None)
        assert product.admin.get("/api/messages").json()["messages"] == []
    assert len([call for call in world.requests("DELETE") if "/rules/" in call]) <= 1


@pytest.mark.parametrize("step", _steps(DELETE))
def test_a_deletion_is_finished_by_the_next_process(world: World, step: str) -> None:
    with world.product() as product:
        domain = product.active_domain("customer.com")
    with _doomed(world, step) as admin:
        _asked(admin, f"/api/domains/{domain['id']}/delete")

    with world.product() as product:
        product.admin.post(f"/api/domains/{domain['id']}/delete")
        assert product.admin.get("/api/domains").json()["domains"] == []
        assert product.admin.get("/api/domains/catalog").json()["domains"] == []
