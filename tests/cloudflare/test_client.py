"""The client against the pretend Cloudflare, over real HTTP."""

import asyncio
from typing import Any

import pytest

from kaisoumail.cloudflare import email_routing, zones
from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.errors import (
    AlreadyExists,
    BadToken,
    CloudflareError,
    CloudflareFault,
    ConnectionLost,
    MissingPermission,
    RateLimited,
    Timeout,
    UnreadableAnswer,
    ZoneNotActive,
)
from tests.cloudflare.stories import Controls, told


def test_a_zone_is_created_found_and_read() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        assert await zones.find_zone(client, "customer.com", controls.account_id) is None

        created = await zones.create_zone(client, "customer.com", controls.account_id)

        assert created.status == "pending"
        assert len(created.name_servers) == 2
        assert await zones.find_zone(client, "customer.com", controls.account_id) == created
        assert await zones.read_zone(client, created.id) == created
        with pytest.raises(AlreadyExists):
            await zones.create_zone(client, "customer.com", controls.account_id)

    told(story)


def test_every_zone_is_listed_however_many_there_are() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        names = [f"customer-{n}.com" for n in range(120)]
        for name in names:
            await zones.create_zone(client, name, controls.account_id)

        assert sorted(zone.name for zone in await zones.list_zones(client)) == sorted(names)

    told(story)


def test_email_routing_waits_for_the_zone_to_be_active() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        zone = await zones.create_zone(client, "customer.com", controls.account_id)
        with pytest.raises(ZoneNotActive) as caught:
            await email_routing.enable(client, zone.id)
        assert caught.value.answer.code == 2009
        assert caught.value.answer.ray_id

        await controls.delegate("customer.com")

        await email_routing.enable(client, zone.id)
        await email_routing.enable_subdomain(client, zone.id, "mail.customer.com")

    told(story)


def test_a_rule_is_made_once_and_found_again() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        zone = await zones.create_zone(client, "customer.com", controls.account_id)
        await controls.delegate("customer.com")
        await email_routing.enable(client, zone.id)

        made = await email_routing.ensure_rule(client, zone.id, "ada@mail.customer.com", "worker-one")
        again = await email_routing.ensure_rule(client, zone.id, "ada@mail.customer.com", "worker-two")

        assert made is not None
        assert again == made
        rules = await client.call("GET", f"/zones/{zone.id}/email/routing/rules", list[dict[str, Any]])
        [rule] = [rule for rule in rules if rule["id"] == made]
        assert rule["actions"] == [{"type": "worker", "value": ["worker-two"]}]
        await email_routing.delete_rule(client, zone.id, made)
        await email_routing.delete_rule(client, zone.id, made)

    told(story)


def test_a_missing_permission_is_told_from_a_bad_token() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        with pytest.raises(MissingPermission, match=r"com\.cloudflare\.api\.account\.zone\.create"):
            await zones.create_zone(client, "customer.com", controls.account_id)
        await controls.fault("GET", "/zones", status=401, code=1000, message="Invalid API Token")
        with pytest.raises(BadToken):
            await zones.list_zones(client)

    told(story, permissions=["Zone Read"])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 500, "code": 1052, "message": "An error has occurred"}, CloudflareFault),
        ({"status": 502, "body": "html"}, CloudflareFault),
        ({"drop": "before"}, ConnectionLost),
        ({"drop": "after"}, ConnectionLost),
        ({"body": "success_false_200"}, UnreadableAnswer),
        ({"body": "not_json_200"}, UnreadableAnswer),
        ({"status": 429, "retryAfter": 12}, RateLimited),
    ],
    ids=str,
)
def test_every_kind_of_trouble_has_its_type(fault: dict[str, Any], kind: type[CloudflareError]) -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        await controls.fault("GET", "/zones", **fault)
        with pytest.raises(kind) as caught:
            await client.call("GET", "/zones", list)
        assert (caught.value.answer.method, caught.value.answer.path) == ("GET", "/zones")
        if isinstance(caught.value, RateLimited):
            assert caught.value.retry_after == 12
        assert await client.call("GET", "/zones", list) == []

    told(story)


def test_a_slow_answer_is_a_timeout() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        await controls.fault("GET", "/zones", delayMs=5000)
        with pytest.raises(Timeout):
            await client.call("GET", "/zones", list)

    told(story, timeout=0.2)


def test_nobody_there_is_a_lost_connection() -> None:
    async def run() -> None:
        client = Cloudflare("http://127.0.0.1:1/client/v4", "token")
        try:
            with pytest.raises(ConnectionLost):
                await zones.list_zones(client)
        finally:
            await client.close()

    asyncio.run(run())
