"""What is read of a zone's Email Routing, from the pretend Cloudflare over real HTTP."""

import json

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.email_routing import (
    disable_subdomain,
    enable,
    enable_subdomain,
    ensure_rule,
    has_rule,
    read_routing,
)
from kaisoumail.cloudflare.zones import create_zone
from kaisoumail.mail_routing.observed import RoutingHost, RoutingRule
from tests.cloudflare.stories import Controls, told

WORKER, ADA, HOST = "kaisoumail", "ada@mail.customer.com", "mail.customer.com"


async def an_active_zone(client: Cloudflare, controls: Controls) -> str:
    zone = await create_zone(client, "customer.com", controls.account_id)
    await controls.delegate("customer.com")
    await enable(client, zone.id)
    return zone.id


def test_a_zone_is_read_with_its_hosts_and_all_pages_of_its_rules_but_the_catch_all() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        zone_id = await an_active_zone(client, controls)
        await enable_subdomain(client, zone_id, HOST)
        addresses = [f"user{number}@{HOST}" for number in range(60)]
        ids = [str(await ensure_rule(client, zone_id, address, WORKER)) for address in addresses]

        observed = await read_routing(client, zone_id, [HOST])

        assert (observed.is_enabled, observed.status, observed.faults) == (True, "ready", ())
        assert observed.hosts == (RoutingHost(HOST, is_enabled=True),)
        assert observed.rules == tuple(
            RoutingRule(rule_id, f"Mailbox {address}", True, address, WORKER)
            for rule_id, address in zip(ids, addresses, strict=True)
        )

    told(story)


def test_a_host_that_was_never_switched_on_is_read_as_missing_and_one_with_foreign_mail_servers_by_its_fault() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        zone_id = await an_active_zone(client, controls)
        record = {"type": "MX", "name": "shop.customer.com", "content": "mx.elsewhere.example", "priority": 10}
        await client.call("POST", f"/zones/{zone_id}/dns_records", dict, body=record)

        observed = await read_routing(client, zone_id, [HOST, "shop.customer.com"])

        missing, foreign = observed.host(HOST), observed.host("shop.customer.com")
        assert missing == RoutingHost(HOST, is_enabled=False, faults=("mx.missing", "spf.missing"))
        assert foreign is not None
        assert foreign.has_foreign_mx

    told(story)


def test_a_host_that_was_taken_out_is_not_ready_and_taking_it_out_again_is_no_error() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        zone_id = await an_active_zone(client, controls)
        await enable_subdomain(client, zone_id, HOST)

        await disable_subdomain(client, zone_id, HOST)
        await disable_subdomain(client, zone_id, HOST)

        host = (await read_routing(client, zone_id, [HOST])).host(HOST)
        assert host is not None
        assert not host.is_enabled

    told(story)


def test_a_rule_is_there_only_while_it_exists_is_on_and_routes_the_address_to_the_worker() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        zone_id = await an_active_zone(client, controls)
        rule_id = str(await ensure_rule(client, zone_id, ADA, WORKER))

        assert await has_rule(client, zone_id, rule_id, ADA, WORKER)
        assert not await has_rule(client, zone_id, rule_id, ADA, "another-worker")
        assert not await has_rule(client, zone_id, rule_id, "bob@mail.customer.com", WORKER)
        assert not await has_rule(client, zone_id, "f" * 32, ADA, WORKER)
        path = f"/zones/{zone_id}/email/routing/rules/{rule_id}"
        off = {
            "enabled": False,
            "matchers": [{"field": "to", "type": "literal", "value": ADA}],
            "actions": [{"type": "worker", "value": [WORKER]}],
        }
        await client.call("PUT", path, dict, body=off)
        assert not await has_rule(client, zone_id, rule_id, ADA, WORKER)

    told(story)


def test_settings_without_the_list_of_hosts_are_read_host_by_host() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        zone_id = await an_active_zone(client, controls)
        await enable_subdomain(client, zone_id, HOST)
        plain = {"success": True, "errors": [], "result": {"enabled": True, "status": "ready"}}
        await controls.fault("GET", "/zones/*/email/routing", content=json.dumps(plain))

        observed = await read_routing(client, zone_id, [HOST])

        assert observed.hosts == (RoutingHost(HOST, is_enabled=True),)

    told(story)
