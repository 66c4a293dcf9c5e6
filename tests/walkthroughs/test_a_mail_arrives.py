"""Story two: a mail by SMTP into Cloudflare's mail server comes to the list with its code."""

import smtplib
from email.message import EmailMessage
from email.policy import SMTP

from tests.builders import an_email
from tests.handing_over import send_by_smtp
from tests.ports import reserved_port
from tests.servers import Product, World


def _mailbox(product: Product, address: str = "ada@mail.customer.com") -> dict[str, str]:
    product.active_domain("customer.com")
    made = product.admin.post("/api/mailboxes/ensure", json={"address": address})
    assert made.status_code == 201, made.text
    mailbox: dict[str, str] = made.json()
    return mailbox


def test_a_mail_sent_to_cloudflare_is_read_with_its_code(product: Product) -> None:
    mailbox = _mailbox(product)
    raw = an_email(to="Ada <ada@mail.customer.com>", html="<p>Welcome <b>Ada</b></p>")

    send_by_smtp(product.world.mx_port, "ada@mail.customer.com", raw)

    [listed] = product.admin.get("/api/messages", params={"mailboxId": mailbox["id"]}).json()["messages"]
    assert listed["verification"] == {
        "code": "842911",
        "source": "subject",
        "method": "rules",
        "evidence": "Your verification code is 842911",
        "word": "verification code",
        "confidence": 0.99,
        "link": None,
    }
    assert listed["mailboxAddress"] == "ada@mail.customer.com"
    assert listed["fromAddress"] == "no-reply@shop.example"
    assert listed["fromName"] == "Shop"

    opened = product.admin.get(f"/api/messages/{listed['id']}").json()["message"]
    assert opened["subject"] == "Your verification code is 842911"
    assert opened["envelopeFrom"] == "no-reply@shop.example"
    assert opened["envelopeTo"] == "ada@mail.customer.com"
    assert opened["dateHeader"] == "2026-04-03T11:59:58.000Z"
    assert "Welcome <b>Ada</b>" in opened["html"]
    assert [recipient["address"] for recipient in opened["recipients"]["to"]] == ["ada@mail.customer.com"]

    kept = product.admin.get(opened["rawDownloadPath"])
    assert kept.headers["content-type"] == "message/rfc822"
    assert kept.headers["content-disposition"] == f'attachment; filename="{listed["id"]}.eml"'
    assert kept.content.endswith(raw)  # Cloudflare puts its trace before it

    noted = product.admin.get(f"/api/mailboxes/{mailbox['id']}").json()
    assert noted["lastReceivedAt"] == listed["receivedAt"]


def test_a_mail_for_nobody_is_refused_by_cloudflare_for_good(product: Product) -> None:
    _mailbox(product)

    with smtplib.SMTP("127.0.0.1", product.world.mx_port, timeout=60) as smtp:
        smtp.ehlo("sender.example")
        smtp.mail("no-reply@shop.example")
        code, reply = smtp.rcpt("bob@mail.customer.com")

    assert code == 550
    assert b"Address does not exist" in reply


def test_a_large_mail_comes_back_byte_for_byte(product: Product) -> None:
    mailbox = _mailbox(product)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@shop.example", mailbox["address"], "Your files"
    mail.set_content("Attached.")
    mail.add_attachment(bytes(range(256)) * 8000, maintype="application", subtype="pdf", filename="rechnung-ü.pdf")

    send_by_smtp(product.world.mx_port, mailbox["address"], mail.as_bytes(policy=SMTP))

    [listed] = product.admin.get("/api/messages").json()["messages"]
    [attachment] = product.admin.get(f"/api/messages/{listed['id']}").json()["message"]["attachments"]
    assert attachment["filename"] == "rechnung-ü.pdf"
    assert attachment["sizeBytes"] == 256 * 8000
    assert listed["attachmentCount"] == 1
    raw = product.admin.get(f"/api/messages/{listed['id']}/raw").content
    assert len(raw) == listed["sizeBytes"] > 2_048_000


def test_our_own_smtp_door_takes_mail_too(world: World) -> None:
    port = reserved_port()
    with world.product(SMTP_PORT=str(port)) as product:
        mailbox = _mailbox(product)
        raw = an_email()

        send_by_smtp(port, "ADA@mail.customer.com", raw)

        [listed] = product.admin.get("/api/messages", params={"mailbox": mailbox["address"]}).json()["messages"]
        assert listed["verification"]["code"] == "842911"
        detail = product.admin.get(f"/api/messages/{listed['id']}").json()["message"]
        assert detail["envelopeTo"] == "ADA@mail.customer.com"
        kept = product.admin.get(f"/api/messages/{listed['id']}/raw").content
        assert kept == raw
