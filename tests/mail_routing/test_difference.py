"""The difference between what a zone has and what it should have."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.mail_routing.desired import DesiredRouting
from kaisoumail.mail_routing.difference import Change, ChangeKind, Conflict, ConflictKind, Difference, difference
from kaisoumail.mail_routing.observed import ObservedRouting, RoutingHost, RoutingRule
from kaisoumail.mail_routing.ownership import Ownership
from tests.mail_routing.zone_model import ZoneModel

WORKER = "kaisoumail"
ADA, HOST = "ada@mail.customer.com", "mail.customer.com"
READY = RoutingHost(HOST, is_enabled=True)
OURS = RoutingRule("r1", f"Mailbox {ADA}", True, ADA, WORKER)
KNOWN = Ownership(WORKER, frozenset({"r1"}), frozenset({ADA}), frozenset({HOST}))
ADA_LIVES = DesiredRouting(WORKER, frozenset({ADA}), frozenset({HOST}))
NOTHING = DesiredRouting(WORKER)


def seen(*rules: RoutingRule, hosts: tuple[RoutingHost, ...] = (READY,)) -> ObservedRouting:
    return ObservedRouting(True, "ready", hosts, rules)


def rule(**changes: object) -> RoutingRule:
    fields = {"id": "r1", "name": OURS.name, "is_enabled": True, "address": ADA, "worker": WORKER} | changes
    return RoutingRule(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("desired", "observed", "changes"),
    [
        pytest.param(ADA_LIVES, seen(OURS), (), id="all is there"),
        pytest.param(ADA_LIVES, seen(), (Change(ChangeKind.MAKE_RULE, ADA),), id="the rule was removed by hand"),
        pytest.param(
            ADA_LIVES, seen(OURS, hosts=()), (Change(ChangeKind.ENABLE_HOST, HOST),), id="the host was switched off"
        ),
        pytest.param(
            ADA_LIVES,
            seen(hosts=()),
            (Change(ChangeKind.ENABLE_HOST, HOST), Change(ChangeKind.MAKE_RULE, ADA)),
            id="the host is made before the rule on it",
        ),
        pytest.param(
            ADA_LIVES,
            seen(OURS, hosts=(RoutingHost(HOST, True, ("mx.missing",)),)),
            (Change(ChangeKind.ENABLE_HOST, HOST),),
            id="the mail records of the host were removed",
        ),
        pytest.param(
            ADA_LIVES,
            seen(OURS, hosts=(RoutingHost(HOST, True, ("spf.foreign", "spf.missing")),)),
            (),
            id="a foreign SPF record does not stop delivery",
        ),
        pytest.param(
            ADA_LIVES,
            seen(rule(is_enabled=False)),
            (Change(ChangeKind.REPLACE_RULE, ADA, "r1"),),
            id="our rule was switched off",
        ),
        pytest.param(
            ADA_LIVES,
            seen(rule(worker=None)),
            (Change(ChangeKind.REPLACE_RULE, ADA, "r1"),),
            id="our rule was turned into a forward",
        ),
        pytest.param(
            ADA_LIVES,
            seen(rule(worker="former")),
            (Change(ChangeKind.REPLACE_RULE, ADA, "r1"),),
            id="our rule routes to the Worker of a former configuration",
        ),
        pytest.param(
            NOTHING,
            seen(OURS),
            (Change(ChangeKind.REMOVE_RULE, ADA, "r1"), Change(ChangeKind.DISABLE_HOST, HOST)),
            id="rules are removed before their host",
        ),
        pytest.param(
            DesiredRouting(WORKER, hosts=frozenset({HOST})),
            seen(OURS),
            (Change(ChangeKind.REMOVE_RULE, ADA, "r1"),),
            id="a host that was used a short while ago stays",
        ),
        pytest.param(
            NOTHING,
            seen(rule(id="lost"), hosts=()),
            (Change(ChangeKind.REMOVE_RULE, ADA, "lost"),),
            id="a rule whose creation was not answered has our name and the address of a mailbox of ours",
        ),
    ],
)
def test_what_is_to_be_changed(desired: DesiredRouting, observed: ObservedRouting, changes: tuple[Change, ...]) -> None:
    assert difference(desired, observed, KNOWN) == Difference(changes)


def test_a_foreign_rule_for_our_address_is_a_conflict_and_is_not_changed() -> None:
    theirs = rule(id="theirs", name="my own forward", worker=None)

    found = difference(ADA_LIVES, seen(theirs), KNOWN)

    assert found == Difference((), (Conflict(ConflictKind.FOREIGN_RULE, ADA, "theirs"),))


def test_a_foreign_rule_that_routes_our_address_to_our_worker_is_good_enough() -> None:
    assert difference(ADA_LIVES, seen(rule(id="theirs", name="made in the dashboard")), KNOWN) == Difference()


def test_a_host_with_mail_servers_of_others_is_a_conflict_and_is_not_changed() -> None:
    host = RoutingHost(HOST, is_enabled=False, faults=("mx.foreign", "mx.missing"))

    found = difference(ADA_LIVES, seen(OURS, hosts=(host,)), KNOWN)

    assert found == Difference((), (Conflict(ConflictKind.FOREIGN_MX, HOST),))


def test_a_rule_that_looks_like_ours_for_an_address_without_a_mailbox_is_shown_and_stays() -> None:
    bob = "bob@mail.customer.com"
    of_another_installation = RoutingRule("r2", f"Mailbox {bob}", True, bob, WORKER)

    found = difference(ADA_LIVES, seen(OURS, of_another_installation), KNOWN)

    assert found == Difference((), (Conflict(ConflictKind.UNRECOGNIZED_RULE, bob, "r2"),))


def test_a_rule_with_our_name_that_somebody_turned_into_a_forward_is_theirs() -> None:
    assert difference(NOTHING, seen(rule(id="r2", worker=None), hosts=()), KNOWN) == Difference()


def test_hosts_and_rules_of_others_stay() -> None:
    theirs = (
        RoutingRule("a", "", True, "sales@customer.com", None),
        RoutingRule("b", "by subject", True, None, WORKER),
        RoutingRule("c", "", False, "old@shop.customer.com", "their-worker"),
    )

    assert difference(NOTHING, seen(*theirs, hosts=(RoutingHost("shop.customer.com", True),)), KNOWN) == Difference()


_HOSTS = ["mail.customer.com", "shop.customer.com", "x.customer.com"]
_ADDRESSES = [f"{name}@{host}" for name in ("ada", "bob") for host in _HOSTS]
_FAULTS = st.sampled_from([(), ("mx.missing",), ("mx.foreign",), ("spf.foreign",), ("mx.missing", "spf.missing")])


@st.composite
def zones(draw: st.DrawFn) -> tuple[ObservedRouting, Ownership]:
    """Any zone, in which some rules and hosts are ours, some look like it, and some were changed by hand."""
    addressed = draw(st.lists(st.sampled_from(_ADDRESSES), unique=True))
    rules = tuple(
        RoutingRule(
            f"rule-{number}",
            draw(st.sampled_from([f"Mailbox {address}", "", "theirs"])),
            draw(st.booleans()),
            address,
            draw(st.sampled_from([WORKER, "other", None])),
        )
        for number, address in enumerate(addressed)
    )
    names = draw(st.lists(st.sampled_from(_HOSTS), unique=True))
    hosts = tuple(RoutingHost(name, draw(st.booleans()), draw(_FAULTS)) for name in names)
    owned = draw(st.sets(st.sampled_from([rule.id for rule in rules]))) if rules else set()
    addresses = draw(st.sets(st.sampled_from(_ADDRESSES)))
    our_hosts = draw(st.sets(st.sampled_from(_HOSTS)))
    return (
        ObservedRouting(True, "ready", hosts, rules),
        Ownership(WORKER, frozenset(owned), frozenset(addresses), frozenset(our_hosts)),
    )


@given(zones(), st.sets(st.sampled_from(_ADDRESSES)), st.sets(st.sampled_from(_HOSTS)))
def test_applying_the_difference_ends_in_what_is_desired_and_leaves_what_is_of_others(
    zone: tuple[ObservedRouting, Ownership], addresses: set[str], recent: set[str]
) -> None:
    observed, ownership = zone
    hosts = frozenset({*(address.split("@")[1] for address in addresses), *recent})
    desired = DesiredRouting(WORKER, frozenset(addresses), hosts)

    found = difference(desired, observed, ownership)
    after = reduce(ZoneModel.after, found.changes, ZoneModel(observed, WORKER)).observed

    blocked = {conflict.subject for conflict in found.conflicts}
    rules = {rule.address: rule for rule in after.rules}
    assert all(rules[address].routes_to(WORKER) for address in addresses - blocked)
    assert all(host.is_ready for name in hosts - blocked if (host := after.host(name)) is not None)
    assert hosts - blocked <= {host.name for host in after.hosts}
    replaced = {rule for rule in observed.rules if rule.has_our_name and rule.address in addresses}
    foreign = {rule for rule in observed.rules if not ownership.has_rule(rule)} - replaced
    assert foreign <= set(after.rules)
    assert not [rule for rule in after.rules if rule.address not in addresses and ownership.has_rule(rule)]
    assert {host for host in observed.hosts if host.name not in ownership.hosts | hosts} <= set(after.hosts)
    assert not [host for host in after.hosts if host.name in ownership.hosts - hosts]


@given(zones(), st.sets(st.sampled_from(_ADDRESSES)))
def test_nothing_that_is_wanted_is_missing_at_any_moment_if_it_was_there_before(
    zone: tuple[ObservedRouting, Ownership], addresses: set[str]
) -> None:
    observed, ownership = zone
    desired = DesiredRouting(WORKER, frozenset(addresses), frozenset(address.split("@")[1] for address in addresses))

    def receives(now: ObservedRouting) -> set[str]:
        ready = {host.name for host in now.hosts if host.is_ready}
        routed = {rule.address for rule in now.rules if rule.address and rule.routes_to(WORKER)}
        return {address for address in routed & desired.addresses if address.split("@")[1] in ready}

    model = ZoneModel(observed, WORKER)
    before = receives(model.observed)
    for change in difference(desired, observed, ownership).changes:
        model = model.after(change)
        assert before <= receives(model.observed)
