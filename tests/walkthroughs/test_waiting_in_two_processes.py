"""An agent waits at one process, its mail arrives at another."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.api.event_stream import following
from tests.builders import an_email
from tests.handing_over import signed
from tests.servers import a_world


def test_a_mail_at_one_process_wakes_who_waits_at_another(tmp_path: Path, postgres_url: str) -> None:
    with (
        a_world(tmp_path, DATABASE_URL=postgres_url) as world,
        world.product() as here,
        world.product() as there,
        ThreadPoolExecutor(1) as threads,
    ):
        here.active_domain("customer.com")
        mailbox = here.admin.post("/api/mailboxes", json={}).json()
        raw = an_email(mailbox["address"])
        with following(here.admin) as events:
            next(events)
            waiting = threads.submit(here.admin.get, f"/api/mailboxes/{mailbox['id']}/wait?timeout=60")

            stored = httpx.post(f"{there.url}/api/inbound", content=raw, headers=signed(mailbox["address"], raw))
            told = next(events)

        assert waiting.result().json()["message"]["id"] == stored.json()["messageId"]
        assert told[2]["id"] == stored.json()["messageId"]
        assert there.admin.get(f"/api/messages/wait?since={mailbox['cursor']}").json()["message"]["verification"]
