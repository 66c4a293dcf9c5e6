"""For each job, and some that Cloudflare refuses: what comes before, what asks for it, its end and what Retry is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from kaisoumail.workflows.engine.registry import JOBS
from tests.api_client import ApiClient
from tests.builders import an_email
from tests.handing_over import hand_over
from tests.matrix.site import Seen, Site


@dataclass(frozen=True)
class Request:
    """A request that asks for a job."""

    method: str
    path: str
    body: Any = None

    def sent(self, client: ApiClient) -> httpx.Response:
        return client.request(self.method, self.path, json=self.body)


@dataclass(frozen=True)
class Scenario:
    """
    *prepare* makes what the job needs under a domain's name, and returns what asks for it; *end* is what it comes to.

    *again* is what the same person asks for when it came to something else.
    """

    prepare: Callable[[Site, ApiClient, str], Request]
    end: Seen
    again: Callable[[ApiClient, str, Request], Request]
    refused: tuple[str, str] | None = None  # the mailbox as which one that was refused may stay in the list
    refusal: tuple[str, str] | None = None  # method and path of the call that Cloudflare refuses all the time

    def is_at_its_end(self, seen: Seen) -> bool:
        if self.refused is None:
            return seen == self.end
        return replace(seen, mailboxes=tuple(one for one in seen.mailboxes if one != self.refused)) == self.end


_WAITING: Final = ("provisioning_error", "cloudflare_zone_not_active")
_ACTIVE: Final = ("active", None)


def _to_bind(_site: Site, _client: ApiClient, name: str) -> Request:
    return Request("POST", "/api/domains/bind", {"mailDomain": name})


def _to_enable(site: Site, _client: ApiClient, name: str) -> Request:
    body = {"name": name, "account": {"id": site.world.account_id}, "type": "full"}
    headers = {"authorization": f"Bearer {site.world.environment['CLOUDFLARE_API_TOKEN']}"}
    made = site.world.controls.post("/client/v4/zones", json=body, headers=headers).raise_for_status()
    site.world.delegate(name)
    site.made_elsewhere.add(name)
    return Request("POST", "/api/domains", {"mailDomain": name, "zoneId": made.json()["result"]["id"]})


def _to_provision(site: Site, client: ApiClient, name: str) -> Request:
    bound = _to_bind(site, client, name).sent(client).raise_for_status().json()
    site.world.delegate(name)
    return Request("POST", f"/api/domains/{bound['id']}/retry")


def _to_delete(site: Site, client: ApiClient, name: str) -> Request:
    domain = _to_provision(site, client, name).sent(client).raise_for_status().json()
    return Request("POST", f"/api/domains/{domain['id']}/delete")


def _to_open(site: Site, client: ApiClient, name: str) -> Request:
    _to_provision(site, client, name).sent(client).raise_for_status()
    return Request("POST", "/api/mailboxes", {"localPart": "ada", "subdomain": "mail", "rootDomain": name})


def _to_destroy(site: Site, client: ApiClient, name: str) -> Request:
    mailbox = _to_open(site, client, name).sent(client).raise_for_status().json()
    hand_over(site.server.url, mailbox["address"], an_email(mailbox["address"]))
    return Request("DELETE", f"/api/mailboxes/{mailbox['id']}")


def _to_route(site: Site, client: ApiClient, name: str) -> Request:
    """Somebody removed the rule of a mailbox, whose rule was last seen a while ago."""
    opened = _to_open(site, client, name).sent(client).raise_for_status().json()
    [zone] = [zone for zone in site.zones() if zone["name"] == name]
    path = f"/client/v4/zones/{zone['id']}/email/routing/rules/{opened['routingRuleId']}"
    headers = {"authorization": f"Bearer {site.world.environment['CLOUDFLARE_API_TOKEN']}"}
    site.world.controls.delete(path, headers=headers).raise_for_status()
    site.change("UPDATE mailboxes SET rule_checked_at = NULL WHERE id = :id", id=opened["id"])
    return Request("POST", "/api/mailboxes/ensure", {"address": opened["address"]})


def _to_revive(site: Site, client: ApiClient, name: str) -> Request:
    opened = _to_open(site, client, name).sent(client).raise_for_status().json()
    site.change("UPDATE mailboxes SET expires_at = created_at WHERE id = :id", id=opened["id"])
    return Request("POST", "/api/mailboxes/ensure", {"address": opened["address"]})


def _the_same(_client: ApiClient, _name: str, asked: Request) -> Request:
    return asked


def _retry_if_there(client: ApiClient, name: str, asked: Request) -> Request:
    domains = client.get("/api/domains").raise_for_status().json()["domains"]
    ids = [domain["id"] for domain in domains if domain["rootDomain"] == name]
    return Request("POST", f"/api/domains/{ids[0]}/retry") if ids else asked


def _ensure(_client: ApiClient, name: str, _asked: Request) -> Request:
    return Request("POST", "/api/mailboxes/ensure", {"address": f"ada@mail.{name}"})


_GIVEN_UP: Final = ("ada", "destroyed")
_ROUTED: Final = (("active", True),)
SCENARIOS: Final[dict[str, Scenario]] = {
    "bind_domain": Scenario(_to_bind, Seen(_WAITING, (("pending", False),)), _retry_if_there),
    "enable_domain": Scenario(_to_enable, Seen(_ACTIVE, _ROUTED), _retry_if_there),
    "provision_domain": Scenario(_to_provision, Seen(_ACTIVE, _ROUTED), _the_same),
    "delete_domain": Scenario(_to_delete, Seen(None), _the_same),
    "open_mailbox": Scenario(
        _to_open, Seen(_ACTIVE, _ROUTED, (("ada", "active"),), ("ada",)), _ensure, refused=_GIVEN_UP
    ),
    "route_mailbox": Scenario(_to_route, Seen(_ACTIVE, _ROUTED, (("ada", "active"),), ("ada",)), _the_same),
    "revive_mailbox": Scenario(_to_revive, Seen(_ACTIVE, _ROUTED, (("ada", "active"),), ("ada",)), _the_same),
    "destroy_mailbox": Scenario(_to_destroy, Seen(_ACTIVE, _ROUTED, (("ada", "destroyed"),)), _the_same),
    # What is done when Cloudflare says no has steps of its own.
    "bind_domain, refused": Scenario(_to_bind, Seen(None), _the_same, refusal=("POST", "/zones")),
    "delete_domain, refused": Scenario(_to_delete, Seen(_ACTIVE, _ROUTED), _the_same, refusal=("DELETE", "/zones/*")),
    "open_mailbox, refused": Scenario(
        _to_open,
        Seen(_ACTIVE, _ROUTED),
        _the_same,
        refused=_GIVEN_UP,
        refusal=("POST", "/zones/*/email/routing/rules"),
    ),
}


WITHOUT_REQUEST: Final = {"retire_host": "the clean-up starts it and no request does: tests/lifetimes/test_hosts.py"}


def job_of(scenario: str) -> str:
    return scenario.partition(",")[0]


def product_jobs() -> set[str]:
    """The names of the jobs that are the product's, not some test's."""
    return {name for name, job in JOBS.items() if job.function.__module__.startswith("kaisoumail.")}
