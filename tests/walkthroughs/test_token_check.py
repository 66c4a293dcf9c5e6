"""Which permission is missing, by its name in Cloudflare's token form, for which zones."""

from typing import Any

import pytest

from tests.servers import Product, command

ALL = {
    "Zone Write": "Zone: Zone: Edit",
    "Zone Settings Write": "Zone: Zone Settings: Edit",
    "Email Routing Rules Write": "Zone: Email Routing Rules: Edit",
    "DNS Write": "Zone: DNS: Edit",
}


def _minted(product: Product, permissions: list[str], kind: str = "user") -> str:
    body = {"kind": kind, "permissions": permissions, "zones": "all"}
    token: str = product.world.controls.post("/_sandbox/tokens", json=body).raise_for_status().json()["token"]
    return token


def _checked(product: Product, token: str) -> dict[str, Any]:
    product.process.close()
    with product.world.product(CLOUDFLARE_API_TOKEN=token) as restarted:
        found: dict[str, Any] = restarted.admin.get("/api/domains/token-check").json()
        return found


def test_a_token_with_everything_is_well_and_nothing_was_changed(product: Product) -> None:
    product.active_domain("customer.com")

    found = product.admin.get("/api/domains/token-check").json()

    assert found["ok"]
    assert product.admin.get("/api/meta").json()["cloudflareVerified"] == {"checkedAt": found["checkedAt"], "ok": True}
    assert (found["tokenKind"], found["accountReachable"], found["zonesVisible"]) == ("user", True, 1)
    assert {each["permission"] for each in found["permissions"]} == set(ALL.values())
    assert found["missing"] == []
    assert len(product.admin.get("/api/domains/catalog").json()["domains"]) == 1


@pytest.mark.parametrize("lacking", sorted(ALL))
def test_a_missing_permission_is_named_as_the_form_names_it(product: Product, lacking: str) -> None:
    product.active_domain("customer.com")
    others = [name for name in ALL if name != lacking] + (["Zone Read"] if lacking == "Zone Write" else [])

    found = _checked(product, _minted(product, others))

    assert not found["ok"]
    assert [each["permission"] for each in found["missing"]] == [ALL[lacking]]
    assert found["missing"][0]["zone"] == (None if lacking == "Zone Write" else "customer.com")


def test_a_token_nobody_knows_is_said_to_be_invalid(product: Product) -> None:
    found = _checked(product, "x" * 48)

    assert not found["ok"]
    assert found["problem"]["details"]["code"] == "cloudflare_token_invalid"


def test_the_accounts_own_token_is_recognised(product: Product) -> None:
    found = _checked(product, _minted(product, list(ALL), kind="account"))

    assert found["tokenKind"] == "account"


def test_the_doctor_says_the_same(product: Product) -> None:
    product.active_domain("customer.com")
    token = _minted(product, ["Zone Write", "Zone Settings Write", "DNS Write"])
    product.process.close()

    ill = command("doctor", **{**product.world.environment, "CLOUDFLARE_API_TOKEN": token})
    well = command("doctor", **product.world.environment)

    assert ill.returncode == 1
    assert "“Zone: Email Routing Rules: Edit” for customer.com" in ill.stdout
    assert well.returncode == 0, well.stdout
