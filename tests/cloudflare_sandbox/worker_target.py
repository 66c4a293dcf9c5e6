"""
The other end of a hand-over: a tiny HTTP server that checks the signature by the contract alone.

It refuses nobody for a ticket, as servers did before there were any; but it notes whether a right one came.
"""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

SECRET = "a-secret-of-more-than-thirty-two-characters"


@dataclass
class Target:
    """What arrived, properly signed, and what is answered."""

    url: str
    status: int = 200
    body: bytes = b'{"outcome":"stored","messageId":"1"}'
    arrived: list[tuple[str, str, bytes]] = field(default_factory=list)
    tickets_are_right: list[bool] = field(default_factory=list)

    def answers(self, status: int, **body: object) -> None:
        self.status, self.body = status, json.dumps(body).encode()


def _hmac(*lines: str) -> str:
    return hmac.new(SECRET.encode(), "\n".join(lines).encode(), "sha256").hexdigest()


@contextmanager
def worker_target() -> Iterator[Target]:
    target = Target("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            names = ("timestamp", "envelope-from", "envelope-to", "signature")
            moment, sender, recipient, signature = (self.headers[f"x-kaisoumail-{name}"] for name in names)
            wanted = _hmac(moment, sender, recipient, hashlib.sha256(raw).hexdigest())
            ticket = f"{len(raw)}:{_hmac('ticket', moment, sender, recipient, str(len(raw)))}"
            target.tickets_are_right.append(self.headers["x-kaisoumail-ticket"] == ticket)
            is_signed = hmac.compare_digest(signature, wanted) and abs(time.time() - int(moment)) < 300
            if is_signed and self.headers["content-type"] == "message/rfc822":
                target.arrived.append((unquote(sender), unquote(recipient), raw))
            self._reply(target.status if is_signed else 401, target.body)

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        target.url = f"http://127.0.0.1:{server.server_address[1]}/api/inbound"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield target
        finally:
            server.shutdown()
            thread.join()
