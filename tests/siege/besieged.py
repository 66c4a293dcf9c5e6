"""The server that is attacked: `kaisoumail serve` ordinary settings, a member, and mailboxes strangers know."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import trustme

from tests.builders import an_email
from tests.handing_over import signed
from tests.ports import reserved_port
from tests.servers import World, a_world
from tests.siege.attacker import Target
from tests.siege.measure import Process
from tests.siege.ordinary import Account

DOMAIN: Final = "customer.com"
OTHERS: Final = 100  # mailboxes that strangers know: as many as one message may be for


class Besieged:
    """A running server; *restart* is for one that an attack has left unusable."""

    def __init__(self, world: World, running: ExitStack, authority: trustme.CA, strangers_know: int) -> None:
        self._world = world
        self._running = running
        self._authority = authority
        self._product = running.enter_context(world.product())
        self._product.active_domain(DOMAIN)
        self._key = self._product.add_member("ada")
        self._mailbox = self._open("ada")
        others = [self._open(f"open{number}") for number in range(strangers_know)]
        self._others = tuple(mailbox["address"] for mailbox in others)
        self._warm_up()

    @property
    def process(self) -> Process:
        return Process(self._product.process.popen.pid, (self._smtp_port, self._http_port))

    def restart(self) -> None:
        self._running.close()
        self._product = self._running.enter_context(self._world.product())
        self._warm_up()

    def target(self, *, starttls: bool) -> Target:
        """What an attacker is told."""
        seen = an_email(to=self._others[0], subject="Seen on its way")
        return Target(
            smtp_port=self._smtp_port,
            http_port=self._http_port,
            starttls=starttls,
            recipient=self._others[0],
            recipients=self._others,
            seen_headers=signed(self._others[0], seen),
            seen_body=seen.decode(),
            key=self._key,
        )

    def account(self, *, starttls: bool) -> Account:
        """What the ordinary clients are told."""
        tls = None
        if starttls:
            tls = ssl.create_default_context()
            self._authority.configure_trust(tls)
        return Account(self._smtp_port, self._http_port, self._key, self._mailbox["address"], self._mailbox["id"], tls)

    @property
    def _smtp_port(self) -> int:
        return int(self._world.environment["SMTP_PORT"])

    @property
    def _http_port(self) -> int:
        return int(self._world.environment["PORT"])

    def _open(self, local_part: str) -> dict[str, Any]:
        made = {"localPart": local_part, "subdomain": "mail", "expiresInMinutes": None}
        with self._product.client(self._key) as member:
            mailbox: dict[str, Any] = member.post("/api/mailboxes", json=made).raise_for_status().json()
            return mailbox

    def _warm_up(self) -> None:
        """Have everything started that the server starts when it is first needed: both readers, its connections."""
        with httpx.Client(base_url=self._product.url, timeout=60) as sender:
            for text in ("Hello.", "A long line of text.\n" * 10_000):
                raw = an_email(to=self._others[0], subject="First", text=text)
                sender.post("/api/inbound", content=raw, headers=signed(self._others[0], raw)).raise_for_status()


@contextmanager
def besieged(folder: Path, environment: Mapping[str, str], strangers_know: int = OTHERS) -> Iterator[Besieged]:
    """A server with what *environment* adds to ordinary settings; strangers know so many of its mailboxes."""
    authority = trustme.CA()
    certificate = folder / "smtp.pem"
    authority.issue_cert("mx.customer.com").private_key_and_cert_chain_pem.write_to_path(certificate)
    given = {
        "PORT": str(reserved_port()),
        "SMTP_PORT": str(reserved_port()),
        "SMTP_TLS_CERT": str(certificate),
        **environment,
    }
    with a_world(folder, **given) as world, ExitStack() as running:
        yield Besieged(world, running, authority, strangers_know)
