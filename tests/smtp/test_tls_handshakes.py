"""A TLS handshake that fails is a counted refusal in the log, once a minute and client, and no traceback."""

import json
import signal
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.forked import Forked
from tests.ports import reserved_port


def _no_tls(client: socket.socket) -> None:
    client.sendall(b"EHLO client.example\r\n" * 20)


def _nothing(client: socket.socket) -> None:
    client.shutdown(socket.SHUT_WR)


def _a_client_that_trusts_nobody(client: socket.socket) -> None:
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(client, server_hostname="mx.example")


FAILURES = (_no_tls, _nothing, _a_client_that_trusts_nobody)


def _start_tls(port: int, then: Callable[[socket.socket], None]) -> None:
    """Say STARTTLS, do *then*, and wait until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client, client.makefile("rb") as lines:
        lines.readline()
        client.sendall(b"EHLO client.example\r\n")
        while lines.readline()[3:4] == b"-":
            pass
        client.sendall(b"STARTTLS\r\n")
        assert lines.readline().startswith(b"220 ")
        then(client)
        if client.fileno() != -1:
            while lines.read(1000):
                pass


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_k12_failed_handshakes_are_one_line_and_no_traceback(
    tmp_path: Path, failure: Callable[[socket.socket], None]
) -> None:
    certificate = tmp_path / "mx.pem"
    trustme.CA().issue_cert("mx.example").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    port = reserved_port()
    environment = {
        "SESSION_SECRET": "a-session-secret-for-tests",
        "DATA_DIR": str(tmp_path / "data"),
        "PORT": "0",
        "SMTP_PORT": str(port),
        "SMTP_TLS_CERT": str(certificate),
    }
    with Forked("kaisoumail", "serve", environment=environment, keeps_stderr=True) as process:
        assert any(line.startswith("ready ") for line in process.stdout)
        for _ in range(3):
            _start_tls(port, failure)
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate()

    lines = [json.loads(line) for line in logged.splitlines()]
    refused = [(line["kind"], line["client"]) for line in lines if line["event"] == "client.refused"]
    assert refused == [("smtp.tls_handshake", "127.0.0.1")]
