"""Ports that the tests choose themselves, for servers that cannot be asked for the port that they were given."""

import atexit
import socket

_holders: list[socket.socket] = []


def reserved_port() -> int:
    """
    A port of 127.0.0.1 that the kernel gives to nobody else while this process lives; connections to it are refused.

    It is held by a socket that is bound and does not listen. A server may still listen on it by number, as often as it
    is restarted, because both sockets have SO_REUSEADDR: socket(7). PostgreSQL and every server of asyncio set it.
    """
    holder = socket.socket()
    _holders.append(holder)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    return port


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections on *port* of 127.0.0.1."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@atexit.register
def _close_the_holders() -> None:
    for holder in _holders:
        holder.close()
