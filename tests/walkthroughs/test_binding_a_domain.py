"""Story one: an apex goes from a typed name to an active domain."""

from tests.api_client import code_of
from tests.servers import Product


def test_an_apex_waits_for_its_name_servers_and_becomes_active_on_retry(product: Product) -> None:
    bound = product.admin.post("/api/domains/bind", json={"mailDomain": "Customer.COM "})

    assert bound.status_code == 201
    domain = bound.json()
    assert domain["rootDomain"] == domain["mailDomain"] == "customer.com"
    assert domain["status"] == "provisioning_error"
    assert domain["bindingSource"] == "project_bind"
    assert "pending" in domain["lastProvisionError"]
    assert domain["lastProvisionCode"] == "cloudflare_zone_not_active"
    assert domain["lastProvisionGuide"] == ("/docs/project-domain-binding#zone-pending-or-nameserver-not-delegated")
    assert domain["lastProvisionedAt"] is None

    [row] = product.admin.get("/api/domains/catalog").json()["domains"]
    assert row["id"] == domain["id"]
    assert row["cloudflareStatus"] == "pending"
    assert row["projectStatus"] == "provisioning_error"
    assert len(row["nameServers"]) == 2

    early = product.admin.post(f"/api/domains/{domain['id']}/retry").json()
    assert early["status"] == "provisioning_error"
    assert product.admin.get("/api/meta").json()["domains"] == []

    product.world.delegate("customer.com")
    retried = product.admin.post(f"/api/domains/{domain['id']}/retry")

    assert retried.status_code == 200
    assert retried.json()["status"] == "active"
    assert retried.json()["lastProvisionError"] is None
    assert product.admin.get("/api/meta").json()["domains"] == ["customer.com"]
    assert product.world.requests("POST").count("POST /zones") == 1


def test_binding_takes_four_calls_and_a_retry_two(product: Product) -> None:
    domain = product.admin.post("/api/domains/bind", json={"rootDomain": "customer.com"}).json()

    calls = product.world.requests()
    zone = f"/zones/{domain['zoneId']}"
    assert calls == ["GET /zones", "POST /zones", f"GET {zone}", f"POST {zone}/email/routing/enable"]

    product.admin.post(f"/api/domains/{domain['id']}/retry")
    assert product.world.requests()[4:] == [f"GET {zone}", f"POST {zone}/email/routing/enable"]


def test_a_subdomain_is_answered_with_the_apex_and_nothing_is_called(product: Product) -> None:
    answer = product.admin.post("/api/domains/bind", json={"mailDomain": "mail.customer.com"})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "Direct subdomain binding is not supported",
        "details": {
            "code": "subdomain_direct_bind_not_supported",
            "guide": "/docs/project-domain-binding#bind-apex-only",
            "mailDomain": "mail.customer.com",
            "recommendedApex": "customer.com",
            "recommendedMailboxSubdomain": "mail",
        },
    }
    assert product.world.requests() == []


def test_an_active_domain_is_not_bound_twice(product: Product) -> None:
    product.active_domain("customer.com")
    calls = len(product.world.requests())

    again = product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"})

    assert again.status_code == 409
    assert again.json()["error"] == "Mailbox domain already exists"
    assert code_of(again) == "domain_exists"
    assert len(product.world.requests()) == calls


def test_binding_again_while_it_waits_goes_on_with_the_same_zone(product: Product) -> None:
    first = product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"}).json()

    again = product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"})

    assert again.status_code == 200
    assert again.json()["id"] == first["id"]
    assert again.json()["zoneId"] == first["zoneId"]
    assert again.json()["bindingSource"] == "project_bind"
    assert product.world.requests("POST").count("POST /zones") == 1


def test_a_disabled_domain_takes_no_new_mailboxes_and_cannot_be_retried(product: Product) -> None:
    domain = product.active_domain("customer.com")

    disabled = product.admin.post(f"/api/domains/{domain['id']}/disable").json()

    assert disabled["status"] == "disabled"
    assert disabled["disabledAt"] is not None
    refused = product.admin.post("/api/mailboxes", json={"mailDomain": "customer.com"})
    assert (refused.status_code, code_of(refused)) == (400, "domain_not_enabled")
    retried = product.admin.post(f"/api/domains/{domain['id']}/retry")
    assert (retried.status_code, retried.json()["error"]) == (409, "Disabled mailbox domains cannot be retried")


def test_a_lost_answer_to_the_create_makes_no_second_zone(product: Product) -> None:
    fault = {"match": {"method": "POST", "path": "/zones"}, "drop": "after", "times": 1}
    product.world.controls.post("/_sandbox/faults", json=fault).raise_for_status()

    bound = product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"})

    assert bound.status_code == 201
    assert bound.json()["bindingSource"] == "project_bind"
    assert [row["rootDomain"] for row in product.admin.get("/api/domains/catalog").json()["domains"]] == [
        "customer.com"
    ]


def test_a_token_without_zone_create_is_told_so_and_leaves_nothing(product: Product) -> None:
    minted = product.world.controls.post(
        "/_sandbox/tokens", json={"kind": "user", "permissions": ["Zone Read"], "zones": "all"}
    ).json()["token"]
    product.process.close()

    with product.world.product(CLOUDFLARE_API_TOKEN=minted) as weak:
        refused = weak.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"})

        assert refused.status_code == 502
        assert code_of(refused) == "zone_create_permission_missing"
        assert "com.cloudflare.api.account.zone.create" in refused.json()["error"]
        assert weak.admin.get("/api/domains").json()["domains"] == []


def test_cloudflares_rate_limit_is_passed_on_and_changes_nothing(product: Product) -> None:
    domain = product.active_domain("customer.com")
    fault = {
        "match": {"method": "GET", "path": f"/zones/{domain['zoneId']}"},
        "status": 429,
        "retryAfter": 7,
        "times": 1,
    }
    product.world.controls.post("/_sandbox/faults", json=fault).raise_for_status()

    limited = product.admin.post(f"/api/domains/{domain['id']}/retry")

    assert limited.status_code == 429
    assert limited.headers["retry-after"] == "7"
    assert limited.json()["error"] == "Cloudflare API rate limit reached; retry later"
    assert product.admin.get("/api/domains").json()["domains"][0]["status"] == "active"
