"""What somebody changed at Cloudflare is noticed and made again; what is not ours is never touched."""

from typing import Any

from kaisoumail.cloudflare.email_routing import disable_subdomain
from kaisoumail.mail_routing.capacity import Use
from kaisoumail.mail_routing.difference import Conflict, ConflictKind
from kaisoumail.model.domain import Domain, DomainStatus
from kaisoumail.operations.domains import bind, history, retry
from kaisoumail.operations.mailboxes import destroy
from kaisoumail.storage.tables import domain_routing, domains
from kaisoumail.storage.tables.domain_routing import LastLook
from kaisoumail.workflows.jobs.watch_activation import check_waiting_domains
from tests.lifetimes.told import Told
from tests.managed import Managed
from tests.people import ROOT

ADA, BOB, HOST = "ada@mail.customer.com", "bob@mail.customer.com", "mail.customer.com"
DROP = {"type": "drop"}


async def _rule_by_hand(site: Managed, domain: Domain, address: str, name: str = "", **action: Any) -> dict[str, Any]:
    rule = {
        "name": name,
        "enabled": True,
        "matchers": [{"field": "to", "type": "literal", "value": address}],
        "actions": [action or DROP],
    }
    return await site.admin.call("POST", f"/zones/{domain.zone_id}/email/routing/rules", dict[str, Any], body=rule)


async def _remove_rule(site: Managed, domain: Domain, address: str) -> None:
    rule_id = (await site.rules(domain))[address]["id"]
    await site.admin.call("DELETE", f"/zones/{domain.zone_id}/email/routing/rules/{rule_id}", dict[str, Any])


async def _last_look(site: Managed, domain: Domain) -> LastLook:
    found = await site.context.database.read(lambda c: domain_routing.find(c, domain.id))
    assert found is not None
    return found


