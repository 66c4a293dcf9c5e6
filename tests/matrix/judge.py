"""One cell: a job under a fault, and what came of it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from threading import Event
from time import monotonic
from typing import Final

import httpx

from tests.api_client import ApiClient
from tests.matrix.cells import COOLING_DOWN, REVOKED, TWO_AT_ONCE, Fault
from tests.matrix.scenarios import SCENARIOS, Request
from tests.matrix.site import SETTLING_SECONDS, FaultyServer, Seen, Site

SAME: Final = "the same end"
BY_RETRY: Final = "by Retry"
_numbers: Final = count(1)


@dataclass
class Cell:
    """
    What came of *job* under *fault*. It passed where nothing is complained of.

    *points* are those that were passed until the answer, and *answers* what was answered, in order.
    """

    job: str
    fault: Fault
    outcome: str = ""
    seconds: float = 0.0
    points: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def internal_errors(self) -> list[str]:
        return [answer for answer in self.answers if answer.startswith("500")]

    def complaints(self) -> list[str]:
        groups = {
            "orphan": self.orphans,
            "double": self.doubles,
            "answered 500": self.internal_errors,
            "stuck": self.stuck,
            "bug": self.bugs,
            "wrong": self.other,
        }
        return [f"{group}: {', '.join(found)}" for group, found in groups.items() if found]


def run_cell(site: Site, job: str, fault: Fault) -> Cell:
    """*job* once, about a domain of its own, under *fault*; afterwards the server is well again, or a new one."""
    cell, name = Cell(job, fault), f"cell-{next(_numbers)}.com"
    try:
        site.forget_faults()
        with site.client() as client:
            _wait_for_cloudflare(client)
            asked = SCENARIOS[job].prepare(site, client, name)
            site.settle()
            if fault is COOLING_DOWN:
                _cool_down(site, client)
        _refuse(site, job)
        log, began = site.log_size(), monotonic()
        site.server.suffer(fault.trouble)
        _ask(site, cell, asked)
        if not fault.kills:
            cell.points = site.server.points()
            if fault.trouble is not None and fault.point not in cell.points:
                cell.other.append("the point was not passed")
        _heal(site, cell)
        _come_to_the_end(site, cell, name, asked)
        cell.seconds = monotonic() - began
        cell.bugs += site.bugs(log)
    except (AssertionError, httpx.HTTPError, OSError) as wrong:
        cell.other.append(f"{type(wrong).__name__}: {str(wrong).partition(chr(10))[0]}")
    return cell


def _wait_for_cloudflare(client: ApiClient) -> None:
    """The cooldown of an earlier cell may still run."""
    deadline = monotonic() + SETTLING_SECONDS
    while True:
        answer = client.get("/api/domains/catalog")
        if answer.is_success and answer.json()["cloudflareSync"]["status"] == "live":
            return
        assert monotonic() < deadline, "the cooldown does not end"
        Event().wait(0.1)


def _refuse(site: Site, job: str) -> None:
    """What Cloudflare refuses in this scenario, trouble or not."""
    if refusal := SCENARIOS[job].refusal:
        match = dict(zip(("method", "path"), refusal, strict=True))
        site.control("/_sandbox/faults", {"match": match, "status": 403, "code": 10000, "times": -1})


def _cool_down(site: Site, client: ApiClient) -> None:
    fault = {"match": {"method": "GET", "path": "/zones"}, "status": 429, "code": 971, "retryAfter": 2}
    site.control("/_sandbox/faults", fault)
    client.get("/api/domains/catalog").raise_for_status()


def _ask(site: Site, cell: Cell, asked: Request) -> None:
    with ExitStack() as stack:
        servers = [site.server]
        if cell.fault is TWO_AT_ONCE:
            is_shared = site.world.environment["DATABASE_URL"].startswith("postgresql")
            servers += [stack.enter_context(site.another_server()) if is_shared else site.server] * 3
        with ThreadPoolExecutor(len(servers)) as threads:
            list(threads.map(lambda server: _answered(site, cell, asked, server), servers))


def _answered(site: Site, cell: Cell, asked: Request, server: FaultyServer) -> httpx.Response | None:
    try:
        with site.client(server) as client:
            answer = asked.sent(client)
    except httpx.TimeoutException:
        cell.stuck.append(f"{asked.method} {asked.path} was not answered")
    except httpx.HTTPError as lost:
        cell.answers.append(type(lost).__name__)
        if not cell.fault.kills:
            cell.other.append(f"no answer: {type(lost).__name__}")
    else:
        told = answer.json() if answer.content else {}
        code = told["details"]["code"] if answer.is_error else ""
        cell.answers.append(f"{answer.status_code} {code}".strip())
        return answer
    return None


def _heal(site: Site, cell: Cell) -> None:
    """The trouble is over: another process, another token, or a Cloudflare that is well."""
    if cell.fault.kills:
        if not site.server.has_died():
            cell.other.append("the server lives")
        site.restart()
    elif not site.server.is_alive:
        cell.other.append("the server died")
        site.restart()
    elif cell.fault.lasts_until_restart:
        site.restart()
    elif cell.fault.trouble is not None and cell.fault.trouble.seconds:
        _wait_for_the_database(site)
    site.forget_faults()
    _refuse(site, cell.job)
    if cell.fault.kind == REVOKED:
        site.renew_token()


def _wait_for_the_database(site: Site) -> None:
    deadline = monotonic() + SETTLING_SECONDS
    with site.client() as client:
        while (status := client.get("/api/domains").status_code) != 200:
            assert status == 503, f"while it cannot be read: {status}"
            assert monotonic() < deadline, "it cannot be read any more"
            Event().wait(0.1)


def _come_to_the_end(site: Site, cell: Cell, name: str, asked: Request) -> None:
    scenario = SCENARIOS[cell.job]
    cell.stuck += site.settle()
    with site.client() as client:
        seen = site.seen(client, name)
        cell.outcome = SAME if scenario.is_at_its_end(seen) else BY_RETRY
        cell.orphans += site.orphans(client, are_noted_known=True)
        cell.doubles += site.doubles(name)
        deadline = monotonic() + SETTLING_SECONDS
        while not scenario.is_at_its_end(seen) and not cell.stuck and monotonic() < deadline:
            Event().wait(0.2)
            _answered(site, cell, scenario.again(client, name, asked), site.server)
            cell.stuck += site.settle()
            seen = site.seen(client, name)
        if not scenario.is_at_its_end(seen) and not cell.stuck:
            cell.stuck.append(_difference(seen, scenario.end))
        cell.orphans += site.orphans(client, are_noted_known=False)
        cell.doubles += site.doubles(name)


def _difference(seen: Seen, end: Seen) -> str:
    return f"it is {seen}, and should be {end}"
