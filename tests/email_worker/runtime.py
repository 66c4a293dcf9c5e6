"""The Email Worker on workerd, the runtime that Cloudflare runs it on, in a process of its own."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx
import msgspec

FOLDER = Path(__file__).parent
SECRET = "a-secret-of-more-than-thirty-two-characters"


class Ending(msgspec.Struct, frozen=True):
    """How the Worker ended a mail: `accepted`, `rejected` for good with *text*, or `threw` (the sender tries again)."""

    end: str
    text: str


@dataclass
class Runtime:
    """A running workerd; *hand_over* may be called by several threads."""

    url: str
    _client: httpx.Client
    _log: "IO[bytes]" = field(repr=False)

    def hand_over(
        self,
        url: str,
        raw: bytes,
        to: str = "ada@mail.customer.com",
        sender: str = "no-reply@shop.example",
        secret: str = SECRET,
        size: int | None = None,
        **bindings: str,
    ) -> Ending:
        """How a mail ends. *url* and *secret* are what the Worker is configured with, *size* is what `rawSize` says."""
        return self.event(
            {
                "from": sender,
                "to": to,
                "rawSize": len(raw) if size is None else size,
                "env": {"KAISOUMAIL_URL": url, "INBOUND_SECRET": secret, **bindings},
            },
            raw,
        )

    def event(self, event: dict[str, Any], raw: bytes) -> Ending:
        answer = self._client.post(self.url, content=raw, headers={"x-event": quote(json.dumps(event))})
        return msgspec.json.decode(answer.raise_for_status().content, type=Ending)

    def log(self) -> str:
        """All that the Worker and its runtime have printed."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")


@contextmanager
def running() -> Iterator[Runtime]:
    # The binary itself: the command in node_modules/.bin is a Node process that would outlive a kill.
    [binary] = FOLDER.glob("node_modules/@cloudflare/workerd-*/bin/workerd")
    with tempfile.TemporaryFile() as log:
        workerd = subprocess.Popen(
            [binary, "serve", "--control-fd=1", "workerd.capnp", "config"],
            cwd=FOLDER,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            assert workerd.stdout is not None
            listening = workerd.stdout.readline()
            assert listening, "workerd ended"
            with httpx.Client(timeout=120) as client:
                yield Runtime(f"http://127.0.0.1:{json.loads(listening)['port']}", client, log)
        finally:
            workerd.kill()
            workerd.wait()
            if workerd.stdout is not None:
                workerd.stdout.close()
