"""A subdomain without a mailbox is taken out of Email Routing after a while; one in use, or of somebody else, never."""

import asyncio
from datetime import timedelta

from kaisoumail.cloudflare.email_routing import disable_subdomain, enable_subdomain
from kaisoumail.operations.capacity import read_capacity
from kaisoumail.operations.mailboxes import destroy
from kaisoumail.storage.tables import subdomains
from kaisoumail.workflows.jobs.retire_host import retire_idle_hosts
from tests.lifetimes.told import Told
from tests.managed import Managed
from tests.people import ADA, ROOT


async def _idle_for_a_day(site: Managed) -> None:
    """The grace time begins when a pass first finds no mailbox."""
    await retire_idle_hosts(site.context)
    site.clock.move(hours=25)
    await retire_idle_hosts(site.context)


def test_a2_a_subdomain_whose_last_mailbox_is_gone_is_taken_out_after_the_grace_time_and_not_before(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        mailbox = await site.mailbox("ada@mail.customer.com", minutes=None)
        await site.mailbox("ada@shop.customer.com", minutes=None)
        await destroy(site.context, ADA, mailbox.id)
        await retire_idle_hosts(site.context)
        site.clock.move(hours=23)
        await retire_idle_hosts(site.context)
        assert await site.hosts(domain) == {"mail.customer.com", "shop.customer.com"}

        site.clock.move(hours=2)
        await retire_idle_hosts(site.context)

        assert await site.hosts(domain) == {"shop.customer.com"}
        records = await site.admin.call("GET", f"/zones/{domain.zone_id}/dns_records", list[dict[str, object]])
        assert not [record for record in records if record["name"] == "mail.customer.com"]

    told(story)


def test_a_subdomain_that_is_used_again_has_its_time_begin_anew(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        first = await site.mailbox("ada@mail.customer.com", minutes=None)
        await destroy(site.context, ADA, first.id)
        await retire_idle_hosts(site.context)
        site.clock.move(hours=20)
        second = await site.mailbox("bob@mail.customer.com", minutes=None)
        site.clock.move(hours=20)
        await retire_idle_hosts(site.context)
        await destroy(site.context, ADA, second.id)
        await retire_idle_hosts(site.context)
        site.clock.move(hours=20)

        await retire_idle_hosts(site.context)

        assert await site.hosts(domain) == {"mail.customer.com"}

    told(story)


def test_a_mailbox_that_can_be_revived_holds_its_subdomain(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.mailbox("ada@mail.customer.com")
        site.clock.move(minutes=61)

        await _idle_for_a_day(site)

        assert await site.hosts(domain) == {"mail.customer.com"}

    told(story)


def test_l5_a_subdomain_that_was_on_before_us_stays_on_after_our_last_mailbox(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await enable_subdomain(site.admin, str(domain.zone_id), "mail.customer.com")
        mailbox = await site.mailbox("ada@mail.customer.com", minutes=None)
        await destroy(site.context, ADA, mailbox.id)

        await _idle_for_a_day(site)

        assert await site.hosts(domain) == {"mail.customer.com"}

    told(story)


def test_a_subdomain_that_cloudflare_refuses_to_switch_off_stays_on_and_is_tried_again(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        mailbox = await site.mailbox("ada@mail.customer.com", minutes=None)
        await destroy(site.context, ADA, mailbox.id)
        await site.fault("POST", "/zones/*/email/routing/disable", status=400, code=1, message="not now")
        await _idle_for_a_day(site)
        assert await site.hosts(domain) == {"mail.customer.com"}

        site.clock.move(minutes=11)
        await retire_idle_hosts(site.context)

        assert await site.hosts(domain) == set()

    told(story)


def test_a_mailbox_made_while_its_subdomain_is_switched_off_waits_and_receives(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        mailbox = await site.mailbox("ada@mail.customer.com", minutes=None)
        await destroy(site.context, ADA, mailbox.id)
        write = site.context.database.write
        [host] = await write(lambda c: subdomains.claim_idle(c, timedelta(0), 1))
        assert await write(lambda c: subdomains.begin_retiring(c, host.id))

        making = asyncio.create_task(site.mailbox("bob@mail.customer.com", minutes=None))
        await disable_subdomain(site.admin, str(domain.zone_id), "mail.customer.com")
        assert not making.done()
        await write(lambda c: subdomains.end_retiring(c, host.id, is_off=True))
        await making

        assert await site.hosts(domain) == {"mail.customer.com"}

    told(story)


def test_a_subdomain_with_a_mailbox_is_not_switched_off_by_a_pass_that_found_it_idle_before(told: Told) -> None:
    async def story(site: Managed) -> None:
        await site.active_domain()
        mailbox = await site.mailbox("ada@mail.customer.com", minutes=None)
        await destroy(site.context, ADA, mailbox.id)
        write = site.context.database.write
        [host] = await write(lambda c: subdomains.claim_idle(c, timedelta(0), 1))
        await site.mailbox("bob@mail.customer.com", minutes=None)

        assert not await write(lambda c: subdomains.begin_retiring(c, host.id))

    told(story)


def test_forty_subdomains_that_are_used_one_after_the_other_fit_into_a_zone_of_thirty(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        for number in range(40):
            mailbox = await site.mailbox(f"ada@host{number}.customer.com", minutes=None)
            await destroy(site.context, ADA, mailbox.id)
            if number % 20 == 19:
                await _idle_for_a_day(site)

        assert await site.hosts(domain) == set()
        assert (await read_capacity(site.context, ROOT, domain.id)).capacity.hosts.used == 1

    told(story)
