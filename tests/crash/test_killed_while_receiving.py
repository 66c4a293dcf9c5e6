"""A mail answered with 250 is kept, once, whatever happens to the process a moment later."""

import smtplib
import threading
from pathlib import Path

from tests.builders import an_email
from tests.servers import Product, a_world, free_port

MAILS = 200
KILL_AFTER = 90


class _Sender:
    """Sends numbered mails over a few connections and remembers which were answered with 250."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._numbers = iter(range(MAILS))
        self.enough = threading.Event()
        self.acknowledged: list[bytes] = []

    def run(self, connections: int) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._send) for _ in range(connections)]
        for thread in threads:
            thread.start()
        return threads

    def _next(self) -> int | None:
        with self._lock:
            return next(self._numbers, None)

    def _send(self) -> None:
        try:
            with smtplib.SMTP("127.0.0.1", self._port, timeout=30) as smtp:
                while (number := self._next()) is not None:
                    raw = an_email(subject=f"Mail {number}")
                    smtp.sendmail("no-reply@shop.example", ["ada@mail.customer.com"], raw)
                    with self._lock:
                        self.acknowledged.append(raw)
                        if len(self.acknowledged) >= KILL_AFTER:
                            self.enough.set()
        except (smtplib.SMTPException, OSError):
            return  # killed in the middle: whatever was not answered may or may not be there


def _subjects_and_raws(product: Product) -> dict[str, bytes]:
    listed = product.admin.get("/api/messages").json()["messages"]
    assert len({message["subject"] for message in listed}) == len(listed), "a mail was stored twice"
    return {message["subject"]: product.admin.get(f"/api/messages/{message['id']}/raw").content for message in listed}


def test_every_mail_answered_with_250_is_there_once_after_a_sigkill(tmp_path: Path, database_url: str) -> None:
    port = free_port()
    with a_world(tmp_path, DATABASE_URL=database_url, SMTP_PORT=str(port)) as world:
        with world.product() as product:
            product.active_domain("customer.com")
            product.admin.post("/api/mailboxes", json={"localPart": "ada", "subdomain": "mail"}).raise_for_status()
            sender = _Sender(port)
            threads = sender.run(connections=4)
            assert sender.enough.wait(120)
            product.process.kill()
            for thread in threads:
                thread.join(60)
        acknowledged = list(sender.acknowledged)
        assert KILL_AFTER <= len(acknowledged) < MAILS, "the kill came in the middle"

        with world.product() as restarted:
            kept = _subjects_and_raws(restarted)
            missing = [raw for raw in acknowledged if raw not in kept.values()]
            assert missing == []

            _Again(port).send(acknowledged)
            assert _subjects_and_raws(restarted).keys() == kept.keys()


class _Again:
    """A sender that never heard the 250 and sends everything once more."""

    def __init__(self, port: int) -> None:
        self._port = port

    def send(self, mails: list[bytes]) -> None:
        with smtplib.SMTP("127.0.0.1", self._port, timeout=30) as smtp:
            for raw in mails:
                smtp.sendmail("no-reply@shop.example", ["ada@mail.customer.com"], raw)


def test_a_stopped_server_ends_cleanly_and_keeps_what_it_said_yes_to(tmp_path: Path) -> None:
    port = free_port()
    with a_world(tmp_path, SMTP_PORT=str(port)) as world:
        with world.product() as product:
            product.active_domain("customer.com")
            product.admin.post("/api/mailboxes", json={"localPart": "ada", "subdomain": "mail"}).raise_for_status()
            _Again(port).send([an_email(subject=f"Mail {n}") for n in range(5)])

            assert product.process.stop() == 0

        with world.product() as restarted:
            assert len(_subjects_and_raws(restarted)) == 5
