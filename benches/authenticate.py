"""What it costs to know who asks: CPU of the server for a request that proves it, less that of one that need not."""

import os
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.servers import ADMIN_KEY, UNLIMITED, Product, a_world

_ASKED = 1000
_ROUNDS = 7
_TICK = os.sysconf("SC_CLK_TCK")
# Each route does as good as nothing besides.
_OPEN = "/api/version"
_PROVED = "/api/auth/session"


def measured(folder: Path) -> dict[str, float]:
    """Milliseconds of CPU a request by how it proves who asks, the best of the rounds, which take turns."""
    with ExitStack() as stack:
        world = stack.enter_context(a_world(folder, EMAIL_ROUTING_MANAGEMENT_ENABLED="false"))
        product = stack.enter_context(world.product(**UNLIMITED))
        nobody, holder, browser = (stack.enter_context(httpx.Client(base_url=product.url)) for _ in range(3))
        holder.headers["authorization"] = f"Bearer {ADMIN_KEY}"
        browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY}).raise_for_status()
        asked = {"open route": (nobody, _OPEN), "API key": (holder, _PROVED), "cookie": (browser, _PROVED)}
        rounds = [{what: _cpu(product, client, path) for what, (client, path) in asked.items()} for _ in range(_ROUNDS)]
    best = {what: min(each[what] for each in rounds) for what in asked}
    return {what: cost if what == "open route" else cost - best["open route"] for what, cost in best.items()}


def report(folder: Path) -> None:
    """Measure, and print the table."""
    print(f"\nauthentication: CPU of the server a request, {_ROUNDS} rounds of {_ASKED} requests, the best")
    for what, milliseconds in measured(folder).items():
        print(f"  {what:12} {milliseconds:6.3f} ms{'' if what == 'open route' else ' more'}")


def _cpu(product: Product, client: httpx.Client, path: str) -> float:
    before = _used(product.process.popen.pid)
    for _ in range(_ASKED):
        client.get(path).raise_for_status()
    return (_used(product.process.popen.pid) - before) / _ASKED * 1000


def _used(pid: int) -> float:
    """User and system time of a process and its threads, in seconds (proc(5), /proc/pid/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK
