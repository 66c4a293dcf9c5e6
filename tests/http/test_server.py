"""The HTTP server does not hang when it cannot start, and checks every connection although one check fails."""

import asyncio
import socket
from typing import Any

import pytest
import uvicorn

from kaisoumail.http import server
from kaisoumail.http.limits import HttpLimits
from kaisoumail.http.protocol import BoundedHttpProtocol


async def _nothing(_scope: Any, _receive: Any, _send: Any) -> None: ...


def test_a_server_that_cannot_start_ends_with_the_error() -> None:
    async def run() -> None:
        deadline = asyncio.timeout(5)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as not_a_stream:
            not_a_stream.bind(("127.0.0.1", 0))
            with pytest.raises((ValueError, OSError)):
                async with deadline, server.serving(_nothing, not_a_stream, HttpLimits(), lambda: None):
                    pytest.fail("it started")
        assert not deadline.expired()

    asyncio.run(run())


class _Transport:
    def abort(self) -> None:
        raise RuntimeError("cannot be aborted")


class _Connection(BoundedHttpProtocol):
    """A connection whose check fails; *checks* counts down until all have been checked often enough."""

    def __init__(self, transport: Any, checks: "asyncio.Queue[_Connection]") -> None:
        self.transport = transport
        self._checks = checks

    def check(self, now: float) -> None:
        self._checks.put_nowait(self)
        raise RuntimeError("a bug")


def test_a_check_that_fails_ends_the_checks_of_no_connection() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        unhandled: list[Any] = []
        loop.set_exception_handler(lambda _, context: unhandled.append(context["exception"]))
        checks: asyncio.Queue[_Connection] = asyncio.Queue()
        serving = uvicorn.Server(uvicorn.Config(_nothing))
        connections = {_Connection(transport, checks) for transport in (None, _Transport())}
        serving.server_state.connections.update(connections)
        checking = asyncio.create_task(server._check_connections(serving, 0.0))
        async with asyncio.timeout(10):
            checked = {await checks.get() for _ in range(6)}
        checking.cancel()
        await asyncio.gather(checking, return_exceptions=True)
        assert checked == connections
        assert {type(each) for each in unhandled} == {RuntimeError}

    asyncio.run(run())
