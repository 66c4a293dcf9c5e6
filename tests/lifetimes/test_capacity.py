"""Capacity is known and told before it fails, and a mailbox is made where there is room."""

import asyncio
from typing import Any

import pytest

from kaisoumail.errors import Problem
from kaisoumail.mail_routing.capacity import Use
from kaisoumail.model.domain import Domain
from kaisoumail.operations.capacity import read_capacity
from kaisoumail.operations.domains import retry
from kaisoumail.operations.mailboxes import MailboxRequest, create
from kaisoumail.workflows.jobs.clean_up_mailboxes import clean_up_mailboxes
from tests.lifetimes.told import Told
from tests.managed import Managed
from tests.people import ADA, ROOT


async def _foreign_rules(site: Managed, domain: Domain, count: int) -> None:
    path = f"/zones/{domain.zone_id}/email/routing/rules"
    for number in range(count):
        rule = {
            "matchers": [{"field": "to", "type": "literal", "value": f"sales{number}@customer.com"}],
            "actions": [{"type": "drop"}],
        }
        await site.admin.call("POST", path, dict[str, Any], body=rule)


def test_capacity_counts_ours_and_what_others_had_at_the_last_look(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await _foreign_rules(site, domain, 30)
        await site.mailbox("ada@mail.customer.com")
        await retry(site.context, ROOT, domain.id)
        await site.mailbox("bob@shop.customer.com")
        site.clock.move(minutes=61)

        found = await read_capacity(site.context, ROOT, domain.id)

        assert found.capacity.rules == Use(32, 200, 30)
        assert found.capacity.hosts == Use(3, 30, 1)
        assert found.expired == 2
        assert found.looked_at is not None

    told_once(story)


def test_a1_a_full_domain_says_so_with_its_numbers_and_has_room_after_the_clean_up(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await _foreign_rules(site, domain, 190)
        await site.mailbox("ada0@mail.customer.com")
        await retry(site.context, ROOT, domain.id)
        for number in range(1, 10):
            await site.mailbox(f"ada{number}@mail.customer.com")
        site.clock.move(minutes=61)

        with pytest.raises(Problem) as refused:
            await site.mailbox("one-more@mail.customer.com")

        assert refused.value.code == "domain_full"
        assert refused.value.details["rules"] == {"used": 200, "limit": 200}
        assert refused.value.details["freeing"] == {"expired": 10}
        await clean_up_mailboxes(site.context)
        await site.mailbox("one-more@mail.customer.com")

    told_once(story)


def test_a_zone_that_others_filled_since_the_last_look_is_counted_when_cloudflare_refuses(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await _foreign_rules(site, domain, 200)

        with pytest.raises(Problem) as refused:
            await site.mailbox("ada@mail.customer.com")

        assert refused.value.code == "domain_full"
        assert refused.value.details["rules"] == {"used": 200, "limit": 200}

    told_once(story)


def test_the_thirtieth_subdomain_is_refused_by_its_number(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        await site.active_domain()
        for number in range(29):
            await site.mailbox(f"ada@host{number}.customer.com")

        with pytest.raises(Problem) as refused:
            await site.mailbox("ada@one-more.customer.com")

        assert refused.value.code == "domain_full"
        assert refused.value.details["hosts"] == {"used": 30, "limit": 30}

    told_once(story)


def test_l3_a_random_mailbox_is_made_on_a_domain_that_has_room(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        full = await site.active_domain("customer.com")
        await _foreign_rules(site, full, 199)
        await site.mailbox("ada@mail.customer.com")
        await retry(site.context, ROOT, full.id)
        await site.active_domain("other.com")

        made = await asyncio.gather(*(create(site.context, ADA, MailboxRequest()) for _ in range(8)))

        assert {mailbox.address.root_domain for mailbox in made} == {"other.com"}

    told_once(story)
