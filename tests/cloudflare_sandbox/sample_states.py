"""The state each recorded call was made in, rebuilt: one function per sample, named like its file."""

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests.cloudflare_sandbox.pretend import EVERYTHING, Pretend, result, rule_for


@dataclass
class Asked:
    """How a sample's request is sent: what its path's placeholders stand for, and with which credentials."""

    zone: str = ""
    record: str = ""
    headers: dict[str, str] = field(default_factory=dict)


STATES: dict[str, Callable[[Pretend], Asked]] = {}


def _state(function: Callable[[Pretend], Asked]) -> Callable[[Pretend], Asked]:
    STATES[function.__name__.strip("_")] = function
    return function


def _id(path: str) -> str:
    return path.rpartition("/")[2]


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _record(cloudflare: Pretend, zone: str, kind: str, name: str, content: str, ttl: int = 3600) -> httpx.Response:
    body = {"type": kind, "name": name, "content": content, "ttl": ttl}
    return cloudflare.api.post(f"{zone}/dns_records", json=body)


@_state
def auth_err_10000_403(cloudflare: Pretend) -> Asked:
    zone = cloudflare.active_zone()
    return Asked(_id(zone), headers=_bearer(cloudflare.token(["Zone Read", "Email Routing Rules Write"])))


@_state
def auth_err_1000_401_verify(_cloudflare: Pretend) -> Asked:
    return Asked(headers=_bearer("a" * 40))


@_state
def auth_err_6003_400(_cloudflare: Pretend) -> Asked:
    return Asked(headers=_bearer("too short"))


@_state
def dns_err_81057(cloudflare: Pretend) -> Asked:
    zone = cloudflare.active_zone()
    result(_record(cloudflare, zone, "A", "www.example.com", "192.0.2.1"))
    other = result(_record(cloudflare, zone, "A", "www.example.com", "192.0.2.2"))
    return Asked(_id(zone), other["id"])


@_state
def dns_err_890190_email_routing_managed_mx(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.routing_zone()))


@_state
def dns_record_create_A_200(cloudflare: Pretend) -> Asked:  # noqa: N802 - named like its file
    return Asked(_id(cloudflare.active_zone("byemike.org")))


@_state
def dns_record_create_duplicate_400_81058(cloudflare: Pretend) -> Asked:
    zone = cloudflare.active_zone("byemike.org")
    result(_record(cloudflare, zone, "TXT", "_acme-challenge.noop.byemike.org", "challengetoken"))
    return Asked(_id(zone))


@_state
def dns_record_delete_200(cloudflare: Pretend) -> Asked:
    zone = cloudflare.active_zone("byemike.org")
    made = result(_record(cloudflare, zone, "TXT", "delete.testfilt.byemike.org", "challengetoken"))
    return Asked(_id(zone), made["id"])


@_state
def dns_record_email_routing_managed(cloudflare: Pretend) -> Asked:
    zone = cloudflare.routing_zone()
    rows = result(cloudflare.api.get(f"{zone}/dns_records", params={"type": "MX"}))
    return Asked(_id(zone), rows[0]["id"])


@_state
def dns_records_list_200(cloudflare: Pretend) -> Asked:
    zone = cloudflare.active_zone("byemike.org")
    result(_record(cloudflare, zone, "A", "localhost.byemike.org", "127.0.0.1"))
    result(_record(cloudflare, zone, "CNAME", "docs.byemike.org", "docs.example.com"))
    result(_record(cloudflare, zone, "TXT", "_acme-challenge.fqdn.byemike.org", "challengetoken"))
    return Asked(_id(zone))


@_state
def dns_records_list_empty_200(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.active_zone("byemike.org")))


@_state
def email_routing_catch_all_default_200(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.routing_zone()))


@_state
def email_routing_dns_get_subdomain_missing_200(cloudflare: Pretend) -> Asked:
    cloudflare.switch(unset_subdomain_lists_records=True)  # mailda measured otherwise, which is the default
    return Asked(_id(cloudflare.routing_zone("linuxdo.space")))


