"""The Email Worker, on Cloudflare's runtime, hands mail to the real product."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.builders import an_email
from tests.email_worker.runtime import Ending, Runtime
from tests.ports import reserved_port
from tests.servers import INBOUND_SECRET, Product, a_world

ADDRESS = "ada@mail.customer.com"
ACCEPTED = Ending("accepted", "")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with a_world(tmp_path_factory.mktemp("world")) as world, world.product() as running:
        running.active_domain("customer.com")
        running.admin.post("/api/mailboxes/ensure", json={"address": ADDRESS})
        yield running


def _hand_over(
    email_worker: Runtime,
    product: Product,
    raw: bytes,
    to: str = ADDRESS,
    sender: str = "no-reply@shop.example",
    secret: str = INBOUND_SECRET,
) -> Ending:
    return email_worker.hand_over(product.url, raw, to, sender, secret)


def _with_subject(product: Product, subject: str) -> list[dict[str, str]]:
    listed = product.admin.get("/api/messages").json()["messages"]
    return [message for message in listed if message["subject"] == subject]


def test_a_mail_is_accepted_and_in_the_list(email_worker: Runtime, product: Product) -> None:
    raw = an_email(subject="Hello from the edge")

    ending = _hand_over(email_worker, product, raw)

    assert ending == ACCEPTED
    [stored] = _with_subject(product, "Hello from the edge")
    assert product.admin.get(f"/api/messages/{stored['id']}/raw").content == raw


def test_a_mail_handed_over_twice_is_accepted_twice_and_stored_once(email_worker: Runtime, product: Product) -> None:
    raw = an_email(subject="Twice")

    endings = [_hand_over(email_worker, product, raw) for _ in range(2)]

    assert endings == [ACCEPTED, ACCEPTED]
    assert len(_with_subject(product, "Twice")) == 1


def test_a_mail_for_nobody_is_rejected_for_good(email_worker: Runtime, product: Product) -> None:
    ending = _hand_over(email_worker, product, an_email(), to="nobody@mail.customer.com")

    assert ending == Ending("rejected", "Mailbox unavailable")


def test_a_wrong_secret_stores_nothing_and_the_sender_tries_again(email_worker: Runtime, product: Product) -> None:
    ending = _hand_over(email_worker, product, an_email(subject="Forged"), secret="x" * 40)

    assert ending.end == "threw"
    assert "401" in ending.text
    assert _with_subject(product, "Forged") == []


def test_while_nobody_answers_the_sender_tries_again_and_nothing_is_lost(
    email_worker: Runtime, product: Product
) -> None:
    raw = an_email(subject="Patience")
    nobody = f"http://127.0.0.1:{reserved_port()}"
    first = email_worker.hand_over(nobody, raw, secret=INBOUND_SECRET)

    second = _hand_over(email_worker, product, raw)

    assert first.end == "threw"
    assert second == ACCEPTED
    assert len(_with_subject(product, "Patience")) == 1


def test_twenty_megabytes_come_back_byte_for_byte(email_worker: Runtime, product: Product) -> None:
    head = b"From: shop@shop.example\r\nSubject: Twenty megabytes\r\nContent-Type: application/octet-stream\r\n\r\n"
    raw = head + secrets.token_bytes(20_000_000)

    ending = _hand_over(email_worker, product, raw)

    assert ending == ACCEPTED
    [stored] = _with_subject(product, "Twenty megabytes")
    assert product.admin.get(f"/api/messages/{stored['id']}/raw").content == raw


def test_a_mail_over_the_limit_is_rejected_for_good(email_worker: Runtime, product: Product) -> None:
    ending = _hand_over(email_worker, product, b"\r\n" + bytes(26_214_400))

    assert ending == Ending("rejected", "A message may have at most 26214400 bytes")


@pytest.mark.parametrize("sender", ["", "安達@例え.example", "100%@shop.example", "a\r\nb@shop.example"])
def test_any_sender_is_kept_as_it_was(email_worker: Runtime, product: Product, sender: str) -> None:
    subject = f"From somebody {secrets.token_hex(4)}"

    ending = _hand_over(email_worker, product, an_email(subject=subject), sender=sender)

    assert ending == ACCEPTED
    [stored] = _with_subject(product, subject)
    opened = product.admin.get(f"/api/messages/{stored['id']}").json()["message"]
    assert opened["envelopeFrom"] == sender


def test_a_mail_of_no_bytes_is_stored(email_worker: Runtime, product: Product) -> None:
    before = len(product.admin.get("/api/messages").json()["messages"])

    ending = _hand_over(email_worker, product, b"")

    assert ending == ACCEPTED
    assert len(product.admin.get("/api/messages").json()["messages"]) == before + 1


def test_a_thousand_mails_are_each_stored_once(email_worker: Runtime, product: Product) -> None:
    """Every tenth is handed over a second time, as a sender does that missed the answer."""
    mails = [an_email(subject=f"Number {number}") for number in range(1000)]

    with ThreadPoolExecutor(8) as senders:
        endings = list(senders.map(lambda raw: _hand_over(email_worker, product, raw), mails + mails[::10]))

    assert set(endings) == {ACCEPTED}
    listed = [message["subject"] for message in product.admin.get("/api/messages").json()["messages"]]
    numbered = sorted(subject for subject in listed if subject.startswith("Number "))
    assert numbered == sorted(f"Number {number}" for number in range(1000))
