"""The details of a ready domain: its limits at Cloudflare, what of others is in the way, and looking again."""

from typing import Any

from tests.web.conftest import Site, text_of

ADDRESS = "ada@mail.customer.com"


def _rules(site: Site, zone_id: str, method: str, rule_id: str = "", body: Any = None) -> Any:
    headers = {"authorization": f"Bearer {site.product.world.environment['CLOUDFLARE_API_TOKEN']}"}
    path = f"/client/v4/zones/{zone_id}/email/routing/rules{rule_id}"
    answer = site.product.world.controls.request(method, path, json=body, headers=headers)
    return answer.raise_for_status().json()["result"]


def test_the_details_show_what_is_used_and_what_is_in_the_way_once_somebody_looked(own_site: Site) -> None:
    [domain] = own_site.product.admin.get("/api/domains").json()["domains"]
    made = own_site.product.admin.post("/api/mailboxes", json={"localPart": "ada", "subdomain": "mail"}).json()
    theirs = {"matchers": [{"type": "literal", "field": "to", "value": ADDRESS}], "actions": [{"type": "drop"}]}
    with own_site.admin() as admin:
        before = admin.get("/domains", params={"details": domain["id"]})
        _rules(own_site, domain["zoneId"], "DELETE", f"/{made['routingRuleId']}")
        _rules(own_site, domain["zoneId"], "POST", body=theirs)
        looked = admin.post(f"/domains/{domain['id']}/retry")
        after = admin.get("/domains", params={"details": domain["id"]})

    assert "1 of 200 routing rules, 0 of them not made here." in text_of(before)
    assert "2 of 30 hosts, the domain itself included." in text_of(before)
    assert "Not looked at yet" in text_of(before)
    assert looked.status_code == 303
    assert f"{ADDRESS} : another routing rule has this address" in text_of(after).replace(f"{ADDRESS}:", f"{ADDRESS} :")
    assert "1 of them not made here." in text_of(after)
    assert "Checked" in text_of(after)
