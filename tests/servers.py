"""The real thing in processes of its own: the product, and the pretend Cloudflare beside it."""

import atexit
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.api_client import ApiClient
from tests.forked import Forked
from tests.migrated import put_sqlite

ADMIN_KEY = "cfm_test-admin-key-0123456789"
INBOUND_SECRET = "an-inbound-secret-of-enough-characters"
WORKER = "kaisoumail-inbound"
PERMISSIONS = ["Zone Write", "Zone Settings Write", "Email Routing Rules Write", "DNS Write"]
UNLIMITED = {  # for whoever asks more than a person would: a whole suite of odd requests, a benchmark
    "RATE_LIMIT_PER_CREDENTIAL_MINUTE": "0",
    "RATE_LIMIT_PER_USER_MINUTE": "0",
    "RATE_LIMIT_PER_ADDRESS_MINUTE": "0",
    "RATE_LIMIT_SIGN_IN_MINUTE": "0",
    "QUOTA_MESSAGES_PER_MAILBOX": "0",
    "QUOTA_STORED_PER_USER_BYTES": "0",
}
_READY = re.compile(r"ready (http://\S+)")


@dataclass
class Process:
    """A `kaisoumail` command that said it is ready; *lines* is what it printed before that."""

    popen: Forked
    url: str
    lines: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody says goodbye."""
        self.popen.kill()
        self.popen.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(timeout=30)
        finally:
            self.popen.kill()

    def close(self) -> None:
        self.popen.close()


def command(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """What `kaisoumail …` printed and how it ended."""
    with Forked("kaisoumail", *arguments, environment=_environment(environment), keeps_stderr=True) as process:
        said, complained = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.wait(), said, complained)


def start(*arguments: str, **environment: str) -> Process:
    """A running `kaisoumail …`, once it is ready. Raises AssertionError with its words if it ends instead."""
    process = Process(Forked("kaisoumail", *arguments, environment=_environment(environment)), "")
    for line in process.popen.stdout:
        process.lines.append(line.rstrip("\n"))
        ready = _READY.search(line)
        if ready:
            process.url = ready.group(1)
            return process
    process.close()
    raise AssertionError(f"kaisoumail {' '.join(arguments)} ended: {process.lines}")


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", **given}


@dataclass
class World:
    """A pretend Cloudflare, and what it takes to run the product against it."""

    cloudflare: Process
    folder: Path
    environment: dict[str, str]
    controls: httpx.Client
    api_url: str
    account_id: str
    mx_port: int

    @contextmanager
    def product(self, **environment: str) -> Iterator["Product"]:
        """The product running against this Cloudflare; *environment* overrides."""
        process = start("serve", **{**self.environment, **environment})
        try:
            with ApiClient(process.url, ADMIN_KEY) as admin:
                target = {"target": f"{process.url}/api/inbound", "secret": INBOUND_SECRET}
                self.controls.put(f"/_sandbox/workers/{WORKER}", json=target).raise_for_status()
                yield Product(process, admin, self)
        finally:
            process.close()

    def delegate(self, name: str) -> None:
        """Set the assigned name servers at the (pretend) registrar."""
        self.controls.post(f"/_sandbox/zones/{name}/delegate").raise_for_status()

    def requests(self, method: str | None = None) -> list[str]:
        """The calls Cloudflare received, as `METHOD /path`, in order."""
        received: list[dict[str, Any]] = _rows(self.controls.get("/_sandbox/requests").raise_for_status().json())
        return [f"{call['method']} {call['path']}" for call in received if method in (None, call["method"])]


def _rows(answer: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = answer["requests"] if isinstance(answer, dict) else answer
    return rows


@dataclass
class Product:
    """A running product; *admin* asks as its first admin."""

    process: Process
    admin: ApiClient
    world: World

    @property
    def url(self) -> str:
        return self.process.url

    def client(self, key: str | None = None) -> ApiClient:
        return ApiClient(self.url, key)

    def active_domain(self, name: str) -> dict[str, Any]:
        """A domain bound, delegated and retried, by the same calls an operator makes."""
        bound = self.admin.post("/api/domains/bind", json={"mailDomain": name}).json()
        self.world.delegate(name)
        domain: dict[str, Any] = self.admin.post(f"/api/domains/{bound['id']}/retry").json()
        assert domain["status"] == "active", domain
        return domain

    def add_member(self, name: str) -> str:
        """The API key of a new member, made on the command line."""
        made = command("users", "add", f"{name}@people.example", "--name", name, **self.world.environment)
        assert made.returncode == 0, made.stderr
        return made.stdout.splitlines()[-1]


_idle: list[Process] = []  # pretend Cloudflares of earlier worlds: starting one costs a second, a reset nothing


def _a_cloudflare() -> Process:
    while _idle:
        cloudflare = _idle.pop()
        if cloudflare.popen.poll() is None:
            return cloudflare
        cloudflare.close()
    return start("sandbox", "--port", "0", "--smtp-port", "0")


@atexit.register
def _close_the_idle() -> None:
    for cloudflare in _idle:
        cloudflare.close()


@contextmanager
def a_world(folder: Path, **environment: str) -> Iterator[World]:
    """A pretend Cloudflare in a process of its own, as new, with a token that has every permission needed."""
    cloudflare = _a_cloudflare()
    if not {"DATA_DIR", "DATABASE_URL"} & environment.keys():
        (folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
        put_sqlite(folder / "data" / "kaisoumail.db")
    try:
        with httpx.Client(base_url=cloudflare.url, timeout=60) as controls:
            controls.post("/_sandbox/reset").raise_for_status()
            words = {line[:16].strip(): line[16:].strip() for line in cloudflare.lines}
            token = {"kind": "user", "permissions": PERMISSIONS, "zones": "all"}
            minted = controls.post("/_sandbox/tokens", json=token).raise_for_status().json()["token"]
            account_id, api_url = words["account id"], words["Cloudflare API"]
            yield World(
                cloudflare=cloudflare,
                folder=folder,
                environment={
                    "SESSION_SECRET": "a-session-secret-for-tests",
                    "PORT": "0",
                    "SMTP_PORT": "0",
                    "DATA_DIR": str(folder / "data"),
                    "INBOUND_SECRET": INBOUND_SECRET,
                    "EMAIL_ROUTING_MANAGEMENT_ENABLED": "true",
                    "CLOUDFLARE_API_BASE_URL": api_url,
                    "CLOUDFLARE_API_TOKEN": minted,
                    "CLOUDFLARE_ACCOUNT_ID": account_id,
                    "EMAIL_WORKER_NAME": WORKER,
                    "BOOTSTRAP_ADMIN_EMAIL": "root@people.example",
                    "BOOTSTRAP_ADMIN_NAME": "Root",
                    "BOOTSTRAP_ADMIN_API_KEY": ADMIN_KEY,
                    **environment,
                },
                controls=controls,
                api_url=api_url,
                account_id=account_id,
                mx_port=int(words["mail server"].rsplit(":", 1)[1]),
            )
    finally:
        _idle.append(cloudflare)
