"""
A data folder of the release before there was a table of runs, with an open run of every job, is taken over.

`data/open_runs_of_schema_0008.zip` was left by commit 121dd4b: a `serve` that was killed while its pretend
Cloudflare, whose state is there as well, let five requests wait.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from tests.api_client import ApiClient
from tests.servers import ADMIN_KEY, INBOUND_SECRET, PERMISSIONS, UNLIMITED, WORKER, Process, start

LEFT = Path(__file__).parent / "data" / "open_runs_of_schema_0008.zip"


@contextmanager
def _cloudflare(folder: Path) -> Iterator[tuple[Process, httpx.Client, str, str]]:
    """The pretend Cloudflare as it was left, its API's address, and a client with a token for it."""
    process = start("sandbox", "--port", "0", "--smtp-port", "0", "--state-file", str(folder / "cloudflare.json"))
    try:
        words = {line[:16].strip(): line[16:].strip() for line in process.lines}
        wanted = {"kind": "user", "permissions": PERMISSIONS, "zones": "all"}
        token = httpx.post(f"{process.url}/_sandbox/tokens", json=wanted).raise_for_status().json()["token"]
        with httpx.Client(base_url=words["Cloudflare API"], headers={"Authorization": f"Bearer {token}"}) as client:
            yield process, client, token, words["account id"]
    finally:
        process.close()


def _environment(folder: Path, cloudflare: httpx.Client, token: str, account_id: str) -> dict[str, str]:
    return {
        "SESSION_SECRET": "a-session-secret-for-tests",
        "PORT": "0",
        "SMTP_PORT": "0",
        "DATA_DIR": str(folder / "data"),
        "INBOUND_SECRET": INBOUND_SECRET,
        "EMAIL_ROUTING_MANAGEMENT_ENABLED": "true",
        "CLOUDFLARE_API_BASE_URL": str(cloudflare.base_url).rstrip("/"),
        "CLOUDFLARE_API_TOKEN": token,
        "CLOUDFLARE_ACCOUNT_ID": account_id,
        "EMAIL_WORKER_NAME": WORKER,
        "PROCESS_DEAD_AFTER_SECONDS": "2",
        **UNLIMITED,
    }


def _names(cloudflare: httpx.Client) -> list[str]:
    return sorted(zone["name"] for zone in cloudflare.get("/zones").json()["result"])


def _rules(cloudflare: httpx.Client) -> list[str]:
    zones = cloudflare.get("/zones").json()["result"]
    rules = [cloudflare.get(f"/zones/{zone['id']}/email/routing/rules").json()["result"] for zone in zones]
    literal = [rule["matchers"][0].get("value") for of_zone in rules for rule in of_zone]
    return sorted(address for address in literal if address)


def _state(admin: ApiClient) -> dict[str, str]:
    """Of every name and address; a mailbox whose hour is long over was opened all the same."""
    rows: list[dict[str, Any]] = admin.get("/api/domains").json()["domains"]
    state = {row["rootDomain"]: row["status"] for row in rows}
    mailboxes = admin.get("/api/mailboxes").json()["mailboxes"]
    return state | {row["address"]: row["status"].replace("expired", "active") for row in mailboxes}


def test_open_runs_of_every_job_of_the_release_before_come_to_their_end(tmp_path: Path) -> None:
    with zipfile.ZipFile(LEFT) as left:
        left.extractall(tmp_path)
    wanted = {
        "kept.com": "active",
        "waiting.com": "active",
        "new.com": "provisioning_error",  # its name servers are not set
        "new@mail.kept.com": "active",
        "old@mail.kept.com": "destroyed",
    }
    with _cloudflare(tmp_path) as (_, cloudflare, token, account_id):
        before = _names(cloudflare), _rules(cloudflare)
        product = start("serve", **_environment(tmp_path, cloudflare, token, account_id))
        try:
            with ApiClient(product.url, ADMIN_KEY) as admin:
                deadline = monotonic() + 60
                while (state := _state(admin)) != wanted or "leaving.com" in _names(cloudflare):
                    assert monotonic() < deadline, state
                bound = {row["rootDomain"]: row["bindingSource"] for row in admin.get("/api/domains").json()["domains"]}
        finally:
            product.close()

        assert before == (["kept.com", "leaving.com", "waiting.com"], ["old@mail.kept.com"])
        assert _names(cloudflare) == ["kept.com", "new.com", "waiting.com"]
        assert _rules(cloudflare) == ["new@mail.kept.com"]
        assert bound["new.com"] == "project_bind"
