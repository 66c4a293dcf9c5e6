"""A pretend Cloudflare in a thread of its own, for tests that talk to it as any client would."""

import asyncio
import smtplib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

import cloudflare_sandbox

EVERYTHING = (
    "Zone Write",
    "Zone Settings Write",
    "DNS Write",
    "Email Routing Rules Write",
    "Email Routing Addresses Write",
)


@dataclass
class Pretend:
    """The pretend Cloudflare; *api* asks with a token that may do everything, *controls* is `/_sandbox`."""

    url: str
    api_url: str
    smtp_port: int
    account_id: str
    controls: httpx.Client
    api: httpx.Client

    def token(self, permissions: Sequence[str] = EVERYTHING, kind: str = "user", zones: Any = "all") -> str:
        wanted = {"kind": kind, "permissions": list(permissions), "zones": zones}
        return str(self.controls.post("/tokens", json=wanted).raise_for_status().json()["token"])

    def make_new(self) -> None:
        """Forget everything, as a new one would have it."""
        self.controls.post("/reset").raise_for_status()
        self.api.headers["authorization"] = f"Bearer {self.token()}"

    def switch(self, **values: Any) -> None:
        self.controls.patch("/switches", json=values).raise_for_status()

    def client(self, token: str) -> httpx.Client:
        return httpx.Client(base_url=self.api_url, headers={"authorization": f"Bearer {token}"})

    def pending_zone(self, name: str = "example.com") -> str:
        """The path of a new zone, `/zones/<id>`."""
        body = {"name": name, "account": {"id": self.account_id}, "type": "full"}
        return f"/zones/{result(self.api.post('/zones', json=body))['id']}"

    def delegate(self, name: str = "example.com") -> None:
        self.controls.post(f"/zones/{name}/delegate").raise_for_status()

    def active_zone(self, name: str = "example.com") -> str:
        path = self.pending_zone(name)
        self.delegate(name)
        return path

    def routing_zone(self, name: str = "example.com") -> str:
        """The path of a zone with Email Routing on."""
        path = self.active_zone(name)
        result(self.api.post(f"{path}/email/routing/enable", json={}))
        return path

    def fault(self, method: str, path: str, **fields: Any) -> None:
        fault = {"match": {"method": method, "path": path}, **fields}
        self.controls.post("/faults", json=fault).raise_for_status()

    def received(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.controls.get("/requests").json()["requests"]
        return rows

    def send(self, recipient: str | list[str], raw: bytes, sender: str = "ada@sender.example") -> tuple[int, str]:
        """The reply a sending server ends with."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port, local_hostname="mail.sender.example", timeout=60) as smtp:
            try:
                smtp.sendmail(sender, recipient, raw)
            except smtplib.SMTPRecipientsRefused as refused:
                code, text = next(iter(refused.recipients.values()))
                return code, text.decode()
            except smtplib.SMTPResponseException as refused:
                return refused.smtp_code, _text(refused.smtp_error)
        return 250, ""


def result(response: httpx.Response) -> Any:
    """The result of a successful answer."""
    envelope = response.json()
    assert (response.status_code, envelope["success"]) == (200, True), response.text
    return envelope["result"]


def refusal(response: httpx.Response) -> tuple[int, int]:
    """HTTP status and the first error's code."""
    envelope = response.json()
    assert envelope["success"] is False, response.text
    assert envelope["result"] is None
    return response.status_code, envelope["errors"][0]["code"]


def rule_for(address: str, worker: str = "inbound") -> dict[str, Any]:
    matcher = {"type": "literal", "field": "to", "value": address}
    return {"name": "", "matchers": [matcher], "actions": [{"type": "worker", "value": [worker]}]}


@contextmanager
def running(state_file: Path | None = None) -> Iterator[Pretend]:
    """A pretend Cloudflare on free ports, stopped at the end; an error in its thread is raised here."""
    started: Future[tuple[cloudflare_sandbox.Running, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    ended: Future[None] = Future()
    thread = threading.Thread(target=_serve, args=(started, ended, state_file))
    thread.start()
    try:
        door, loop, stop = started.result(timeout=30)
        with httpx.Client(base_url=f"{door.url}/_sandbox", timeout=60) as controls:
            answer = controls.post("/tokens", json={"permissions": list(EVERYTHING)}).raise_for_status()
            headers = {"authorization": f"Bearer {answer.json()['token']}"}
            with httpx.Client(base_url=door.api_url, headers=headers, timeout=60) as api:
                yield Pretend(door.url, door.api_url, door.smtp_port, door.account_id, controls, api)
    finally:
        if started.done() and started.exception() is None:
            loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=30)
    ended.result(timeout=30)


def _serve(started: "Future[Any]", ended: "Future[None]", state_file: Path | None) -> None:
    async def serve() -> None:
        stop = asyncio.Event()
        async with cloudflare_sandbox.running(state_file=state_file) as door:
            started.set_result((door, asyncio.get_running_loop(), stop))
            await stop.wait()
        leftover = asyncio.all_tasks() - {asyncio.current_task()}
        assert leftover == set(), f"tasks left behind: {leftover}"

    try:
        asyncio.run(serve())
    except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
        (ended if started.done() else started).set_exception(error)
    finally:
        if not ended.done():
            ended.set_result(None)


def _text(error: bytes | str) -> str:
    return error.decode() if isinstance(error, bytes) else error
