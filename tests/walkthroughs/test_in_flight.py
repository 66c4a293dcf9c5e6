"""
Jobs are in flight in three processes, PostgreSQL goes away and one process is killed: everything ends as wanted.

The size that fits a suite; `make in-flight` runs 50 binds and 200 mailboxes with PostgreSQL gone for 20 s.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Final

import httpx
import psycopg
import pytest

from tests.polling import poll
from tests.postgres_server import PostgresServer
from tests.servers import ADMIN_KEY, Product, World, a_world

IS_LONG: Final = "KAISOUMAIL_IN_FLIGHT" in os.environ
BINDS, MAILBOXES, GONE_SECONDS = (50, 200, 20.0) if IS_LONG else (6, 18, 2.0)
MOST_SECONDS: Final = 600.0  # for everything to have ended by itself


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


def _asked(product: Product, path: str, body: dict[str, Any]) -> int:
    """The status of the answer; 0 for none, as from a process that was killed."""
    try:
        with httpx.Client(base_url=product.url, timeout=120) as client:
            return client.post(path, json=body, headers={"Authorization": f"Bearer {ADMIN_KEY}"}).status_code
    except httpx.HTTPError:
        return 0


def _at_cloudflare(world: World) -> tuple[list[str], list[str]]:
    """The names of all zones, and the addresses of all rules."""
    headers = {"Authorization": f"Bearer {world.environment['CLOUDFLARE_API_TOKEN']}"}
    names, addresses = [], []
    with httpx.Client(headers=headers, timeout=60) as client:
        zones = client.get(f"{world.api_url}/zones", params={"per_page": 50}).json()["result"]
        zones += client.get(f"{world.api_url}/zones", params={"per_page": 50, "page": 2}).json()["result"]
        for zone in zones:
            names.append(zone["name"])
            for page in range(1, 2 + MAILBOXES // 50):
                url = f"{world.api_url}/zones/{zone['id']}/email/routing/rules"
                rules = client.get(url, params={"per_page": 50, "page": page}).json()["result"]
                addresses += [
                    rule["matchers"][0]["value"] for rule in rules if rule["matchers"][0]["type"] == "literal"
                ]
    return sorted(names), sorted(addresses)


def _rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def _wait_until_all_has_ended(url: str) -> None:
    deadline = monotonic() + MOST_SECONDS
    pause = Event()
    while left := _rows(url, "SELECT job, key, attempt FROM runs WHERE ended_at IS NULL"):
        assert monotonic() < deadline, left
        pause.wait(0.2)


def test_l10_all_that_was_in_flight_ends_without_a_hand(tmp_path: Path, postgres: PostgresServer) -> None:
    settings = {
        "DATABASE_URL": postgres.url,
        "PROCESS_DEAD_AFTER_SECONDS": "3",
        "CLOUDFLARE_REQUEST_BUDGET": "60000",
    }
    with ExitStack() as stack:
        world = stack.enter_context(a_world(tmp_path, **settings))
        products = [stack.enter_context(world.product()) for _ in range(3)]
        products[0].active_domain("kept.com")
        slow = {"match": {}, "times": -1, "delayMs": 400}
        world.controls.post("/_sandbox/faults", json=slow).raise_for_status()
        asked = [("/api/domains/bind", {"mailDomain": f"bound{number}.com"}) for number in range(BINDS)]
        asked += [
            ("/api/mailboxes", {"localPart": f"m{number}", "subdomain": f"s{number % 10}", "rootDomain": "kept.com"})
            for number in range(MAILBOXES)
        ]
        threads = stack.enter_context(ThreadPoolExecutor(len(asked)))
        answers = [
            threads.submit(_asked, products[number % 3], path, body) for number, (path, body) in enumerate(asked)
        ]
        under_way = "SELECT id FROM runs WHERE ended_at IS NULL"
        poll(lambda: len(_rows(postgres.url, under_way)), lambda count: count >= len(asked) // 4)
        postgres.stop()
        products[2].process.kill()
        Event().wait(GONE_SECONDS)
        postgres.start()
        statuses = [answer.result() for answer in answers]
        _wait_until_all_has_ended(postgres.url)
        world.controls.delete("/_sandbox/faults").raise_for_status()

        mailboxes = _rows(postgres.url, "SELECT address, status FROM mailboxes WHERE status <> 'destroyed'")
        domains = _rows(postgres.url, "SELECT root_domain, binding_source FROM domains WHERE zone_id IS NOT NULL")
        zones, rules = _at_cloudflare(world)
        assert 500 not in statuses, sorted(statuses)
        assert {status for _, status in mailboxes} <= {"active"}
        assert rules == sorted(address for address, _ in mailboxes)
        assert zones == sorted(name for name, _ in domains)
        assert {source for _, source in domains} == {"project_bind"}
        assert len(mailboxes) >= statuses[BINDS:].count(201)
        assert len(domains) > statuses[:BINDS].count(201)
