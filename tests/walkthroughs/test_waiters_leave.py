"""Whoever waits costs nothing that outlives them, and holds nobody up: neither a hang-up nor the end of the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from kaisoumail.server.run import Running, running
from kaisoumail.settings import settings_from
from kaisoumail.storage.tables import domains, mailboxes, users
from tests.builders import DEMO, a_mailbox, an_email
from tests.handing_over import signed
from tests.people import ADA
from tests.polling import PATIENCE_SECONDS
from tests.servers import ADMIN_KEY, INBOUND_SECRET

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")  # of 3.0
MAILBOX = a_mailbox(expires_at=None)
WAIT = f"/api/mailboxes/{MAILBOX.id}/wait"


@asynccontextmanager
async def _product(folder: Path, database_url: str) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    """The whole product in this process, so that one can count who waits, and a client of any number of connections."""
    settings = settings_from(
        {
            "SESSION_SECRET": "a-session-secret-for-tests",
            "PORT": "0",
            "SMTP_PORT": "0",
            "DATA_DIR": str(folder),
            "DATABASE_URL": database_url,
            "INBOUND_SECRET": INBOUND_SECRET,
            "BOOTSTRAP_ADMIN_EMAIL": "root@people.example",
            "BOOTSTRAP_ADMIN_NAME": "Root",
            "BOOTSTRAP_ADMIN_API_KEY": ADMIN_KEY,
        }
    )
    every = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=every) as client, running(settings) as server:
        await server.context.database.write(lambda c: users.add(c, ADA.user))
        await server.context.database.write(lambda c: domains.save(c, DEMO))
        await server.context.database.write(lambda c: mailboxes.add(c, MAILBOX))
        client.base_url = httpx.URL(f"http://127.0.0.1:{server.http_port}")
        client.headers["authorization"] = f"Bearer {ADMIN_KEY}"
        yield server, client


async def _until_waiting(server: Running, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while server.context.stores.signals.waiting != count:  # noqa: ASYNC110 - a test's question, not the product's event
            await asyncio.sleep(0)


async def _send(client: httpx.AsyncClient) -> str:
    raw = an_email()
    answer = await client.post("/api/inbound", content=raw, headers=signed(str(MAILBOX.address), raw))
    message_id: str = answer.raise_for_status().json()["messageId"]
    return message_id


def test_one_mail_wakes_all_who_wait_for_it_and_then_nobody_listens(tmp_path: Path, database_url: str) -> None:
    async def story() -> tuple[str, set[str], int]:
        async with _product(tmp_path, database_url) as (server, client):
            waiting = [asyncio.create_task(client.get(WAIT, params={"timeout": "60"})) for _ in range(50)]
            await _until_waiting(server, 50)
            sent = await _send(client)
            heard = {answer.json()["message"]["id"] for answer in await asyncio.gather(*waiting)}
            return sent, heard, server.context.stores.signals.waiting

    sent, heard, still_listening = asyncio.run(story())

    assert heard == {sent}
    assert still_listening == 0


def test_who_waits_with_a_key_that_is_revoked_meanwhile_is_told_nothing(tmp_path: Path, database_url: str) -> None:
    async def story() -> httpx.Response:
        async with _product(tmp_path, database_url) as (server, client):
            key = (await client.post("/api/api-keys", json={"name": "K", "scopes": ["messages:read"]})).json()
            headers = {"authorization": f"Bearer {key['apiKey']}"}
            waiting = asyncio.create_task(client.get(WAIT, params={"timeout": "60"}, headers=headers))
            await _until_waiting(server, 1)
            await client.post(f"/api/api-keys/{key['apiKeyRecord']['id']}/revoke")
            await _send(client)
            return await waiting

    answer = asyncio.run(story())

    assert (answer.status_code, answer.json()["details"]["code"]) == (401, "authentication_required")


def test_a_client_that_hangs_up_is_waited_for_no_longer(tmp_path: Path, database_url: str) -> None:
    async def story() -> None:
        async with _product(tmp_path, database_url) as (server, client):
            waiting = [asyncio.create_task(client.get(WAIT, params={"timeout": "60"})) for _ in range(20)]
            async with AsyncExitStack() as streams:
                for _ in range(20):
                    await streams.enter_async_context(client.stream("GET", "/api/events"))
                await _until_waiting(server, 40)
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

            await _until_waiting(server, 0)

    asyncio.run(story())


def test_when_the_process_stops_who_waits_is_sent_home_with_a_cursor_and_streams_end(
    tmp_path: Path, database_url: str
) -> None:
    async def story() -> tuple[list[httpx.Response], str]:
        async with AsyncExitStack() as stack:
            server, client = await stack.enter_async_context(_product(tmp_path, database_url))
            waiting = [asyncio.create_task(client.get(WAIT, params={"timeout": "60"})) for _ in range(50)]
            stream = asyncio.create_task(client.get("/api/events"))
            await _until_waiting(server, 51)
            stopping = asyncio.create_task(stack.pop_all().aclose())
            answers = await asyncio.gather(*waiting)
            followed = (await stream).text
            await stopping
            return answers, followed

    answers, followed = asyncio.run(story())

    assert {answer.status_code for answer in answers} == {204}
    assert all(answer.headers["x-kaisoumail-cursor"].startswith("c") for answer in answers)
    assert "event: ready" in followed


def test_a_reader_that_never_reads_does_not_keep_the_process_from_stopping(tmp_path: Path) -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            server, client = await stack.enter_async_context(_product(tmp_path, f"sqlite:///{tmp_path}/x.db"))
            reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port, limit=1024)
            request = f"GET /api/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_KEY}\r\n\r\n"
            writer.write(request.encode())
            await _until_waiting(server, 1)
            for _ in range(20):
                await _send(client)
            await stack.pop_all().aclose()
            writer.close()
            del reader

    asyncio.run(story())
