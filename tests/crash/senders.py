"""Sending servers for tests: they remember what they were told was kept, and come back with the rest."""

import smtplib
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal
from urllib.parse import quote

import httpx

from kaisoumail.auth.signatures import sign
from tests.servers import INBOUND_SECRET, Product

SENDER = "no-reply@shop.example"
RECIPIENT = "ada@mail.customer.com"
Answer = Literal["kept", "later", "never"]
DOORS = ("smtp", "webhook")


class Sender:
    """One sending server's connection to a door."""

    @abstractmethod
    def send(self, raw: bytes) -> Answer:
        """What became of *raw*. Raises OSError or a protocol's own error when there was no answer."""

    @abstractmethod
    def close(self) -> None: ...


class SmtpSender(Sender):
    def __init__(self, port: int) -> None:
        self._smtp = smtplib.SMTP("127.0.0.1", port, timeout=60)

    def send(self, raw: bytes) -> Answer:
        try:
            self._smtp.sendmail(SENDER, [RECIPIENT], raw)
        except smtplib.SMTPResponseException as refused:
            return _meaning(refused.smtp_code)
        except smtplib.SMTPRecipientsRefused as refused:
            return _meaning(refused.recipients[RECIPIENT][0])
        return "kept"

    def close(self) -> None:
        self._smtp.close()


def _meaning(code: int) -> Answer:
    return "later" if 400 <= code < 500 else "never"


class WebhookSender(Sender):
    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)

    def send(self, raw: bytes) -> Answer:
        stamp, envelope = str(int(time.time())), (quote(SENDER), quote(RECIPIENT))
        answer = self._client.post(
            "/api/inbound",
            content=raw,
            headers={
                "x-kaisoumail-envelope-from": envelope[0],
                "x-kaisoumail-envelope-to": envelope[1],
                "x-kaisoumail-timestamp": stamp,
                "x-kaisoumail-signature": sign(INBOUND_SECRET, stamp, *envelope, raw),
            },
        )
        if answer.status_code == 200:
            return "kept"
        return "never" if answer.status_code in (413, 422) else "later"

    def close(self) -> None:
        self._client.close()


NO_ANSWER = (smtplib.SMTPException, httpx.HTTPError, OSError)


@contextmanager
def a_sender(door: str, product: Product, smtp_port: int) -> Iterator[Sender]:
    sender: Sender = SmtpSender(smtp_port) if door == "smtp" else WebhookSender(product.url)
    try:
        yield sender
    finally:
        sender.close()


class Load:
    """Many senders at once, each with one mail after the other until there are no more or nobody answers."""

    def __init__(self, mails: list[bytes], opened: Callable[[], AbstractContextManager[Sender]]) -> None:
        self._mails = iter(mails)
        self._opened = opened
        self._lock = threading.Lock()
        self._heard = threading.Condition(self._lock)
        self._threads: list[threading.Thread] = []
        self.kept: list[bytes] = []
        self.answers: list[Answer] = []

    def start(self, connections: int) -> None:
        self._threads = [threading.Thread(target=self._send) for _ in range(connections)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, answers: int) -> None:
        """Returns when that many mails were answered, or every sender is done."""
        with self._heard:
            while len(self.answers) < answers and any(thread.is_alive() for thread in self._threads):
                self._heard.wait(0.2)

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(120)

    def _send(self) -> None:
        try:
            with self._opened() as sender:
                while (raw := self._next()) is not None:
                    answer = sender.send(raw)
                    with self._heard:
                        self.answers.append(answer)
                        if answer == "kept":
                            self.kept.append(raw)
                        self._heard.notify_all()
        except NO_ANSWER:
            return  # killed in the middle: whatever was not answered may or may not be there

    def _next(self) -> bytes | None:
        with self._lock:
            return next(self._mails, None)


def stored(product: Product) -> dict[str, bytes]:
    """The bytes of every mail in the list, by subject; no subject twice."""
    listed = product.admin.get("/api/messages").json()["messages"]
    assert len({message["subject"] for message in listed}) == len(listed), "a mail was stored twice"
    return {message["subject"]: product.admin.get(f"/api/messages/{message['id']}/raw").content for message in listed}


def ready(product: Product) -> None:
    """The domain and the mailbox that everything is sent to."""
    product.active_domain("customer.com")
    product.admin.post(
        "/api/mailboxes", json={"localPart": "ada", "subdomain": "mail", "expiresInMinutes": 1440}
    ).raise_for_status()