@_state
def email_routing_dns_get_subdomain_ready_200(cloudflare: Pretend) -> Asked:
    zone = cloudflare.routing_zone("mailda.site")
    result(cloudflare.api.post(f"{zone}/email/routing/dns", json={"name": "probe.mailda.site"}))
    return Asked(_id(zone))


@_state
def email_routing_dns_post_200_settings(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.active_zone("linuxdo.space")))


@_state
def email_routing_err_2007_422_one_destination(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.routing_zone()))


@_state
def email_routing_err_2007_one_action(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.routing_zone()))


@_state
def email_routing_err_2008_409_foreign_mx(cloudflare: Pretend) -> Asked:
    zone = cloudflare.active_zone()
    mx = {"type": "MX", "name": "example.com", "content": "aspmx.l.google.com", "priority": 1, "ttl": 1}
    result(cloudflare.api.post(f"{zone}/dns_records", json=mx))
    return Asked(_id(zone))


@_state
def email_routing_err_2009_403_pending_zone(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.pending_zone()))


@_state
def email_routing_err_2014_duplicate(cloudflare: Pretend) -> Asked:
    zone = cloudflare.routing_zone()
    result(cloudflare.api.post(f"{zone}/email/routing/rules", json=rule_for("drill@example.com")))
    return Asked(_id(zone))


@_state
def email_routing_err_2054_400_unverified(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.routing_zone()))


@_state
def email_routing_rule_create_200(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.routing_zone()))


@_state
def email_sending_err_2036_401(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.active_zone()))


@_state
def email_sending_err_2040_exists(cloudflare: Pretend) -> Asked:
    zone = cloudflare.active_zone()
    headers = _bearer(cloudflare.token([*EVERYTHING, "Email Sending Write"]))
    path = f"{zone}/email/sending/subdomains"
    result(cloudflare.api.post(path, json={"name": "mail.example.com"}, headers=headers))
    return Asked(_id(zone), headers=headers)


@_state
def rate_limit_429_971(cloudflare: Pretend) -> Asked:
    zone = cloudflare.active_zone()
    cloudflare.switch(requests_per_window=1)
    return Asked(_id(zone))


@_state
def rate_limit_headers_200(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.active_zone()))


@_state
def token_verify_200(_cloudflare: Pretend) -> Asked:
    return Asked()


@_state
def zone_create_pending_200(_cloudflare: Pretend) -> Asked:
    return Asked()


@_state
def zone_err_1049_unregistered(cloudflare: Pretend) -> Asked:
    cloudflare.switch(zone_refusals={"example.invalid": "1049"})
    return Asked()


@_state
def zone_err_1061_400_exists(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.pending_zone()))


@_state
def zone_err_1099_psl(cloudflare: Pretend) -> Asked:
    cloudflare.switch(zone_refusals={"bad.psl-example": "1099"})
    return Asked()


@_state
def zone_err_1105_restricted(cloudflare: Pretend) -> Asked:
    cloudflare.switch(zone_refusals={"example.com": "1105"})
    return Asked()


@_state
def zone_err_1116_subdomain(_cloudflare: Pretend) -> Asked:
    return Asked()


@_state
def zone_err_1224_activation_check(cloudflare: Pretend) -> Asked:
    zone = cloudflare.pending_zone()
    result(cloudflare.api.put(f"{zone}/activation_check"))
    return Asked(_id(zone))


@_state
def zone_err_7003_7000_404(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.active_zone()))


@_state
def zone_err_9109_403_unknown_zone(_cloudflare: Pretend) -> Asked:
    return Asked()


@_state
def zone_err_create_permission_403(cloudflare: Pretend) -> Asked:
    cloudflare.active_zone("mine.com")
    return Asked(headers=_bearer(cloudflare.token(zones=["mine.com"])))


@_state
def zone_pending_old_2016_200(cloudflare: Pretend) -> Asked:
    return Asked(_id(cloudflare.pending_zone()))


@_state
def zones_list_200(cloudflare: Pretend) -> Asked:
    names = ["byemike.org", "mikeleave.com", "third.org"]
    cloudflare.switch(names_registered_at_cloudflare=names)
    for name in names:
        cloudflare.active_zone(name)
    return Asked(headers=_bearer(cloudflare.token(["Zone Read", "DNS Write"])))
