"""A mailbox that expires gives its rule back, can be revived for a while, and is then destroyed with its messages."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import zstandard

from kaisoumail.errors import Problem
from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.model.message import Envelope
from kaisoumail.operations.domains import disable
from kaisoumail.operations.mailboxes import MailboxRequest, destroy, ensure
from kaisoumail.operations.receive import can_receive
from kaisoumail.storage.intake import IncomingMessage
from kaisoumail.storage.tables import audit, messages
from kaisoumail.storage.tables.audit import AuditFilter
from kaisoumail.workflows.context import CleanupLimits
from kaisoumail.workflows.jobs.clean_up_mailboxes import clean_up_mailboxes
from tests.builders import a_message, an_email
from tests.database_clock import DatabaseClock
from tests.lifetimes.told import Told
from tests.managed import Managed, managed
from tests.people import ADA, ROOT

ADDRESS = "ada@mail.customer.com"
REQUEST = MailboxRequest("ada", "mail", "customer.com", 60)


def test_a1_the_rules_of_expired_mailboxes_are_removed_and_a_zone_has_room_again(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        expiring = [await site.mailbox(f"user{number}@mail.customer.com") for number in range(30)]
        lasting = await site.mailbox("stays@mail.customer.com", minutes=None)
        site.clock.move(minutes=61)

        await clean_up_mailboxes(site.context)

        assert set(await site.rules(domain)) == {"stays@mail.customer.com"}
        rows = [await site.row(mailbox) for mailbox in expiring]
        assert {(row.status_at(site.clock()), row.routing_rule_id) for row in rows} == {(MailboxStatus.EXPIRED, None)}
        assert (await site.row(lasting)).receives_at(site.clock())

    told(story)


def test_what_is_cleaned_up_is_not_touched_again(told: Told) -> None:
    async def story(site: Managed) -> None:
        await site.active_domain()
        await site.mailbox(ADDRESS)
        site.clock.move(minutes=61)
        await clean_up_mailboxes(site.context)
        before = await site.calls()

        count = await clean_up_mailboxes(site.context)

        assert count == 0
        assert await site.calls() == before

    told(story)


def test_a_revived_mailbox_has_its_rule_again_before_it_is_active_and_its_messages(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        mailbox = await site.mailbox(ADDRESS)
        site.clock.move(minutes=61)
        await clean_up_mailboxes(site.context)

        outcome = await ensure(site.context, ADA, REQUEST)

        assert (outcome.is_new, outcome.mailbox.id) == (False, mailbox.id)
        assert outcome.mailbox.receives_at(site.clock())
        assert set(await site.rules(domain)) == {ADDRESS}
        receiving = await can_receive(site.context, "smtp", Envelope("shop@shop.example", ADDRESS))
        assert receiving.id == mailbox.id

    told(story)


def test_a_revival_that_cloudflare_refuses_leaves_the_mailbox_expired_and_no_rule(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        mailbox = await site.mailbox(ADDRESS)
        site.clock.move(minutes=61)
        await clean_up_mailboxes(site.context)
        await site.fault("POST", "/zones/*/email/routing/rules", status=400, code=1, message="no")

        with pytest.raises(Problem):
            await ensure(site.context, ADA, REQUEST)

        assert (await site.row(mailbox)).status_at(site.clock()) is MailboxStatus.EXPIRED
        site.clock.move(minutes=10)
        await clean_up_mailboxes(site.context)
        assert await site.rules(domain) == {}
        assert (await site.row(mailbox)).routing_rule_id is None

    told(story)


def test_after_the_grace_time_it_is_destroyed_with_its_messages_and_not_before(told: Told) -> None:
    async def story(site: Managed) -> None:
        await site.active_domain()
        mailbox = await site.mailbox(ADDRESS)
        raw = an_email(ADDRESS)
        message = a_message(mailbox, raw)
        await site.context.stores.intake.store(IncomingMessage(message, zstandard.compress(raw)))
        site.clock.move(minutes=61)
        await clean_up_mailboxes(site.context)
        site.clock.move(hours=23)
        await clean_up_mailboxes(site.context)
        assert (await site.row(mailbox)).status is MailboxStatus.ACTIVE

        site.clock.move(hours=2)
        await clean_up_mailboxes(site.context)

        assert (await site.row(mailbox)).status is MailboxStatus.DESTROYED
        assert await site.context.database.read(lambda c: messages.find(c, message.id)) is None
        lines = await site.context.database.read(lambda c: audit.listed(c, AuditFilter(limit=1)))
        assert (lines[0].action, lines[0].actor, lines[0].target) == ("mailbox.destroy", "clean-up", ADDRESS)
        assert lines[0].details == {"reason": "expired", "messages": 1}

    told(story)


def test_a_clock_that_was_ahead_for_a_moment_destroys_nothing_and_the_rule_comes_back(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        mailbox = await site.mailbox(ADDRESS)
        site.clock.move(days=3)
        await clean_up_mailboxes(site.context)
        assert await site.rules(domain) == {}

        site.clock.move(days=-3)
        await clean_up_mailboxes(site.context)

        assert set(await site.rules(domain)) == {ADDRESS}
        assert (await site.row(mailbox)).receives_at(site.clock())

    told(story)


def test_a_mailbox_that_cloudflare_refuses_delays_no_other_and_is_tried_again(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        refused = await site.mailbox("refused@mail.customer.com")
        for number in range(15):
            await site.mailbox(f"user{number}@mail.customer.com")
        site.clock.move(minutes=61)
        path = f"/zones/*/email/routing/rules/{refused.routing_rule_id}"
        await site.fault("DELETE", path, status=400, code=1, message="not now", times=1)

        await clean_up_mailboxes(site.context)
        assert set(await site.rules(domain)) == {"refused@mail.customer.com"}
        site.clock.move(minutes=2)
        await clean_up_mailboxes(site.context)

        assert await site.rules(domain) == {}

    told(story)


def test_the_rule_goes_whatever_state_its_domain_is_in(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.mailbox(ADDRESS)
        await disable(site.context, ROOT, domain.id)
        site.clock.move(minutes=61)

        await clean_up_mailboxes(site.context)

        assert await site.rules(domain) == {}
        assert (await ensure(site.context, ADA, REQUEST)).mailbox.receives_at(site.clock())
        assert set(await site.rules(domain)) == {ADDRESS}

    told(story)


def test_c1_ensure_makes_a_rule_again_that_somebody_removed_and_asks_once_a_day(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        mailbox = await site.mailbox(ADDRESS, minutes=None)
        await site.admin.call(
            "DELETE", f"/zones/{domain.zone_id}/email/routing/rules/{mailbox.routing_rule_id}", dict[str, object]
        )
        before = len(await site.calls())
        await ensure(site.context, ADA, REQUEST)
        assert len(await site.calls()) == before  # it was seen less than a day ago

        site.clock.move(hours=25)
        await ensure(site.context, ADA, REQUEST)

        assert set(await site.rules(domain)) == {ADDRESS}
        assert (await site.row(mailbox)).routing_rule_id == (await site.rules(domain))[ADDRESS]["id"]

    told(story)


def test_l5_a_rule_of_somebody_else_for_the_address_is_not_changed_and_creation_says_so(told: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        theirs = {
            "name": "to my notebook",
            "enabled": True,
            "matchers": [{"field": "to", "type": "literal", "value": ADDRESS}],
            "actions": [{"type": "drop"}],
        }
        path = f"/zones/{domain.zone_id}/email/routing/rules"
        made = await site.admin.call("POST", path, dict[str, object], body=theirs)

        with pytest.raises(Problem) as refused:
            await site.mailbox(ADDRESS)

        assert refused.value.code == "cloudflare_foreign_rule"
        site.clock.move(minutes=10)
        await clean_up_mailboxes(site.context)
        assert (await site.rules(domain))[ADDRESS] == made

    told(story)


def test_one_that_was_destroyed_by_its_owner_is_told_from_one_that_expired(told: Told) -> None:
    async def story(site: Managed) -> None:
        await site.active_domain()
        mailbox = await site.mailbox(ADDRESS)

        await destroy(site.context, ADA, mailbox.id)

        lines = await site.context.database.read(lambda c: audit.listed(c, AuditFilter(limit=1)))
        assert (lines[0].action, lines[0].actor) == ("mailbox.destroy", ADA.user.email)

    told(story)


def test_without_management_a_mailbox_expires_and_is_destroyed_as_well(
    tmp_path: Path, database_url: str, database_clock: DatabaseClock
) -> None:
    async def run() -> None:
        async with managed(tmp_path, database_url, database_clock, CleanupLimits(timedelta(hours=1))) as site:
            await site.active_domain()
            before = len(await site.calls())
            unmanaged = site.unmanaged()
            mailbox = await unmanaged.mailbox(ADDRESS)
            site.clock.move(minutes=61)
            await clean_up_mailboxes(unmanaged.context)
            assert (await site.row(mailbox)).status_at(site.clock()) is MailboxStatus.EXPIRED
            site.clock.move(minutes=61)

            await clean_up_mailboxes(unmanaged.context)

            assert (await site.row(mailbox)).status is MailboxStatus.DESTROYED
            assert len(await site.calls()) == before

    asyncio.run(run())
