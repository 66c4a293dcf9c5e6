"""What is said of a domain is true now: vanished, moved, waiting, and why (L12, C4–C9)."""

from dataclasses import replace
from typing import Any

import pytest

from kaisoumail.errors import Problem
from kaisoumail.model.domain import Domain, DomainStatus
from kaisoumail.operations.domain_catalog import read_catalog
from kaisoumail.operations.domains import bind, list_domains, retried, retry
from kaisoumail.workflows.context import CloudflareAccess
from kaisoumail.workflows.jobs.watch_activation import check_waiting_domains
from tests.lifetimes.told import Told
from tests.managed import Managed
from tests.people import ROOT


async def _now(site: Managed, domain: Domain) -> Domain:
    [found] = [each for each in await list_domains(site.context, ROOT) if each.id == domain.id]
    return found


def test_c4_a_zone_that_vanished_is_missing_in_the_catalogue_and_its_domain_is_not_offered_any_more(
    told_once: Told,
) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.admin.call("DELETE", f"/zones/{domain.zone_id}", dict[str, Any])

        catalog = await read_catalog(site.context, ROOT)
        [entry] = [entry for entry in catalog.entries if entry.root_domain == "customer.com"]
        await check_waiting_domains(site.context)

        assert (entry.zone, entry.zone_status, entry.name_servers) == (None, None, ())
        vanished = await _now(site, domain)
        assert (vanished.status, vanished.last_provision_code) == (DomainStatus.PROVISIONING_ERROR, "zone_gone")
        assert (vanished.zone_status, vanished.name_servers) == (None, ())

    told_once(story)


def test_c4_a_mailbox_that_fails_for_a_zone_that_vanished_has_the_domain_looked_at(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.admin.call("DELETE", f"/zones/{domain.zone_id}", dict[str, Any])

        with pytest.raises(Problem):
            await site.mailbox("ada@mail.customer.com")
        await check_waiting_domains(site.context)

        assert (await _now(site, domain)).last_provision_code == "zone_gone"

    told_once(story)


def test_l12_a_zone_that_vanished_and_came_back_is_active_again_by_itself(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.admin.call("DELETE", f"/zones/{domain.zone_id}", dict[str, Any])
        await retry(site.context, ROOT, domain.id)
        body = {"name": "customer.com", "account": {"id": site.context.cloudflare.account_id}, "type": "full"}
        await site.admin.call("POST", "/zones", dict[str, Any], body=body)
        (await site.controls.post("/_sandbox/zones/customer.com/delegate")).raise_for_status()

        site.clock.move(hours=2)
        await check_waiting_domains(site.context)

        assert (await _now(site, domain)).status is DomainStatus.ACTIVE

    told_once(story)


def test_c5_a_zone_found_pending_waits_for_its_name_servers_whatever_the_last_error_was(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        await site.fault("POST", "/zones/*/email/routing/enable", status=500, times=10)
        bound = await bind(site.context, ROOT, "customer.com")
        assert bound.domain.last_provision_code == "cloudflare_unreachable"

        site.clock.move(hours=1)
        await check_waiting_domains(site.context)

        assert (await _now(site, bound.domain)).last_provision_code == "cloudflare_zone_not_active"

    told_once(story)


def test_c6_a_permission_that_is_missing_is_named_in_the_sentence_and_an_invalid_token_is_told_from_it(
    told_once: Told,
) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        refusal = {"status": 403, "code": 10000, "message": "Authentication error"}
        await site.fault("POST", "/zones/*/email/routing/enable", **refusal)
        await retry(site.context, ROOT, domain.id)
        missing = await _now(site, domain)

        await site.fault("POST", "/zones/*/email/routing/enable", **refusal)
        await site.fault("GET", "/user/tokens/verify", status=401, code=1000, message="Invalid API Token")
        await site.fault("GET", "/accounts/*/tokens/verify", status=401, code=1000, message="Invalid API Token")
        await retry(site.context, ROOT, domain.id)
        invalid = await _now(site, domain)

        assert missing.last_provision_code == "email_routing_permission_missing"
        assert "Zone: Zone Settings: Edit" in str(missing.last_provision_error)
        assert missing.last_provision_details["permission"] == "Zone: Zone Settings: Edit"
        assert invalid.last_provision_code == "cloudflare_token_invalid"

    told_once(story)


def test_c8_a_retry_that_cloudflare_does_not_answer_is_the_domain_with_its_reason(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        waiting = (await bind(site.context, ROOT, "waiting.com")).domain
        active = await site.active_domain()
        await site.fault("GET", "/zones/*", status=500, times=20)

        unanswered = await retried(site.context, ROOT, waiting.id)
        untouched = await retried(site.context, ROOT, active.id)

        assert (unanswered.status, unanswered.last_provision_code) == (
            DomainStatus.PROVISIONING_ERROR,
            "cloudflare_unreachable",
        )
        assert (untouched.status, untouched.last_provision_code) == (DomainStatus.ACTIVE, None)

    told_once(story)


def test_c7_a_catalogue_without_a_token_says_that_it_could_not_be_read(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        without = replace(site.context, cloudflare=CloudflareAccess(enabled=True))

        catalog = await read_catalog(without, ROOT)

        assert catalog.problem is not None
        assert catalog.problem.code == "token_missing"

    told_once(story)
