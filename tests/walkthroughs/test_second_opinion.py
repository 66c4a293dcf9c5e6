"""A mail with two codes: the operator may have a model asked which of them it is."""

from html import unescape
from pathlib import Path
from typing import Any

import httpx

from tests.builders import an_email
from tests.handing_over import hand_over
from tests.servers import ADMIN_KEY, PERMISSIONS, Product, World, a_world

ADDRESS = "ada@mail.customer.com"
TWO_CODES = "Your verification codes are 551177 and 662288. Use the latest one."


def _came(product: Product) -> tuple[str, str]:
    """The ids of a mailbox and of the mail with two codes that just came into it."""
    product.active_domain("customer.com")
    mailbox = product.admin.post("/api/mailboxes/ensure", json={"address": ADDRESS}).raise_for_status().json()
    return mailbox["id"], hand_over(
        product.url, ADDRESS, an_email(to=ADDRESS, subject="Verification request", text=TWO_CODES)
    )


def _runs(world: World) -> list[dict[str, Any]]:
    return list(world.controls.get("/_sandbox/ai").json()["runs"])


def test_who_waits_for_a_code_gets_the_one_the_model_chose(tmp_path: Path) -> None:
    with a_world(tmp_path) as world:
        world.controls.put("/_sandbox/ai", json={"response": {"choice": 2}}).raise_for_status()
        wanted = {"kind": "user", "permissions": [*PERMISSIONS, "Workers AI Read"], "zones": "all"}
        token = world.controls.post("/_sandbox/tokens", json=wanted).json()["token"]
        with world.product(WORKERS_AI_ENABLED="true", CLOUDFLARE_API_TOKEN=token) as product:
            mailbox_id, message_id = _came(product)
            awaited = {"hasCode": "true", "timeout": "30"}
            waited = product.admin.get(f"/api/mailboxes/{mailbox_id}/wait", params=awaited)

            with httpx.Client(base_url=product.url, timeout=60) as browser:
                browser.post("/login", data={"api_key": ADMIN_KEY})
                page = browser.get(f"/messages/{message_id}").text

        assert "found in the text, next to “verification codes”, chosen by a model among several" in unescape(page)
        assert waited.status_code == 200, waited.text
        message = waited.json()["message"]
        assert message["id"] == message_id
        assert (message["verification"]["code"], message["verification"]["method"]) == ("662288", "ai")
        assert [run["model"] for run in _runs(world)] == ["@cf/meta/llama-3.1-8b-instruct-fast"]


def test_without_being_told_to_nobody_asks_a_model(tmp_path: Path) -> None:
    with a_world(tmp_path) as world:
        with world.product() as product:
            _, message_id = _came(product)
            assert product.admin.get(f"/api/messages/{message_id}").json()["message"]["verification"] is None
        assert _runs(world) == []
