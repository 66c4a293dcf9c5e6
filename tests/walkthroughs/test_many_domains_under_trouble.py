"""Three processes on PostgreSQL, many domains at once, Cloudflare in trouble: all stand, nothing twice, in step."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from time import monotonic

from tests.api_client import ApiClient
from tests.servers import Product, World, a_world

DOMAINS = int(os.environ.get("KAISOUMAIL_CHAOS_DOMAINS", "40"))  # `make chaos` takes 200
BUDGET = 9000  # in five minutes: 30 a second, so that the test need not take as long as the real thing
PER_SECOND = BUDGET / 300
BURST = PER_SECOND * 5


def _trouble(world: World) -> None:
    """Every so often a call is refused for a second, breaks, or its answer is lost after it had its effect."""
    for fault in (
        {"status": 500, "code": 1052, "message": "An error has occurred", "times": 12},
        {"drop": "after", "times": 12},
        {"status": 429, "code": 971, "retryAfter": 1, "times": 4},
    ):
        for method, path in (("POST", "/zones"), ("POST", "/zones/*/email/routing/enable"), ("GET", "/zones/*")):
            body = {"match": {"method": method, "path": path}, **fault}
            world.controls.post("/_sandbox/faults", json=body).raise_for_status()


def _bound(client: ApiClient, name: str) -> None:
    """Bind until it stands: an operator who is told to come back does."""
    deadline = monotonic() + 240
    while client.post("/api/domains/bind", json={"mailDomain": name}).status_code not in (200, 201, 409):
        assert monotonic() < deadline, f"{name} could not be bound"


def _most_in_a_window(times: list[float], seconds: float) -> int:
    most, start = 0, 0
    for end, at in enumerate(times):
        while at - times[start] >= seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


def test_all_stand_nothing_is_made_twice_and_the_pace_is_kept(tmp_path: Path, postgres_url: str) -> None:
    names = [f"customer-{number}.com" for number in range(DOMAINS)]
    settings = {"DATABASE_URL": postgres_url, "CLOUDFLARE_REQUEST_BUDGET": str(BUDGET)}
    with a_world(tmp_path, **settings) as world, ExitStack() as stack:
        products: list[Product] = [stack.enter_context(world.product()) for _ in range(3)]
        _trouble(world)
        with ThreadPoolExecutor(24) as pool:
            list(pool.map(lambda n: _bound(products[n % 3].admin, names[n]), range(DOMAINS)))

        calls = world.controls.get("/_sandbox/requests").json()["requests"]
        rows = products[0].admin.get("/api/domains").json()["domains"]

        assert sorted(row["rootDomain"] for row in rows) == sorted(names)
        assert all(row["status"] in ("active", "provisioning_error") and row["zoneId"] for row in rows)
        made = Counter(
            call["body"]["name"]
            for call in calls
            if (call["method"], call["path"], call["status"]) == ("POST", "/zones", 200)
        )
        assert max(made.values()) == 1
        times = sorted(datetime.fromisoformat(call["time"]).timestamp() for call in calls)
        for seconds in (1, 5, 20):
            allowed = PER_SECOND * seconds + BURST
            assert _most_in_a_window(times, seconds) <= allowed + PER_SECOND, f"too many in {seconds} s"
