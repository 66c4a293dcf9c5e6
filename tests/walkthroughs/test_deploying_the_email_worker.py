"""The operator deploys the Email Worker by one command; then mail sent to Cloudflare arrives."""

import smtplib

from tests.builders import an_email
from tests.servers import PERMISSIONS, WORKER, World, command


def test_after_deploying_mail_comes_to_the_list(world: World) -> None:
    permissions = {"kind": "user", "permissions": [*PERMISSIONS, "Workers Scripts Write"]}
    token = world.controls.post("/_sandbox/tokens", json=permissions).json()["token"]
    with world.product() as product:
        world.controls.delete(f"/_sandbox/workers/{WORKER}").raise_for_status()
        product.active_domain("customer.com")
        product.admin.post("/api/mailboxes/ensure", json={"address": "ada@mail.customer.com"})
        before = _send(world)

        deployed = command(
            "email-worker", "deploy", "--url", product.url, **{**world.environment, "CLOUDFLARE_API_TOKEN": token}
        )

        assert deployed.returncode == 0, deployed.stderr
        assert (before, _send(world)) == (421, 250)
        [listed] = product.admin.get("/api/messages").json()["messages"]
        assert listed["verification"]["code"] == "842911"


def _send(world: World) -> int:
    """The code a sending server ends with."""
    with smtplib.SMTP("127.0.0.1", world.mx_port, timeout=60) as smtp:
        try:
            smtp.sendmail("no-reply@shop.example", ["ada@mail.customer.com"], an_email())
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code
    return 250
