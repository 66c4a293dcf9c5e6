"""The signed hand-over: stored, duplicate, refused."""

import asyncio
import http.client
import socket
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.api_client import code_of
from tests.builders import an_email
from tests.contract.schemas import check
from tests.handing_over import signed
from tests.servers import Product


@pytest.fixture(scope="module")
def address(product: Product) -> str:
    product.active_domain("customer.com")
    made = product.admin.post("/api/mailboxes", json={"localPart": "ada", "subdomain": "mail"})
    return str(made.json()["address"])


def _hand_over(product: Product, address: str, body: bytes) -> httpx.Response:
    answer = httpx.post(f"{product.url}/api/inbound", content=body, headers=signed(address, body))
    check("POST", "/api/inbound", answer.status_code, answer.json())
    return answer


def test_the_same_hand_over_twice_is_one_message(product: Product, address: str) -> None:
    raw = an_email(subject="Once")

    first, second = _hand_over(product, address, raw), _hand_over(product, address, raw)

    assert first.json()["outcome"] == "stored"
    assert second.json() == {"outcome": "duplicate", "messageId": first.json()["messageId"]}
    listed = product.admin.get("/api/messages").json()["messages"]
    assert [message["subject"] for message in listed].count("Once") == 1


def test_twenty_times_at_once_is_one_message_too(product: Product, address: str) -> None:
    raw = an_email(subject="Twenty times")

    async def all_at_once() -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=60) as client:
            posts = (
                client.post(f"{product.url}/api/inbound", content=raw, headers=signed(address, raw)) for _ in range(20)
            )
            return list(await asyncio.gather(*posts))

    answers = asyncio.run(all_at_once())

    assert len({answer.json()["messageId"] for answer in answers}) == 1
    assert [answer.json()["outcome"] for answer in answers].count("stored") == 1


def test_a_connection_of_the_worker_survives_a_message_that_is_too_large(product: Product, address: str) -> None:
    """The refusal is there before the body is: who sends all of it all the same hears why, and goes on."""
    worker = http.client.HTTPConnection(urlsplit(product.url).netloc, timeout=60)
    worker.connect()
    statuses, connection = [], worker.sock

    for raw in (an_email(subject="Before"), bytes(26_214_401), an_email(subject="After")):
        worker.request("POST", "/api/inbound", raw, signed(address, raw))
        answer = worker.getresponse()
        answer.read()
        statuses.append(answer.status)
        assert worker.sock is connection, "the server closed it"
    worker.close()

    assert statuses == [200, 413, 200]


def test_an_unknown_mailbox_is_refused_for_good(product: Product, address: str) -> None:
    for nobody in ("bob@mail.customer.com", "customer.com", "", address.replace("ada", "ada+tag")):
        answer = _hand_over(product, nobody, an_email())
        assert answer.status_code == 422
        assert answer.json() == {"error": "Mailbox unavailable", "details": {"code": "mailbox_unavailable"}}


def test_a_mail_with_nothing_in_it_is_kept(product: Product, address: str) -> None:
    answer = _hand_over(product, address, b"\r\n")

    message = product.admin.get(f"/api/messages/{answer.json()['messageId']}").json()["message"]
    assert message["subject"] == "(no subject)"
    assert message["previewText"] == "(no preview)"


@pytest.mark.parametrize(
    "sender", ["root@localhost", "MAILER-DAEMON", "x=y@b.co", "ü@b.co", '"a b"@b.co', "a@[1.2.3.4]", "<>", "\x00@\xff"]
)
def test_no_sender_whatever_breaks_the_list(product: Product, address: str, sender: str) -> None:
    raw = b"From: " + sender.encode() + b"\r\nTo: " + sender.encode() + b"\r\nDate: yesterday\r\n\r\nhello\r\n"

    stored = _hand_over(product, address, raw)

    assert product.admin.get("/api/messages").status_code == 200
    message = product.admin.get(f"/api/messages/{stored.json()['messageId']}").json()["message"]
    assert message["fromAddress"] is None
    assert message["dateHeader"] is None


def test_a_mail_over_the_limit_is_413(product: Product, address: str) -> None:
    raw = an_email(text="x" * (26_214_400 + 1))

    answer = httpx.post(f"{product.url}/api/inbound", content=raw, headers=signed(address, raw), timeout=60)

    assert (answer.status_code, code_of(answer)) == (413, "too_large")


def test_a_signature_for_another_mailbox_is_refused(product: Product, address: str) -> None:
    raw = an_email()
    headers = signed("bob@mail.customer.com", raw) | {"x-kaisoumail-envelope-to": quote(address)}

    answer = httpx.post(f"{product.url}/api/inbound", content=raw, headers=headers)

    assert (answer.status_code, code_of(answer)) == (401, "invalid_signature")


def test_a_message_of_an_older_worker_without_a_ticket_is_stored(product: Product, address: str) -> None:
    raw = an_email(subject="Without a ticket")
    headers = {name: value for name, value in signed(address, raw).items() if name != "x-kaisoumail-ticket"}

    answer = httpx.post(f"{product.url}/api/inbound", content=raw, headers=headers)

    assert (answer.status_code, answer.json()["outcome"]) == (200, "stored")


def _head(product: Product, headers: dict[str, str], length: int) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(
        [
            "POST /api/inbound HTTP/1.1",
            f"host: {httpx.URL(product.url).netloc.decode()}",
            *lines,
            f"content-length: {length}",
            "",
            "",
        ]
    ).encode()


@pytest.mark.parametrize(
    ("announced", "status"), [("0:" + "0" * 64, b"401"), (None, b"413")], ids=["a wrong ticket", "too much announced"]
)
def test_a_client_refused_before_its_body_reads_the_answer_while_it_is_sending(
    product: Product, address: str, announced: str | None, status: bytes
) -> None:
    raw = bytes(26_214_401)
    headers = signed(address, raw)
    head = _head(product, {**headers, "x-kaisoumail-ticket": announced or headers["x-kaisoumail-ticket"]}, len(raw))

    with socket.create_connection(("127.0.0.1", httpx.URL(product.url).port or 0), timeout=60) as client:
        client.sendall(head + raw[:1_000_000])
        answer = b""
        while not answer.endswith(b"}"):
            piece = client.recv(65536)
            assert piece, "it hung up"
            answer += piece

    assert answer.startswith(b"HTTP/1.1 " + status)
