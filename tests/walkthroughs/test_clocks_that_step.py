"""Somebody sets a machine's clock while the product runs: what was let in is let in, what was refused stays refused."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.event_stream import following
from tests.api_client import ApiClient
from tests.servers import ADMIN_KEY, UNLIMITED, World, a_world
from tests.stepped_wall_clock import set_off

HOUR, DAY = 3600, 86_400
Step = Callable[[float], None]


@contextmanager
def stepping(world: World, name: str, off_by: float = 0, **environment: str) -> Iterator[tuple[ApiClient, Step]]:
    """The product as its admin sees it, in a process whose wall clock is off by as many seconds as it is told."""
    file = world.folder / name
    set_off(file, off_by)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stepped_wall_clock", str(file), "serve"],
        env={**os.environ, **world.environment, "PYTHONUNBUFFERED": "1", **environment},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = next(filter(None, (re.search(r"ready (http://\S+)", line) for line in process.stdout)))
        with ApiClient(ready.group(1), ADMIN_KEY) as admin:
            yield admin, lambda seconds: set_off(file, seconds)
    finally:
        process.kill()
        process.communicate()


def test_i8_a_step_of_the_wall_clock_refuses_nobody_and_lets_in_nobody_who_was_refused(
    tmp_path: Path, database_url: str
) -> None:
    with (
        a_world(tmp_path, DATABASE_URL=database_url, RATE_LIMIT_SIGN_IN_MINUTE="1") as world,
        stepping(world, "clock") as (admin, step),
        ApiClient(str(admin.base_url)) as stranger,
    ):

        def asked() -> list[int]:
            wrong = stranger.post("/api/auth/session", json={"apiKey": "cfm_wrong-key-of-nobody-01234567"})
            return [admin.get("/api/mailboxes").status_code, stranger.get("/api/meta").status_code, wrong.status_code]

        before = [asked() for _ in range(2)]
        after = []
        for seconds in (-HOUR, -DAY, DAY, 0):
            step(seconds)
            after.append(asked())

        assert before == [[200, 200, 401], [200, 200, 429]]
        assert after == [[200, 200, 429]] * 4


def test_a_waiting_domain_is_noticed_when_the_wall_clock_steps(tmp_path: Path, database_url: str) -> None:
    with (
        ThreadPoolExecutor(1) as threads,
        a_world(tmp_path, DATABASE_URL=database_url, **UNLIMITED) as world,
        stepping(world, "clock") as (admin, step),
        following(admin) as events,
    ):
        statuses = []
        for name, seconds in (("earlier.com", -DAY), ("later.com", DAY)):
            domain = admin.post("/api/domains/bind", json={"mailDomain": name}).json()
            step(seconds)
            world.delegate(name)
            while domain["status"] != "active":
                threads.submit(next, events).result(timeout=60)
                domain = next(one for one in admin.get("/api/domains").json()["domains"] if one["id"] == domain["id"])
            statuses.append(domain["status"])

        assert statuses == ["active", "active"]


@pytest.mark.parametrize("off_by", [20, DAY, -DAY])
def test_k7_a_process_whose_clock_is_off_makes_nobody_wait(tmp_path: Path, postgres_url: str, off_by: float) -> None:
    with (
        a_world(tmp_path, DATABASE_URL=postgres_url) as world,
        stepping(world, "off", off_by) as (off, _),
        world.product() as right,
    ):
        asked = [each.get("/api/domains/catalog").json() for each in (off, right.admin, off, right.admin)]

        assert [answer["cloudflareSync"]["status"] for answer in asked] == ["live"] * 4
