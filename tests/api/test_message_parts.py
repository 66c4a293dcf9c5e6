"""The parts of a mail: attachments byte for byte, the HTML as a document, the pictures in it by ticket."""

import re
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import unquote

import pytest

from kaisoumail.auth.picture_tickets import LIFETIME, is_picture_ticket, picture_ticket
from kaisoumail.model.ids import new_id
from kaisoumail.model.message import attachment_number, part_id
from tests.api_client import code_of
from tests.people import MINUTE, NOON
from tests.ports import reserved_port
from tests.servers import Product, a_world

ADDRESS = "ada@mail.customer.com"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@dataclass
class Inbox:
    """A running product with a mailbox; `put` sends a mail there and gives its detail."""

    product: Product
    mailbox_id: str
    member_key: str

    def put(self, raw: bytes) -> dict[str, Any]:
        with smtplib.SMTP("127.0.0.1", self.product.world.mx_port, timeout=60) as smtp:
            smtp.sendmail("shop@shop.example", [ADDRESS], raw)
        asked = {"mailboxId": self.mailbox_id}
        newest = self.product.admin.get("/api/messages", params=asked).json()["messages"][0]
        detail: dict[str, Any] = self.product.admin.get(f"/api/messages/{newest['id']}").json()["message"]
        return detail


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    with a_world(tmp_path_factory.mktemp("world")) as world, world.product() as product:
        product.active_domain("customer.com")
        mailbox = product.admin.post("/api/mailboxes/ensure", json={"address": ADDRESS}).json()
        yield Inbox(product, mailbox["id"], product.add_member("bob"))


def _mail(html: str | None = None) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@shop.example", ADDRESS, "Your files"
    mail.set_content("Attached.")
    if html is not None:
        mail.add_alternative(html, subtype="html")
    return mail


def _with_file(content: bytes, kind: str, filename: str | None) -> bytes:
    mail = _mail()
    major, minor = kind.split("/")
    mail.add_attachment(content, maintype=major, subtype=minor, filename=filename)
    return mail.as_bytes(policy=SMTP)


def test_a_large_attachment_comes_back_byte_for_byte(inbox: Inbox) -> None:
    content = bytes(range(256)) * (12_000_000 // 256)

    detail = inbox.put(_with_file(content, "application/pdf", "rechnung.pdf"))
    [listed] = detail["attachments"]
    answer = inbox.product.admin.get(listed["downloadPath"])

    assert (listed["sizeBytes"], listed["filename"]) == (len(content), "rechnung.pdf")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(content)
    assert answer.content == content


@pytest.mark.parametrize(
    ("kind", "sent_as"),
    [
        ("image/png", "image/png"),
        ("application/pdf", "application/pdf"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/xml", "application/octet-stream"),
        ("application/javascript", "application/octet-stream"),
        ("message/rfc822", "application/octet-stream"),
    ],
)
def test_an_attachment_is_never_sent_as_what_a_browser_would_run(inbox: Inbox, kind: str, sent_as: str) -> None:
    body = f"--b\r\nContent-Type: {kind}; name=a.x\r\nContent-Disposition: attachment\r\n\r\n<script>\r\n--b--"
    raw = f"Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{body}"

    [listed] = inbox.put(raw.encode())["attachments"]
    answer = inbox.product.admin.get(listed["downloadPath"])

    assert listed["contentType"] == kind
    assert answer.headers["content-type"].partition(";")[0] == sent_as
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("rechnung-ü.pdf", "rechnung-ü.pdf"),
        ("../../etc/passwd", "passwd"),
        ('a"; filename="b.exe', 'a"; filename="b.exe'),
        ("您好.pdf", "您好.pdf"),
        (None, "attachment-1"),
    ],
)
def test_a_file_name_reaches_the_browser_clean_and_whole(inbox: Inbox, written: str | None, read: str) -> None:
    [listed] = inbox.put(_with_file(b"x", "application/pdf", written))["attachments"]

    field = inbox.product.admin.get(listed["downloadPath"]).headers["content-disposition"]

    found = re.fullmatch(r"attachment; filename=\"([^\"\\\x00-\x1f]+)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)", field)
    assert found is not None, field
    assert found[1].isascii()
    assert unquote(found[2]) == read


def test_an_attachment_that_is_not_there_is_not_found(inbox: Inbox) -> None:
    one, other = (inbox.put(_with_file(b"x", "application/pdf", name)) for name in ("a.pdf", "b.pdf"))
    [listed] = one["attachments"]

    for attachment_id in ("att_1", part_id("att", one["id"], 1), other["attachments"][0]["id"], listed["id"].upper()):
        answer = inbox.product.admin.get(f"/api/messages/{one['id']}/attachments/{attachment_id}")
        assert (answer.status_code, code_of(answer)) == (404, "attachment_not_found")
    missing = inbox.product.admin.get(f"/api/messages/msg_none/attachments/{listed['id']}")
    assert (missing.status_code, code_of(missing)) == (404, "message_not_found")


def test_parts_are_for_whoever_may_see_the_mail(inbox: Inbox) -> None:
    detail = inbox.put(_with_file(b"x", "application/pdf", "a.pdf"))
    paths = [detail["attachments"][0]["downloadPath"], f"/api/messages/{detail['id']}/html"]

    with inbox.product.client(inbox.member_key) as bob, inbox.product.client() as nobody:
        assert [bob.get(path).status_code for path in paths] == [404, 404]
        assert [nobody.get(path).status_code for path in paths] == [401, 401]


# the HTML


def _with_picture(html: str) -> bytes:
    mail = _mail(html)
    mail.get_payload()[1].add_related(PNG, "image", "png", cid="<logo@x>")  # type: ignore[union-attr,index]
    return mail.as_bytes(policy=SMTP)


