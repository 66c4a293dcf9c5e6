"""A port that a test has chosen is its own until the run ends."""

import socket

import pytest

from tests.ports import is_listening, reserved_port


def test_a_reserved_port_is_refused_to_everybody_else() -> None:
    port = reserved_port()

    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    assert not is_listening(port)


def test_a_server_listens_on_a_reserved_port_again_after_a_restart() -> None:
    port = reserved_port()

    for _ in range(2):
        with socket.create_server(("127.0.0.1", port)) as server:
            assert is_listening(port)
            accepted, _ = server.accept()
            accepted.close()
