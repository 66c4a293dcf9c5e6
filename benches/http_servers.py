"""
HTTP servers under one small application: what each costs a request, and what one client without a key can do to it.

    python -m benches.http_servers NAME PORT      serves; NAME is one of SERVERS

uvicorn's own two protocols, ours on top of the quicker one, and others that are kept, where they are installed.
"""

import asyncio
import importlib.util
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.polling import poll
from tests.ports import is_listening, reserved_port

_REQUEST: Final = b"POST /api/x HTTP/1.1\r\nhost: bench\r\ncontent-length: 5120\r\n\r\n" + b"x" * 5120
_CONNECTIONS: Final = 16
_COUNT: Final = 20_000
_ENDLESS_BYTES: Final = 30_000_000
_TICK: Final = os.sysconf("SC_CLK_TCK")
SERVERS: Final = ("ours", "httptools", "h11", "zttp", "hypercorn")


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, answers 200."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    fields = [(b"content-length", b"2"), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"{}"})


def report(_: Path) -> None:
    """Measure, and print the table."""
    print(f"\nHTTP servers: POST of 5 KB, {_CONNECTIONS} connections kept; then one client sends a header without end")
    print(f"{'server':12} {'rate/s':>8} {'CPU us':>8} {'idle MB':>8} {'endless: taken MB':>18} {'others wait s':>14}")
    for name in SERVERS:
        if name != "ours" and importlib.util.find_spec(_PACKAGES.get(name, "uvicorn")) is None:
            print(f"{name:12} is not installed")
            continue
        port = reserved_port()
        with _serving(name, port) as process:
            idle = _resident(process.pid)
            try:
                rate, cpu = max(_load(process.pid, port) for _ in range(3))
                taken, waited = _endless_header(port)
            except (AssertionError, OSError) as error:
                print(f"{name:12} {type(error).__name__}: {error}")
                continue
        print(f"{name:12} {rate:8.0f} {cpu * 1e6:8.0f} {idle:8.0f} {taken / 1e6:18.1f} {waited:14.2f}")


_PACKAGES: Final = {"zttp": "zttp", "hypercorn": "hypercorn"}


@contextmanager
def _serving(name: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-m", "benches.http_servers", name, str(port)]) as process:
        try:
            poll(lambda: is_listening(port))
            yield process
        finally:
            process.kill()


def _load(pid: int, port: int) -> tuple[float, float]:
    """Requests a second, and CPU seconds of the server for each."""
    chooser = selectors.DefaultSelector()
    for _ in range(_CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(_REQUEST)
        chooser.register(connection, selectors.EVENT_READ)
    began, cpu, left = time.perf_counter(), _used(pid), _COUNT
    while left:
        for key, _ in chooser.select():
            answered: socket.socket = key.fileobj  # type: ignore[assignment]
            heard = answered.recv(65536)
            assert heard, "it closed a connection that was to be kept"
            if heard.endswith(b"{}"):
                left -= 1
                answered.sendall(_REQUEST)
                if not left:
                    break
    took, cpu = time.perf_counter() - began, _used(pid) - cpu
    for key in tuple(chooser.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return _COUNT / took, cpu / _COUNT


def _endless_header(port: int) -> tuple[int, float]:
    """How many bytes of one header field were taken, and how long an ordinary request then waited."""
    piece, sent = b"a" * 65536, 0
    with socket.create_connection(("127.0.0.1", port), timeout=60) as hostile:
        hostile.sendall(b"GET / HTTP/1.1\r\nhost: ")
        with suppress(OSError):
            while sent < _ENDLESS_BYTES:
                sent += hostile.send(piece)
        began = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port), timeout=60) as ordinary:
            ordinary.sendall(_REQUEST)
            ordinary.recv(65536)
    return sent, time.perf_counter() - began


def _used(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096 / 1e6


def _serve(name: str, port: int) -> None:
    if name == "hypercorn":
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        asyncio.run(serve(application, config))
    elif name == "ours":
        _serve_ours(port)
    else:
        import uvicorn

        uvicorn.run(application, port=port, http=name, ws="none", lifespan="off", log_level="error", access_log=False)


def _serve_ours(port: int) -> None:
    import uvloop

    from kaisoumail.http import server as http_server
    from kaisoumail.http.limits import HttpLimits

    async def run() -> None:
        listener = http_server.listen("127.0.0.1", port)
        async with http_server.serving(application, listener, HttpLimits(), lambda: None):
            await asyncio.Event().wait()

    uvloop.run(run())


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
