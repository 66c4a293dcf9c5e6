"""A faulty server with its database and its pretend Cloudflare, and everything that can be seen of them."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Final

import httpx
import msgspec
from sqlalchemy import Engine, create_engine, text

from kaisoumail.storage.engine.sqlite import sqlite_driver
from tests.api_client import ApiClient
from tests.forked import Forked
from tests.matrix.trouble import Told, Trouble
from tests.servers import ADMIN_KEY, PERMISSIONS, UNLIMITED, World, a_world

ASKING_SECONDS: Final = 40.0
"""Longer than anybody may be kept waiting for an answer: proxies give up after 30."""
SETTLING_SECONDS: Final = 75.0
"""Longer than anything here takes to come to its end by itself."""
_QUICK: Final = {
    **UNLIMITED,
    "PROCESS_DEAD_AFTER_SECONDS": "2",
    "CLOUDFLARE_TIMEOUT_SECONDS": "2",
    "CLOUDFLARE_MAX_RETRY_AFTER_SECONDS": "2",
    "CLOUDFLARE_REQUEST_BUDGET": "60000",
    "READER_PROCESSES_ENABLED": "false",
    "SMTP_PORT": "0",
}
_BUGS: Final = ("workflows.step_failed", "workflows.run.failed", "workflows.run.set_aside", "schedule.crash")


class FaultyServer:
    """A process of `tests/matrix/faulty_server.py` that said it is ready."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = Forked("tests.matrix.faulty_server", environment=environment, is_told=True)
        for line in self._process.stdout:
            if ready := re.match(r"ready (http://\S+)", line):
                self.url = ready.group(1)
                return
        self.close()
        raise AssertionError("the server ended instead of getting ready")

    def suffer(self, trouble: Trouble | None) -> None:
        """From now on points are counted anew, and *trouble* is to come."""
        self._tell(Told(True, trouble))

    def points(self) -> list[str]:
        """What was passed since then."""
        return self._tell(Told(False))

    def _tell(self, told: Told) -> list[str]:
        assert self._process.stdin is not None
        os.write(self._process.stdin.fileno(), msgspec.json.encode(told) + b"\n")
        return msgspec.json.decode(self._process.stdout.readline(), type=list[str])

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def has_died(self) -> bool:
        """Whether it ends by itself, soon."""
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        self._process.close()


@dataclass(frozen=True)
class Seen:
    """What there is of one domain: ours as the API tells it, and what the pretend Cloudflare has."""

    domain: tuple[str, str | None] | None  # its status, and the code of what went wrong last
    zones: tuple[tuple[str, bool], ...] = ()  # the status of each, and whether Email Routing is on
    mailboxes: tuple[tuple[str, str], ...] = ()  # local part and status of each
    rules: tuple[str, ...] = ()  # the local part of each
    messages: int = 0