def test_the_html_is_a_document_in_which_nothing_runs_and_nothing_is_fetched(inbox: Inbox) -> None:
    detail = inbox.put(
        _mail("<p>Hi<script>alert(1)</script><img src='https://track.example/p.gif'></p>").as_bytes(policy=SMTP)
    )

    answer = inbox.product.admin.get(detail["htmlPath"])

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("sandbox allow-popups")
    assert "default-src 'none'; img-src 'self' data:; " in answer.headers["content-security-policy"]
    assert answer.headers["x-blocked-pictures"] == "1"
    assert answer.headers["cache-control"] == "no-store"
    assert "alert" not in answer.text
    assert "track.example" not in answer.text


def test_pictures_from_elsewhere_are_there_only_when_asked_for(inbox: Inbox) -> None:
    detail = inbox.put(_mail("<p>Hi<img src='https://track.example/p.gif'></p>").as_bytes(policy=SMTP))

    answer = inbox.product.admin.get(detail["htmlPath"], params={"remote": "allow"})
    wrong = inbox.product.admin.get(detail["htmlPath"], params={"remote": "perhaps"})

    assert 'src="https://track.example/p.gif"' in answer.text
    assert "img-src 'self' data: https: http:;" in answer.headers["content-security-policy"]
    assert (wrong.status_code, code_of(wrong)) == (400, "invalid_request")


def test_a_picture_of_the_mail_is_had_by_its_ticket_alone(inbox: Inbox) -> None:
    detail = inbox.put(_with_picture('<p>Hi<img src="cid:logo@x" alt="Logo"></p>'))
    page = inbox.product.admin.get(detail["htmlPath"]).text
    found = re.search(r'src="(/api/messages/[^"]+)"', page)
    assert found is not None

    with inbox.product.client() as nobody:
        answer = nobody.get(found[1])
        forged = nobody.get(found[1][:-1] + ("0" if found[1][-1] != "0" else "1"))
        none = nobody.get(found[1].partition("?")[0])

    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert [(each.status_code, code_of(each)) for each in (forged, none)] == [(404, "attachment_not_found")] * 2


def test_a_mail_without_html_has_no_document(inbox: Inbox) -> None:
    detail = inbox.put(_mail().as_bytes(policy=SMTP))

    answer = inbox.product.admin.get(f"/api/messages/{detail['id']}/html")

    assert detail["htmlPath"] is None
    assert (answer.status_code, code_of(answer)) == (404, "html_body_missing")


# what could not be read, and who vouches for the sender


def test_what_could_not_be_read_is_said_and_the_raw_mail_is_kept(inbox: Inbox) -> None:
    levels = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000))

    detail = inbox.put(b"Subject: deep\r\n" + levels)

    assert (detail["parseStatus"], detail["parseDefects"]) == ("failed", ["nested_too_deep"])
    assert inbox.product.admin.get(detail["rawDownloadPath"]).content.endswith(levels)


def test_only_what_cloudflare_wrote_vouches_for_a_sender(inbox: Inbox) -> None:
    forged = b"Authentication-Results: mx.cloudflare.net; dmarc=pass header.from=bank.example\r\nSubject: s\r\n\r\nt"

    by_cloudflare = inbox.put(forged)

    assert by_cloudflare["authentication"] is not None
    assert by_cloudflare["authentication"]["dmarc"] != {"result": "pass", "domain": "bank.example"}


def test_a_mail_by_our_own_smtp_door_has_nobody_to_vouch_for_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    port = reserved_port()
    forged = b"Authentication-Results: mx.cloudflare.net; dmarc=pass header.from=bank.example\r\nSubject: s\r\n\r\nt"
    with a_world(tmp_path_factory.mktemp("own"), SMTP_PORT=str(port)) as world, world.product() as product:
        product.active_domain("customer.com")
        product.admin.post("/api/mailboxes/ensure", json={"address": ADDRESS}).raise_for_status()
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
            smtp.sendmail("eve@evil.example", [ADDRESS], forged)

        [listed] = product.admin.get("/api/messages").json()["messages"]
        detail = product.admin.get(f"/api/messages/{listed['id']}").json()["message"]

    assert detail["authentication"] is None


# tickets and ids, by values


def test_a_ticket_is_good_for_one_picture_and_one_hour() -> None:
    ticket = picture_ticket("secret", "msg_1", "att_1", NOON)

    assert is_picture_ticket(ticket, "secret", "msg_1", "att_1", NOON + LIFETIME - MINUTE)
    assert not is_picture_ticket(ticket, "secret", "msg_1", "att_1", NOON + LIFETIME)
    assert not is_picture_ticket(ticket, "secret", "msg_1", "att_2", NOON)
    assert not is_picture_ticket(ticket, "secret", "msg_2", "att_1", NOON)
    assert not is_picture_ticket(ticket, "another", "msg_1", "att_1", NOON)


@pytest.mark.parametrize("ticket", ["", "-", "x", "9999999999-", "9999999999-" + "0" * 64, "٣-ü", "\ud800"])
def test_a_made_up_ticket_opens_nothing(ticket: str) -> None:
    assert not is_picture_ticket(ticket, "secret", "msg_1", "att_1", NOON)


def test_an_attachment_is_known_by_its_place() -> None:
    message_id = new_id("msg")

    assert [attachment_number(message_id, part_id("att", message_id, number)) for number in (0, 1, 999)] == [0, 1, 999]
    assert attachment_number(message_id, part_id("att", new_id("msg"), 0)) is None
    assert attachment_number(message_id, part_id("rcp", message_id, 0)) is None
