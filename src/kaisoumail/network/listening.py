"""How many connections a listener accepts before the event loop turns to anything else."""

import socket
from collections.abc import Iterable
from typing import Any, Final

ACCEPTED_AT_ONCE: Final = 8


def copies_of(listeners: Iterable[Any]) -> list[socket.socket]:
    """
    Copies of each listening socket, to be served beside it: the loop accepts one connection per socket each time round.

    libuv does no more since 1.45 ("unix: don't accept() connections in a loop", libuv#3696). Under load a connection
    would wait behind a thousand others in the queue of the kernel, where clients have no turns.
    """
    return [
        socket.fromfd(listener.fileno(), listener.family, listener.type)
        for listener in listeners
        for _ in range(ACCEPTED_AT_ONCE - 1)
    ]