@dataclass
class Site:
    """One world; what asks the server remembers every answer."""

    world: World
    server: FaultyServer
    tables: Engine
    log: Path
    made_elsewhere: set[str] = field(default_factory=set)
    """Zones that somebody else made, which are nobody's orphans."""

    def start(self, trouble: Trouble | None = None) -> None:
        """Another process on the same database."""
        self.server = FaultyServer(self.world.environment)
        self.server.suffer(trouble)

    def restart(self) -> None:
        self.server.close()
        self.start()

    @contextmanager
    def another_server(self) -> Iterator[FaultyServer]:
        another = FaultyServer(self.world.environment)
        try:
            yield another
        finally:
            another.close()

    def client(self, server: FaultyServer | None = None) -> ApiClient:
        client = ApiClient((server or self.server).url, ADMIN_KEY)
        client.timeout = httpx.Timeout(ASKING_SECONDS)
        return client

    def control(self, path: str, body: Any) -> Any:
        return self.world.controls.post(path, json=body).raise_for_status().json()

    def forget_faults(self) -> None:
        self.world.controls.delete("/_sandbox/faults").raise_for_status()

    def renew_token(self) -> None:
        """What an operator does whose token was withdrawn: another one, and a restart."""
        token = {"kind": "user", "permissions": PERMISSIONS, "zones": "all"}
        self.world.environment["CLOUDFLARE_API_TOKEN"] = self.control("/_sandbox/tokens", token)["token"]
        self.restart()

    def seen(self, client: ApiClient, name: str) -> Seen:
        domain = next(iter(self._domains(client, name)), None)
        mailboxes = self._mailboxes(client, name)
        zones = [zone for zone in self.zones() if zone["name"] == name]
        return Seen(
            None if domain is None else (domain["status"], domain["lastProvisionCode"]),
            tuple((zone["status"], zone["emailRouting"]) for zone in zones),
            tuple(sorted((mailbox["address"].partition("@")[0], mailbox["status"]) for mailbox in mailboxes)),
            tuple(sorted(rule.partition("@")[0] for zone in zones for rule in zone["rules"] if rule)),
            sum(self._messages(client, mailbox["address"]) for mailbox in mailboxes),
        )

    def orphans(self, client: ApiClient, are_noted_known: bool) -> list[str]:
        """What the pretend Cloudflare has and we do not know of; a zone that is noted as asked for may count."""
        known = {domain["rootDomain"] for domain in client.get("/api/domains").json()["domains"]} | self.made_elsewhere
        if are_noted_known:
            known |= set(self._column("SELECT value FROM facts WHERE key LIKE 'zone_creation:%'"))
        held = set(self._column("SELECT address FROM mailboxes WHERE status != 'destroyed'"))
        zones = self.zones()
        rules = [rule for zone in zones for rule in zone["rules"] if rule]
        return [zone["name"] for zone in zones if zone["name"] not in known] + [r for r in rules if r not in held]

    def doubles(self, name: str) -> list[str]:
        """What there is twice, or was told twice."""
        zones = [zone for zone in self.zones() if zone["name"] == name]
        rules = [rule for zone in zones for rule in zone["rules"] if rule]
        held = self._column("SELECT address FROM mailboxes WHERE status != 'destroyed'")
        told = "SELECT kind FROM domain_events e JOIN domains d ON d.id = e.domain_id WHERE d.root_domain = :name"
        once = [kind for kind in self._column(told, name=name) if kind in ("zone_created", "deleted")]
        things = [zone["name"] for zone in zones] + rules + [f"row {one}" for one in held] + once
        return sorted({thing for thing in things if things.count(thing) > 1})

    def settle(self) -> list[str]:
        """Wait until nothing is under way any more; what still is, if that takes too long."""
        deadline = monotonic() + SETTLING_SECONDS
        while (under_way := self._under_way()) and monotonic() < deadline:
            Event().wait(0.05)
        return under_way

    def _under_way(self) -> list[str]:
        runs = self._column("SELECT job FROM runs WHERE ended_at IS NULL")
        leaving = self._column("SELECT address FROM mailboxes WHERE status IN ('provisioning', 'destroying')")
        return [*runs, *leaving]

    def bugs(self, since: int) -> list[str]:
        """The lines of the log, after so many bytes, that tell of a bug."""
        lines = self.log.read_bytes()[since:].decode().splitlines()
        events = [msgspec.json.decode(line) for line in lines if line.startswith("{")]
        return [f"{event['event']}: {event.get('exception', '')[-200:]}" for event in events if event["event"] in _BUGS]

    def log_size(self) -> int:
        return self.log.stat().st_size

    def change(self, statement: str, **values: str) -> None:
        """Change rows of the product behind its back."""
        with self.tables.begin() as connection:
            connection.execute(text(statement), values)

    def zones(self) -> list[dict[str, Any]]:
        zones: list[dict[str, Any]] = self.world.controls.get("/_sandbox/state").raise_for_status().json()["zones"]
        return zones

    def _domains(self, client: ApiClient, name: str) -> list[dict[str, Any]]:
        domains = client.get("/api/domains").raise_for_status().json()["domains"]
        return [domain for domain in domains if domain["rootDomain"] == name]

    def _mailboxes(self, client: ApiClient, name: str) -> list[dict[str, Any]]:
        mailboxes = client.get("/api/mailboxes").raise_for_status().json()["mailboxes"]
        return [mailbox for mailbox in mailboxes if mailbox["address"].endswith(f".{name}")]

    def _messages(self, client: ApiClient, address: str) -> int:
        messages = client.get("/api/messages").raise_for_status().json()["messages"]
        return len([message for message in messages if message["mailboxAddress"] == address])

    def _column(self, query: str, **values: str) -> list[str]:
        with self.tables.connect() as connection:
            return list(connection.execute(text(query), values).scalars())


@contextmanager
def a_site(folder: Path, database_url: str) -> Iterator[Site]:
    """A server on the empty database at *database_url*, beside a pretend Cloudflare as new."""
    log = folder / "server.log"
    is_sqlite = database_url.startswith("sqlite")
    driver: dict[str, Any] = {"module": sqlite_driver()} if is_sqlite else {}
    tables = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"), **driver)
    with a_world(folder, DATABASE_URL=database_url, **_QUICK) as world:
        world.environment["SANDBOX_URL"], world.environment["LOG_FILE"] = world.cloudflare.url, str(log)
        server = FaultyServer(world.environment)
        site = Site(world, server, tables, log)
        try:
            yield site
        finally:
            site.server.close()
            tables.dispose()
