"""Starting, stopping, and what survives."""

import asyncio
import json
import socket
from pathlib import Path

import httpx
import pytest

import cloudflare_sandbox
from tests.cloudflare_sandbox.pretend import result, rule_for, running
from tests.ports import reserved_port


def test_a_restart_forgets_nothing_that_was_answered(tmp_path: Path) -> None:
    file = tmp_path / "below" / "cloudflare.json"
    with running(file) as cloudflare:
        path = cloudflare.routing_zone()
        rule = result(cloudflare.api.post(f"{path}/email/routing/rules", json=rule_for("ada@example.com")))
        wanted = result(cloudflare.api.get(f"{path}/email/routing/dns"))
        worker = {"target": "http://127.0.0.1:9/", "secret": "kept"}
        cloudflare.controls.put("/workers/inbound", json=worker).raise_for_status()
        token = cloudflare.token()

    with running(file) as cloudflare, cloudflare.client(token) as client:
        assert result(client.get(f"{path}/email/routing/rules/{rule['id']}")) == rule
        assert result(client.get(f"{path}/email/routing/dns")) == wanted
        assert cloudflare.controls.get("/state").json()["workers"] == {"inbound": "http://127.0.0.1:9/"}
    assert token not in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o077 == 0
    assert list(file.parent.iterdir()) == [file]


def test_reset_makes_everything_new(tmp_path: Path) -> None:
    file = tmp_path / "cloudflare.json"
    with running(file) as cloudflare:
        cloudflare.routing_zone()
        cloudflare.fault("*", "*", status=500)

        cloudflare.controls.post("/reset").raise_for_status()

        assert cloudflare.controls.get("/state").json()["zones"] == []
        assert cloudflare.received() == []
        with cloudflare.client(cloudflare.token()) as client:
            assert result(client.get("/zones")) == []
    assert json.loads(file.read_text(encoding="utf-8"))["zones"] == []


def test_a_file_that_holds_something_else_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "cloudflare.json"
    file.write_text("{", encoding="utf-8")

    with pytest.raises(OSError, match=r"cloudflare\.json"), running(file):
        pass


@pytest.mark.parametrize("which", ["port", "smtp_port"])
def test_a_busy_port_is_named_and_nothing_is_half_started(which: str) -> None:
    async def start(port: int, smtp_port: int) -> None:
        async with cloudflare_sandbox.running(port=port, smtp_port=smtp_port):
            raise AssertionError("it started")

    with socket.create_server(("127.0.0.1", 0)) as busy:
        port, free = busy.getsockname()[1], reserved_port()
        ports = (port, free) if which == "port" else (free, port)

        with pytest.raises(OSError, match=f"Port {port} on 127.0.0.1"):
            asyncio.run(start(*ports))

        socket.create_server(("127.0.0.1", free)).close()


def test_the_door_mints_tokens_and_tells_where_it_is() -> None:
    async def visit() -> tuple[int, int]:
        async with cloudflare_sandbox.running() as door, httpx.AsyncClient() as client:
            token = door.mint_token(kind="user", permissions=["Zone Read"], zones="all")
            with pytest.raises(ValueError, match="Zone Paint"):
                door.mint_token(permissions=["Zone Paint"])
            headers = {"authorization": f"Bearer {token}"}
            zones = await client.get(f"{door.api_url}/zones", headers=headers)
            account = await client.get(f"{door.api_url}/accounts/{door.account_id}", headers=headers)
            return zones.status_code, account.status_code

    assert asyncio.run(visit()) == (200, 200)


def test_it_stops_while_clients_are_connected() -> None:
    async def leave_connected() -> None:
        async with cloudflare_sandbox.running() as door:
            reader, writer = await asyncio.open_connection("127.0.0.1", door.smtp_port)
            assert (await reader.readline()).startswith(b"220 mx.cloudflare.net")
            client = httpx.AsyncClient()
            assert (await client.get(f"{door.url}/_sandbox/account")).status_code == 200
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        await client.aclose()

    asyncio.run(leave_connected())