def test_c1_a_rule_that_was_removed_by_hand_is_made_again_by_retry_and_the_history_says_so(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        ada, bob = await site.mailbox(ADA), await site.mailbox(BOB)
        await _remove_rule(site, domain, ADA)

        await retry(site.context, ROOT, domain.id)

        rules = await site.rules(domain)
        assert {ada.id: (await site.row(ada)).routing_rule_id, bob.id: (await site.row(bob)).routing_rule_id} == {
            ada.id: rules[ADA]["id"],
            bob.id: rules[BOB]["id"],
        }
        events = await history(site.context, ROOT, domain.id)
        [change] = [event for event in events if event.kind == "routing_changed"]
        assert change.details["changes"] == [{"kind": "make_rule", "subject": ADA}]
        assert change.message == f"make_rule {ADA}"

    told_once(story)


def test_c1_a_rule_that_was_switched_off_or_turned_into_a_forward_is_ours_again(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.mailbox(ADA)
        await site.mailbox(BOB)
        rules = await site.rules(domain)
        for address, change in ((ADA, {"enabled": False}), (BOB, {"actions": [DROP]})):
            path = f"/zones/{domain.zone_id}/email/routing/rules/{rules[address]['id']}"
            await site.admin.call("PUT", path, dict[str, Any], body=rules[address] | change)

        await retry(site.context, ROOT, domain.id)

        assert await site.rules(domain) == rules

    told_once(story)


def test_c2_a_subdomain_that_was_taken_out_receives_again_after_retry(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.mailbox(ADA)
        await disable_subdomain(site.admin, str(domain.zone_id), HOST)

        await retry(site.context, ROOT, domain.id)

        assert await site.hosts(domain) == {HOST}

    told_once(story)


def test_c3_email_routing_that_was_switched_off_is_on_again_with_hosts_and_rules_after_retry(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.mailbox(ADA)
        await site.admin.call("POST", f"/zones/{domain.zone_id}/email/routing/disable", dict[str, Any], body={})

        await retry(site.context, ROOT, domain.id)

        settings = await site.admin.call("GET", f"/zones/{domain.zone_id}/email/routing", dict[str, Any])
        assert (settings["enabled"], await site.hosts(domain)) == (True, {HOST})
        assert set(await site.rules(domain)) == {ADA}

    told_once(story)


def test_l4_an_active_domain_is_looked_at_once_a_day_without_anybody_asking(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.mailbox(ADA)
        await _remove_rule(site, domain, ADA)
        site.clock.move(minutes=30)
        assert await check_waiting_domains(site.context) == 0

        site.clock.move(hours=24)
        await site.mailbox(BOB, minutes=None)  # Ada's has expired meanwhile
        await _remove_rule(site, domain, BOB)
        assert await check_waiting_domains(site.context) == 1

        assert BOB in await site.rules(domain)
        assert await check_waiting_domains(site.context) == 0
        kinds = [event.kind for event in await history(site.context, ROOT, domain.id)]
        assert kinds.count("ready") == 1

    told_once(story)


def test_a_look_that_cloudflare_does_not_answer_decides_nothing_and_is_repeated_within_the_hour(
    told_once: Told,
) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        site.clock.move(hours=25)
        await site.fault("GET", "/zones/*", status=500, times=20)

        await check_waiting_domains(site.context)

        found = await site.context.database.read(lambda c: domains.find(c, domain.id))
        assert found is not None
        assert found.status is DomainStatus.ACTIVE
        (await site.controls.delete("/_sandbox/faults")).raise_for_status()
        site.clock.move(minutes=61)
        assert await check_waiting_domains(site.context) == 1

    told_once(story)


def test_c11_a_zone_that_is_not_active_any_more_is_noticed_by_the_daily_look(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.admin.call("DELETE", f"/zones/{domain.zone_id}", dict[str, Any])
        site.clock.move(hours=25)

        await check_waiting_domains(site.context)

        found = await site.context.database.read(lambda c: domains.find(c, domain.id))
        assert found is not None
        assert found.status is DomainStatus.PROVISIONING_ERROR

    told_once(story)


def test_l5_rules_of_others_are_byte_identical_after_every_kind_of_change(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.mailbox(ADA)
        for number in range(20):
            await _rule_by_hand(site, domain, f"sales{number}@customer.com", name=f"sales {number}")
        theirs = {address: rule for address, rule in (await site.rules(domain)).items() if address != ADA}
        await _remove_rule(site, domain, ADA)

        await retry(site.context, ROOT, domain.id)

        assert {address: rule for address, rule in (await site.rules(domain)).items() if address != ADA} == theirs
        look = await _last_look(site, domain)
        assert (look.capacity.rules, look.conflicts) == (Use(20, 200, 20), ())

    told_once(story)


def test_a_foreign_rule_in_the_way_of_a_mailbox_is_a_conflict_that_is_shown(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.mailbox(ADA)
        await _remove_rule(site, domain, ADA)
        made = await _rule_by_hand(site, domain, ADA, name="to my notebook")

        await retry(site.context, ROOT, domain.id)

        assert (await site.rules(domain))[ADA] == made
        conflict = Conflict(ConflictKind.FOREIGN_RULE, ADA, made["id"])
        assert (await _last_look(site, domain)).conflicts == (conflict,)

    told_once(story)


def test_a_rule_left_by_a_request_that_was_never_answered_is_removed_when_its_mailbox_is_gone(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        ada = await site.mailbox(ADA)
        await site.mailbox(BOB)
        await destroy(site.context, ROOT, ada.id)
        worker = {"type": "worker", "value": ["kaisoumail-inbound"]}
        await _rule_by_hand(site, domain, ADA, name=f"Mailbox {ADA}", **worker)

        await retry(site.context, ROOT, domain.id)

        assert set(await site.rules(domain)) == {BOB}

    told_once(story)


def test_a_zone_made_anew_gets_the_hosts_and_rules_of_all_mailboxes_that_receive(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        domain = await site.active_domain()
        await site.mailbox(ADA)
        await site.mailbox("eve@shop.customer.com")
        await site.admin.call("DELETE", f"/zones/{domain.zone_id}", dict[str, Any])
        body = {"name": "customer.com", "account": {"id": site.context.cloudflare.account_id}, "type": "full"}
        made = await site.admin.call("POST", "/zones", dict[str, Any], body=body)
        (await site.controls.post("/_sandbox/zones/customer.com/delegate")).raise_for_status()

        anew = await retry(site.context, ROOT, domain.id)

        assert anew.zone_id == made["id"]
        assert await site.hosts(anew) == {HOST, "shop.customer.com"}
        assert set(await site.rules(anew)) == {ADA, "eve@shop.customer.com"}

    told_once(story)


def test_binding_a_zone_that_we_make_costs_no_look(told_once: Told) -> None:
    async def story(site: Managed) -> None:
        await bind(site.context, ROOT, "customer.com")

        assert [call.partition("/zones")[0].strip() for call in await site.calls()] == ["GET", "POST", "GET", "POST"]

    told_once(story)
