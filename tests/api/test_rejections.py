"""`GET /api/rejections`: what was refused for good, for admins."""

import smtplib
import time
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from kaisoumail.auth.signatures import sign
from tests.ports import reserved_port
from tests.servers import INBOUND_SECRET, Product, a_world


@pytest.fixture(scope="module")
def smtp_port() -> int:
    return reserved_port()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, smtp_port: int) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("world")
    with a_world(folder, SMTP_PORT=str(smtp_port)) as world, world.product() as running:
        yield running


def _knock(product: Product, recipient: str) -> int:
    timestamp = str(int(time.time()))
    envelope = (quote("a@shop.example"), quote(recipient))
    headers = {
        "x-kaisoumail-envelope-from": envelope[0],
        "x-kaisoumail-envelope-to": envelope[1],
        "x-kaisoumail-timestamp": timestamp,
        "x-kaisoumail-signature": sign(INBOUND_SECRET, timestamp, *envelope, b"x"),
    }
    return httpx.post(f"{product.url}/api/inbound", content=b"x", headers=headers).status_code


def test_a_refusal_at_either_door_is_in_the_ledger(product: Product, smtp_port: int) -> None:
    assert _knock(product, "nobody@mail.ledger.example") == 422
    with smtplib.SMTP("127.0.0.1", smtp_port, timeout=30) as smtp:
        smtp.helo("sender.example")
        smtp.mail("b@shop.example")
        assert smtp.rcpt("somebody@ledger.example")[0] == 550

    listed = product.admin.get("/api/rejections", params={"domain": "ledger.example"}).json()

    assert [(row["door"], row["sender"], row["recipient"], row["code"]) for row in listed["rejections"]] == [
        ("smtp", "b@shop.example", "somebody@ledger.example", "mailbox_unavailable"),
        ("worker", "a@shop.example", "nobody@mail.ledger.example", "mailbox_unavailable"),
    ]
    assert listed["nextCursor"] is None


def test_the_ledger_is_read_in_pages(product: Product) -> None:
    for number in range(3):
        _knock(product, f"n{number}@mail.pages.example")
    wanted = {"domain": "pages.example", "limit": "2"}

    first = product.admin.get("/api/rejections", params=wanted).json()
    second = product.admin.get("/api/rejections", params={**wanted, "cursor": first["nextCursor"]}).json()

    seen = [row["recipient"] for row in first["rejections"] + second["rejections"]]
    assert sorted(seen) == [f"n{number}@mail.pages.example" for number in range(3)]
    assert (len(first["rejections"]), second["nextCursor"]) == (2, None)


def test_a_question_that_makes_no_sense_is_refused(product: Product) -> None:
    for wrong in ({"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"cursor": "x"}, {"cursor": ""}):
        answer = product.admin.get("/api/rejections", params=wrong)
        assert answer.status_code == 400, wrong
        assert list(answer.json()["details"]["fieldErrors"]) == list(wrong)


def test_members_are_not_told_who_wrote_to_whom(product: Product) -> None:
    with product.client(product.add_member("mallory")) as member, product.client() as nobody:
        assert member.get("/api/rejections").status_code == 403
        assert nobody.get("/api/rejections").status_code == 401
