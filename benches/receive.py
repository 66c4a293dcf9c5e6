"""
Mail in, beside its peers in one run: durable, parsed, code extracted and listed before the answer.

Every connection is kept open and has one mail after the other; the load runs in a process of its own on
the same machine. "Postfix" counts until the mail is in the Maildir, which is when a reader sees it.
"""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benches.load import ADDRESS
from benches.peers import aiosmtpd_sink, has_postfix, postfix
from benches.table import Row, show
from tests.ports import reserved_port
from tests.servers import Product, a_world

CONNECTIONS = 16
SMALL, LARGE, HUGE = 5_000, 1_000_000, 25_000_000


@dataclass(frozen=True)
class Memory:
    """Resident bytes of the product's process and its readers together."""

    when: str
    resident: int


def measured(folder: Path, mails: int = 8_000) -> tuple[list[Row], list[Memory]]:
    """Ours with SQLite, then the peers."""
    rows: list[Row] = []
    memory: list[Memory] = []
    smtp_port = reserved_port()
    with a_world(folder / "ours", SMTP_PORT=str(smtp_port)) as world, world.product() as product:
        product.active_domain("customer.com")
        made = {"localPart": "ada", "subdomain": "mail", "expiresInMinutes": None}
        product.admin.post("/api/mailboxes", json=made).raise_for_status()
        memory.append(_memory("idle", product))
        http_port = int(product.url.rsplit(":", 1)[1])
        rows.append(_row("KaisouMail, SMTP, 5 KB", "smtp", smtp_port, mails, SMALL))
        rows.append(_row("KaisouMail, hand-over, 5 KB", "webhook", http_port, mails, SMALL))
        rows.append(_row("KaisouMail, SMTP, 1 MB", "smtp", smtp_port, mails // 20, LARGE))
        memory.append(_memory(f"after {sum(row.count for row in rows):,} mails", product))
        _load("smtp", smtp_port, 8, 8, HUGE)
        memory.append(_memory("highest, with 8 mails of 25 MB at once", product, "VmHWM"))
        _check_all_kept(product, sum(row.connections + row.count for row in rows) + 16)
    if has_postfix():
        with postfix(folder / "postfix") as peer:
            for size, count in ((SMALL, mails), (LARGE, mails // 20)):
                before = peer.delivered()
                told = _load("smtp", peer.port, CONNECTIONS, count, size)
                peer.wait_for(before + CONNECTIONS + count)
                seconds = time.perf_counter() - told["began"]
                what = f"Postfix to Maildir, {_said(size)}"
                rows.append(Row(what, CONNECTIONS, count, count / seconds, told["p50"], told["p99"]))
    with aiosmtpd_sink() as sink:
        for size, count in ((SMALL, mails), (LARGE, mails // 20)):
            rows.append(_row(f"aiosmtpd, stores nothing, {_said(size)}", "smtp", sink.port, count, size))
    return rows, memory


def report(folder: Path) -> None:
    """Measure, and print the tables."""
    rows, memory = measured(folder)
    show("mail in", rows)
    if not has_postfix():
        print("Postfix is left out: it needs root and Debian's package `postfix`.")
    for seen in memory:
        print(f"memory {seen.when:40} {seen.resident / 2**20:6.0f} MB")


def _row(what: str, door: str, port: int, count: int, size: int) -> Row:
    told = _load(door, port, CONNECTIONS, count, size)
    return Row(what, CONNECTIONS, count, count / told["seconds"], told["p50"], told["p99"])


def _load(door: str, port: int, connections: int, count: int, size: int) -> dict[str, float]:
    words = [sys.executable, "-m", "benches.load", door, str(port), str(connections), str(count), str(size)]
    told: dict[str, float] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return told


def _memory(when: str, product: Product, field: str = "VmRSS") -> Memory:
    pid = product.process.popen.pid
    readers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return Memory(when, sum(_resident(each, field) for each in (str(pid), *readers)))


def _resident(pid: str, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith(f"{field}:")]
    return int(line.split()[1]) * 1024


def _check_all_kept(product: Product, count: int) -> None:
    kept = len(product.admin.get("/api/messages", params={"mailbox": ADDRESS}).json()["messages"])
    assert kept == count, f"{kept} of {count} mails were kept"


def _said(size: int) -> str:
    return f"{size // 1_000_000} MB" if size >= 1_000_000 else f"{size // 1000} KB"
