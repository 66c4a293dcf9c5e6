"""
Cloudflare's own Python SDK (5.9.0) drives the pretend one: every answer must fit its models, strictly.

The SDK checks types (`_strict_response_validation`); the fields we promise are compared here.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from cloudflare import (
    APIResponseValidationError,
    BadRequestError,
    Cloudflare,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)

from tests.cloudflare_sandbox.pretend import EVERYTHING, Pretend

WORKER: Any = {"type": "worker", "value": ["inbound"]}
ALL: Any = [{"type": "all"}]


def _to(address: str) -> Any:
    return [{"type": "literal", "field": "to", "value": address}]


def _sdk(cloudflare: Pretend, token: str, **settings: Any) -> Cloudflare:
    return Cloudflare(
        api_token=token, base_url=cloudflare.api_url, _strict_response_validation=True, **{"max_retries": 0, **settings}
    )


@pytest.fixture
def sdk(cloudflare: Pretend) -> Iterator[Cloudflare]:
    permissions = [*EVERYTHING, "API Tokens Read"]
    with _sdk(cloudflare, cloudflare.token(permissions)) as client:
        yield client


def _new_zone(cloudflare: Pretend, sdk: Cloudflare, name: str = "example.com") -> str:
    zone = sdk.zones.create(account={"id": cloudflare.account_id}, name=name, type="full")
    assert zone is not None
    return zone.id


def _active_zone(cloudflare: Pretend, sdk: Cloudflare, name: str = "example.com") -> str:
    zone_id = _new_zone(cloudflare, sdk, name)
    cloudflare.delegate(name)
    return zone_id


def _enable(sdk: Cloudflare, zone_id: str) -> Any:
    with pytest.deprecated_call():
        return sdk.email_routing.enable(zone_id=zone_id)


def test_an_answer_that_does_not_fit_the_model_would_be_noticed(cloudflare: Pretend, sdk: Cloudflare) -> None:
    cloudflare.fault("GET", "/user/tokens/verify", body="not_json_200")

    with pytest.raises(APIResponseValidationError):
        sdk.user.tokens.verify()


def test_a_zones_life(cloudflare: Pretend, sdk: Cloudflare) -> None:
    made = sdk.zones.create(account={"id": cloudflare.account_id}, name="example.com", type="full")
    assert made is not None
    assert (made.name, made.status, made.type, made.activated_on) == ("example.com", "pending", "full", None)
    assert (made.account.id, len(made.name_servers), made.plan.name) == (cloudflare.account_id, 2, "Free Website")

    checked = sdk.zones.activation_check.trigger(zone_id=made.id)
    assert checked is not None
    assert checked.id == made.id
    with pytest.raises(BadRequestError) as refused:
        sdk.zones.activation_check.trigger(zone_id=made.id)
    assert [error.code for error in refused.value.errors] == [1224]
    cloudflare.delegate()
    found = sdk.zones.get(zone_id=made.id)
    assert found is not None
    assert found.status == "active"
    assert found.activated_on is not None

    deleted = sdk.zones.delete(zone_id=made.id)
    assert deleted is not None
    assert deleted.id == made.id
    with pytest.raises(PermissionDeniedError) as gone:
        sdk.zones.get(zone_id=made.id)
    assert [error.code for error in gone.value.errors] == [9109]


def test_zones_are_listed_page_by_page_to_the_end(cloudflare: Pretend, sdk: Cloudflare) -> None:
    names = [f"number{number:02}.com" for number in range(23)]
    for name in names:
        _new_zone(cloudflare, sdk, name)

    assert [zone.name for zone in sdk.zones.list(per_page=10)] == names
    assert [zone.name for zone in sdk.zones.list(name="number07.com")] == ["number07.com"]
    assert list(sdk.zones.list(name="nobody.com")) == []
    first = sdk.zones.list(per_page=10)
    assert first.result_info is not None
    assert (first.result_info.page, first.result_info.per_page) == (1, 10)


def test_email_routing_is_switched_on_told_and_switched_off(cloudflare: Pretend, sdk: Cloudflare) -> None:
    zone_id = _active_zone(cloudflare, sdk)
    before = sdk.email_routing.get(zone_id=zone_id)
    assert before is not None
    assert (before.enabled, before.status, before.name) == (False, "unconfigured", "example.com")

    on = _enable(sdk, zone_id)
    assert (on.enabled, on.status, on.skip_wizard, on.support_subaddress) == (True, "ready", True, False)
    edited = sdk.email_routing.edit(zone_id=zone_id, support_subaddress=True, enabled=False)
    assert edited is not None
    assert (edited.enabled, edited.support_subaddress) == (True, True)
    updated = sdk.email_routing.update(zone_id=zone_id, support_subaddress=False)
    assert updated is not None
    assert updated.support_subaddress is False

    with pytest.deprecated_call():
        off = sdk.email_routing.disable(zone_id=zone_id)
    assert off is not None
    assert (off.enabled, off.status, off.id) == (False, "unconfigured", before.id)


def test_email_routings_dns_is_made_told_unlocked_and_removed(cloudflare: Pretend, sdk: Cloudflare) -> None:
    zone_id = _active_zone(cloudflare, sdk)

    on = sdk.email_routing.dns.create(zone_id=zone_id)
    sub = sdk.email_routing.dns.create(zone_id=zone_id, name="x.example.com")
    assert on is not None
    assert sub is not None
    assert (on.enabled, on.status, sub.name) == (True, "ready", "example.com")
    records = sdk.email_routing.dns.get(zone_id=zone_id)
    assert isinstance(records, list)
    assert [record.type for record in records] == ["MX", "MX", "MX", "TXT", "TXT"]
    assert all(record.priority is not None and record.ttl == 1 for record in records[:3])
    unlocked = sdk.email_routing.dns.edit(zone_id=zone_id)
    assert unlocked is not None
    assert unlocked.status == "unlocked"
    with pytest.deprecated_call():
        also = sdk.email_routing.unlock(zone_id=zone_id)
    assert also is not None
    off = sdk.email_routing.dns.delete(zone_id=zone_id)

    assert off is not None
    assert off.enabled is False
    # With ?subdomain= the SDK's type is wrong, as the API answers an object: only the raw answer can be read.
    raw = sdk.email_routing.dns.with_raw_response.get(zone_id=zone_id, subdomain="y.example.com").http_response
    assert list(raw.json()["result"]) == ["errors"]


def test_rules_are_made_listed_replaced_and_deleted(cloudflare: Pretend, sdk: Cloudflare) -> None:
    zone_id = _active_zone(cloudflare, sdk)
    _enable(sdk, zone_id)
    rules = sdk.email_routing.rules
    for number in range(25):
        rules.create(zone_id=zone_id, matchers=_to(f"box{number}@example.com"), actions=[WORKER], name=f"box {number}")

    listed = list(rules.list(zone_id=zone_id))
    assert len(listed) == 26  # the catch-all is one of them
    assert [rule.name for rule in listed] == [*(f"box {number}" for number in range(25)), ""]
    assert (listed[-1].priority, listed[-1].enabled) == (2147483647, False)
    assert len(list(rules.list(zone_id=zone_id, enabled=True, per_page=50))) == 25
    one = listed[0].id
    assert one is not None
    replaced = rules.update(
        one, zone_id=zone_id, matchers=_to("new@example.com"), actions=[{"type": "drop"}], priority=7
    )
    found = rules.get(one, zone_id=zone_id)
    assert replaced is not None
    assert found == replaced
    assert (found.priority, found.enabled, found.source, found.tag) == (7, True, "api", one)
    assert rules.delete(one, zone_id=zone_id) == replaced
    with pytest.raises(NotFoundError):
        rules.get(one, zone_id=zone_id)
    with pytest.raises(ConflictError) as twice:
        rules.create(zone_id=zone_id, matchers=_to("box1@example.com"), actions=[WORKER])
    assert [error.code for error in twice.value.errors] == [2014]
    with pytest.raises(UnprocessableEntityError) as two_actions:
        rules.create(zone_id=zone_id, matchers=_to("x@example.com"), actions=[WORKER, WORKER])
    assert [error.code for error in two_actions.value.errors] == [2007]


def test_the_catch_all_is_told_and_replaced(cloudflare: Pretend, sdk: Cloudflare) -> None:
    zone_id = _active_zone(cloudflare, sdk)
    catch_alls = sdk.email_routing.rules.catch_alls

    before = catch_alls.get(zone_id=zone_id)
    after = catch_alls.update(zone_id=zone_id, matchers=ALL, actions=[WORKER], enabled=True, name="all")

    assert before is not None
    assert after is not None
    assert (before.enabled, [action.type for action in before.actions or []]) == (False, ["drop"])
    assert (after.enabled, after.name, after.id) == (True, "all", before.id)
    assert [(action.type, action.value) for action in after.actions or []] == [("worker", ["inbound"])]


def test_rules_of_all_zones_are_listed_with_their_zone(cloudflare: Pretend, sdk: Cloudflare) -> None:
    ids = {name: _active_zone(cloudflare, sdk, name) for name in ("one.com", "two.com")}
    for name, zone_id in ids.items():
        sdk.email_routing.rules.create(zone_id=zone_id, matchers=_to(f"box@{name}"), actions=[WORKER], name=name)

    rows = list(sdk.email_routing.account_rules.list(account_id=cloudflare.account_id, per_page=5))

    zones = [(row.zone.name, row.zone.tag) for row in rows if row.zone is not None and row.name]
    assert (len(rows), zones) == (4, list(ids.items()))


def test_destination_addresses_are_made_listed_and_deleted(cloudflare: Pretend, sdk: Cloudflare) -> None:
    addresses, account_id = sdk.email_routing.addresses, cloudflare.account_id

    made = addresses.create(account_id=account_id, email="ada@elsewhere.example")
    assert made is not None
    assert (made.email, made.verified) == ("ada@elsewhere.example", None)
    assert made.id is not None
    cloudflare.controls.post("/destinations/ada@elsewhere.example/verify").raise_for_status()
    found = addresses.get(made.id, account_id=account_id)
    assert found is not None
    assert found.verified is not None
    assert [address.id for address in addresses.list(account_id=account_id)] == [made.id]
    assert addresses.delete(made.id, account_id=account_id) == found
    assert list(addresses.list(account_id=account_id)) == []


def test_dns_records_are_made_changed_and_deleted(cloudflare: Pretend, sdk: Cloudflare) -> None:
    zone_id, records = _active_zone(cloudflare, sdk), sdk.dns.records

    made = records.create(zone_id=zone_id, type="A", name="www.example.com", content="192.0.2.1", ttl=3600)
    mx = records.create(zone_id=zone_id, type="MX", name="x.example.com", content="mx.example.net", priority=5, ttl=1)
    assert made is not None
    assert mx is not None
    assert (made.type, made.name, made.content, made.ttl, made.proxied) == (
        "A",
        "www.example.com",
        "192.0.2.1",
        3600,
        False,
    )
    assert (made.comment, made.tags) == (None, [])
    assert mx.type == "MX"
    assert mx.priority == 5
    edited = records.edit(made.id, zone_id=zone_id, type="A", name="www.example.com", ttl=3600, comment="mine")
    updated = records.update(made.id, zone_id=zone_id, type="A", name="www.example.com", content="192.0.2.9", ttl=60)
    assert edited is not None
    assert updated is not None
    assert (edited.content, edited.comment) == ("192.0.2.1", "mine")
    assert (updated.content, updated.comment) == ("192.0.2.9", None)
    assert records.get(made.id, zone_id=zone_id) == updated
    assert [record.id for record in records.list(zone_id=zone_id, type="A")] == [made.id]
    assert [record.id for record in records.list(zone_id=zone_id, per_page=1)] == [made.id, mx.id]
    deleted = records.delete(made.id, zone_id=zone_id)
    assert deleted is not None
    assert deleted.id == made.id
    with pytest.raises(NotFoundError) as gone:
        records.get(made.id, zone_id=zone_id)
    assert [error.code for error in gone.value.errors] == [81044]


def test_dns_records_change_in_batches(cloudflare: Pretend, sdk: Cloudflare) -> None:
    zone_id, records = _active_zone(cloudflare, sdk), sdk.dns.records
    first = records.batch(
        zone_id=zone_id,
        posts=[
            {"type": "TXT", "name": f"t{number}.example.com", "content": f"{number}", "ttl": 1} for number in range(3)
        ],
    )
    assert first is not None
    ids = [record.id for record in first.posts or []]

    second = records.batch(
        zone_id=zone_id,
        deletes=[{"id": ids[0]}],
        patches=[{"id": ids[1], "type": "TXT", "name": "t1.example.com", "content": "patched", "ttl": 1}],
        puts=[{"id": ids[2], "type": "TXT", "name": "t2.example.com", "content": "put", "ttl": 60}],
        posts=[{"type": "TXT", "name": "t0.example.com", "content": "0", "ttl": 1}],
    )

    assert second is not None
    done = [second.deletes, second.patches, second.puts, second.posts]
    assert [[record.content for record in kind or []] for kind in done] == [["0"], ["patched"], ["put"], ["0"]]
    assert sorted(record.content or "" for record in records.list(zone_id=zone_id)) == ["0", "patched", "put"]


def test_tokens_are_verified_where_they_belong(cloudflare: Pretend, sdk: Cloudflare) -> None:
    verified = sdk.user.tokens.verify()
    assert verified is not None
    assert (verified.status, len(verified.id), verified.expires_on) == ("active", 32, None)

    with _sdk(cloudflare, cloudflare.token(kind="account")) as accounts:
        own = accounts.accounts.tokens.verify(account_id=cloudflare.account_id)

    assert own is not None
    assert own.status == "active"


def test_permission_groups_have_the_ids_everybody_copies(cloudflare: Pretend, sdk: Cloudflare) -> None:
    groups = {group.name: group for group in sdk.user.tokens.permission_groups.list()}
    assert groups["Zone Write"].id == "e6d2666161e84845a636613608cee8d5"
    assert groups["Zone Settings Write"].id == "3030687196b94b638145a3953da2b699"
    assert groups["Email Routing Rules Write"].scopes == ["com.cloudflare.api.account.zone"]
    assert groups["API Tokens Read"].scopes == ["com.cloudflare.api.user"]

    token = cloudflare.token(["Account API Tokens Read"], kind="account")
    with _sdk(cloudflare, token) as accounts:
        own = list(accounts.accounts.tokens.permission_groups.list(account_id=cloudflare.account_id))
        found = accounts.accounts.tokens.permission_groups.list(account_id=cloudflare.account_id, name="DNS Write")
        assert [group.id for group in found] == ["4755a26eedb94da69e1066d98aa820be"]

    assert {group.name for group in own} < set(groups)


def test_left_to_itself_the_sdk_asks_again_after_a_conflict_that_will_not_pass(cloudflare: Pretend) -> None:
    """2008 is final, but the SDK tries a 409 three times in all: a client of ours must not."""
    path = cloudflare.active_zone()
    mx = {"type": "MX", "name": "example.com", "content": "aspmx.l.google.com", "priority": 1, "ttl": 1}
    cloudflare.api.post(f"{path}/dns_records", json=mx).raise_for_status()
    zone_id = path.removeprefix("/zones/")

    def tries(**settings: Any) -> int:
        before = len(cloudflare.received())
        with _sdk(cloudflare, cloudflare.token(), **settings) as sdk, pytest.raises(ConflictError):
            _enable(sdk, zone_id)
        return len(cloudflare.received()) - before

    assert (tries(max_retries=2), tries()) == (3, 1)


def test_the_sdk_does_not_wait_as_long_as_a_rate_limit_asks(cloudflare: Pretend) -> None:
    """It honours at most 60 s, so a 429 for five minutes is asked again at once and fails again."""
    cloudflare.fault("GET", "/zones", status=429, retryAfter=300, times=-1)

    with _sdk(cloudflare, cloudflare.token(), max_retries=1) as sdk, pytest.raises(RateLimitError) as limited:
        sdk.zones.list()

    assert [error.code for error in limited.value.errors] == [971]
    assert [call["status"] for call in cloudflare.received()] == [429, 429]
